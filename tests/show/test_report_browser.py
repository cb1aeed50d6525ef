"""The report in a real browser: it draws, filters, opens from disk, and says nothing on the console."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dbt_schema_embed.records import Candidate, Column, Relation, Suggestion, Suggestions
from dbt_schema_embed.show.report import to_html
from dbt_schema_embed.show.report_data import ReportInput, report_data
from tests.show.browser import Browser, find_browser

HOSTILE = "<img src=x onerror=\"document.title='taken'\">"
CHARGES, USERS = "source.shop.stripe.charges", "source.shop.app.users"
STG = "model.shop.stg_charges"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_browser()
    if program is None:
        pytest.skip("no chromium or chrome is installed")
    with Browser(program, tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def given() -> ReportInput:
    names = ("id", "amount", "created", "_synced", HOSTILE)
    columns = tuple(Column(name, "varchar", f"About {name}") for name in names)
    relations = [
        Relation(USERS, "users", "source", columns[:1], source_name="app"),
        Relation(CHARGES, "charges", "source", columns, source_name="stripe"),
        Relation(STG, "stg_charges", "model", (Column("charge_id"), Column("amount"), Column("created_at"))),
    ]
    candidates = (Candidate(STG, "charge_id", 0.97), Candidate(STG, "amount", 0.1))
    rows = (
        Suggestion(USERS, "id", None, None, 0.9),
        Suggestion(CHARGES, "id", STG, "charge_id", 0.97, evidence={"name": 0.8}, candidates=candidates),
        Suggestion(CHARGES, "amount", STG, "amount", 1.0, "existing"),
        Suggestion(CHARGES, "created", STG, "created_at", 0.55, reason=HOSTILE, candidates=candidates),
        Suggestion(CHARGES, "_synced", None, None, 0.99),
        Suggestion(CHARGES, HOSTILE, STG, "amount", 1.0, "accepted"),
    )
    rng = np.random.default_rng(0)
    vectors = {r.id: rng.normal(size=(len(r.columns), 8)).astype(np.float32) for r in relations}
    decisions = [(0.9, True)] * 20
    measured = "yesterday", [(0.55, 0.5, 4), (0.98, 1.0, 100)]
    return ReportInput("shop", "now", Suggestions(rows), relations, vectors, measured, decisions, notes=(HOSTILE,))


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Browser]:
    """The report, opened; whatever a test does, nothing may be said on the console or fetched."""
    path = tmp_path / "report.html"
    before = report_data(replace(given(), suggestions=Suggestions(given().suggestions.rows[1:])))
    path.write_text(to_html(report_data(given(), before)), "utf-8")
    browser.errors.clear()
    browser.requests.clear()
    browser.open(path)
    yield browser
    assert browser.errors == []
    assert browser.requests == [path.as_uri()]


def open_tables(page: Browser) -> list[str]:
    """Label and source columns of each table that is open."""
    found: list[str] = page.run(
        "[...document.querySelectorAll('details.table[open]')].map((table) => table.querySelector('summary b')"
        ".textContent + ': ' + [...table.querySelectorAll('tbody th .name')].map((n) => n.textContent).join(' '))"
    )
    return found


def filtered(page: Browser, **fields: str) -> tuple[str, list[str]]:
    """Fill the form as a person does; what is said then, and what is shown."""
    for name, value in fields.items():
        page.run(
            f"(() => {{ const f = document.getElementById('by-{name}'); f.value = {value!r};"
            " f.dispatchEvent(new Event('input', {bubbles: true})); })()"
        )
    page.run("new Promise((done) => setTimeout(done, 200))")
    return page.run("document.getElementById('found').textContent"), open_tables(page)


def test_it_draws(page: Browser) -> None:
    text = page.run("document.body.innerText")
    for said in ("Column mappings of shop", "1 doubtful column, most doubtful first", "0.55 doubtful",
                 "6 columns in 2 tables", "1 change since now", "Decided by people: 20 suggestions",
                 "Measured by evaluate on yesterday: 104 answers"):  # fmt: skip
        assert said in text, said
    assert page.run("document.querySelectorAll('#map path').length") == 3


def test_names_are_text(page: Browser) -> None:
    filtered(page, text="img")
    assert page.run("document.title") == "Column mappings of shop"
    assert page.run("document.querySelectorAll('img').length") == 0
    assert HOSTILE in page.run("document.getElementById('list').innerText")


@pytest.mark.parametrize(
    ("fields", "said", "shown"),
    [
        ({"text": "created_at"}, "1 column in 1 table", ["stripe.charges: created"]),
        ({"text": "CHARGES charge_id"}, "2 columns in 1 table", ["stripe.charges: id created"]),
        ({"table": "0"}, "1 column in 1 table", ["app.users: id"]),
        ({"status": "needs a person"}, "1 column in 1 table", ["stripe.charges: created"]),
        ({"status": "maps to nothing"}, "2 columns in 2 tables", ["app.users: id", "stripe.charges: _synced"]),
        ({"status": "already in SQL"}, "1 column in 1 table", ["stripe.charges: amount"]),
        ({"least": "0.6", "most": "0.98"}, "2 columns in 2 tables", None),
        ({"text": "nowhere"}, "0 columns in 0 tables", []),
    ],
)
def test_filters(page: Browser, fields: dict[str, str], said: str, shown: list[str] | None) -> None:
    found, tables = filtered(page, **fields)
    assert found == said
    if shown is not None:
        assert tables == shown


def test_evidence_opens_by_keyboard(page: Browser) -> None:
    filtered(page, text="charge_id")
    page.run("document.querySelector('#list .open').focus()")
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r", windowsVirtualKeyCode=13)
    below = page.run("document.querySelector('#list .below').innerText")
    assert "name: 0.8" in below
    assert "stg_charges.charge_id 0.97" in below
    assert page.run("document.querySelector('#list .open').getAttribute('aria-expanded')") == "true"


def test_the_heat_map_is_drawn_when_it_is_opened(page: Browser) -> None:
    filtered(page, table="1")
    count = "document.querySelectorAll('#list rect.cell').length"
    assert page.run(count) == 0
    page.run("document.querySelector('#list details.heat').open = true")
    page.run("new Promise((done) => setTimeout(done, 100))")
    assert page.run(count) == 4
    assert page.run("document.querySelectorAll('#list rect.chosen').length") == 1


def test_what_it_offers_to_screen_readers(page: Browser) -> None:
    unnamed = page.run(
        "[...document.querySelectorAll('svg')].filter((s) => s.getAttribute('role') !== 'img' || !s.ariaLabel).length"
        " + [...document.querySelectorAll('input, select')].filter((f) => !f.labels.length).length"
        " + [...document.querySelectorAll('th')].filter((h) => !h.scope).length"
        " + [...document.querySelectorAll('section')].filter((s) => !s.getAttribute('aria-labelledby')).length"
    )
    assert unnamed == 0


def test_light_and_dark(page: Browser) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.run(ground) == "rgb(255, 255, 255)"
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert page.run(ground) == "rgb(13, 17, 23)"


def test_nothing_is_wider_than_the_window(page: Browser) -> None:
    assert page.run("document.documentElement.scrollWidth <= window.innerWidth")
