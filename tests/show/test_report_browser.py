"""The report in a real browser: it draws, filters, opens from disk, and says nothing on the console."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dbt_schema_embed.records import (
    Candidate,
    Column,
    MappingFile,
    Problem,
    Relation,
    Suggestion,
    Suggestions,
    Unfed,
)
from dbt_schema_embed.show.report import to_html
from dbt_schema_embed.show.report_data import ReportInput, report_data
from tests.show.browser import Browser, find_browser

HOSTILE = "<img src=x onerror=\"document.title='taken'\">"
CHARGES, USERS = "source.shop.stripe.charges", "source.shop.app.users"
STG = "model.shop.stg_charges"
GOALS = ("charge_id", "amount", "created_at", "refund_id")


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
        Relation(USERS, "users", "source", (columns[0], Column("a b")), source_name="app"),
        Relation(CHARGES, "charges", "source", columns, source_name="stripe"),
        Relation(STG, "stg_charges", "model", tuple(map(Column, GOALS))),
    ]
    candidates = (Candidate(STG, "charge_id", 0.97), Candidate(STG, "amount", 0.1))
    rows = (
        Suggestion(USERS, "id", None, None, 0.9),
        Suggestion(USERS, "a b", None, None, 0.2, undecided=True, candidates=candidates),
        Suggestion(
            CHARGES, "id", STG, "charge_id", 0.97, evidence={"name": 0.8}, adds={"name": 0.25}, candidates=candidates
        ),
        Suggestion(CHARGES, "amount", STG, "amount", 1.0, "existing"),
        Suggestion(CHARGES, "created", STG, "created_at", 0.55, reason=HOSTILE, candidates=candidates),
        Suggestion(CHARGES, "_synced", None, None, 0.99),
        Suggestion(CHARGES, HOSTILE, STG, "amount", 1.0, "accepted"),
    )
    rng = np.random.default_rng(0)
    vectors = {r.id: rng.normal(size=(len(r.columns), 8)).astype(np.float32) for r in relations}
    decisions = [(0.9, True)] * 20
    measured = "yesterday", [(0.55, 0.5, 4), (0.98, 1.0, 100)]
    answer = Suggestions(rows, unfed=(Unfed(STG, "refund_id", required=True),))
    file = MappingFile("schema_mappings/app users.yml", "app.users", undecided=("a b",), undecided_line=7)
    problem = Problem("unknown-model", "error", HOSTILE, "schema_mappings/x.yml", 3, "mend it")
    return ReportInput(
        "shop", "now", answer, relations, vectors, measured, decisions, notes=(HOSTILE,), problems=[problem],
        files={USERS: file}, base="../",
    )  # fmt: skip


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
    for said in (
        "Column mappings of shop",
        "2 columns undecided or doubtful, undecided ones first",
        "0.55 doubtful",
        "7 columns in 2 tables",
        "1 change since now",
        "Decided by people, one by one: 20 suggestions",
        'Measured by evaluate on yesterday: 104 answers, "nothing" among them',
        "may feed one of the candidates",
        "1 planned column that nothing feeds",
        "stg_charges.refund_id must not be empty",
        "error schema_mappings/x.yml:3",
        "mend it",
        "stg_charges 3 of 4 columns fed by these tables, 1 by nothing",
    ):
        assert said in " ".join(text.split()), said
    assert page.run("document.querySelector('#counts b').textContent") == "3"
    assert "app.users → no model: 1 nothing, 1 undecided" in " ".join(text.split())
    page.run("document.getElementById('map-box').open = true")
    page.run("new Promise((done) => setTimeout(done, 100))")
    assert page.run("document.querySelectorAll('#map path').length") == 3


def test_each_model_says_what_feeds_it(page: Browser) -> None:
    page.run("document.querySelector('#goals details').open = true")
    page.run("new Promise((done) => setTimeout(done, 100))")
    text = "row.innerText.replace(/\\s+/g, ' ')"
    rows = page.run(f"[...document.querySelectorAll('#goals tbody tr')].map((row) => {text})")
    assert rows == [
        "charge_id stripe.charges.id suggested, 0.97",
        f"amount stripe.charges.amount in SQL stripe.charges.{HOSTILE} accepted",
        "created_at stripe.charges.created suggested, 0.55",
        "refund_id nothing feeds it; it must not be empty",
    ]


def test_commands_and_places_of_a_row(page: Browser) -> None:
    page.run("document.querySelector('#people .open').click()")
    commands = page.run("[...document.querySelectorAll('#people .command')].map((code) => code.textContent)")
    assert commands[0] == "dbt-schema-embed accept --model stg_charges --column charge_id app.users 'a b'"
    assert commands[-2:] == [
        "dbt-schema-embed accept app.users 'a b'  # it feeds nothing, for good",
        "dbt-schema-embed suggest --explain 'app.users.a b'",
    ]
    page.run("document.querySelector('#people .copy').click()")
    assert page.run("getSelection().toString()") == commands[0]
    link = page.run("document.querySelector('#people .file').getAttribute('href')")
    assert link == "../schema_mappings/app%20users.yml#L7"
    page.run("new Promise((done) => setTimeout(done, 100))")


@pytest.mark.parametrize("text", ["a'b", "$(x)", "`x`", "a b;c", "-x", "ü", "a\\b"])
def test_a_name_is_one_word_for_a_shell(page: Browser, text: str) -> None:
    import shlex

    assert shlex.split(page.run(f"sh({text!r})")) == [text]


def test_the_filters_stand_in_the_address(page: Browser, tmp_path: Path) -> None:
    filtered(page, table="1", status="needs a person")
    assert page.run("location.hash") == "#table=stripe.charges&status=needs+a+person"
    page.call("Page.reload")
    page.run("new Promise((done) => setTimeout(done, 300))")
    assert page.run("document.getElementById('found').textContent") == "1 column in 1 table"
    assert open_tables(page) == ["stripe.charges: created"]
    browserless = page.requests[1:]
    page.requests[1:] = []
    assert [url.partition("#")[0] for url in browserless] == [(tmp_path / "report.html").as_uri()]


def test_a_phone_shows_confidence_status_and_reason(page: Browser, tmp_path: Path) -> None:
    page.open(tmp_path / "report.html", width=390, height=844)
    page.requests[1:] = []
    page.run("document.querySelectorAll('details.table').forEach((box) => { box.open = true; })")
    page.run("new Promise((done) => setTimeout(done, 200))")
    cells = "[...document.querySelectorAll('#people td, #list td, #goals td')].map((td) => td.getBoundingClientRect())"
    outside = page.run(f"{cells}.filter((box) => box.left < 0 || box.right > 390 || box.width < 100).length")
    shown = page.run(
        "[...document.querySelectorAll('#list td[data-label]')].filter((td) => td.offsetHeight > 0).length"
    )
    assert (outside, shown) == (0, 4 * 7)
    assert page.run("document.documentElement.scrollWidth") == 390


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
        ({"table": "0"}, "2 columns in 1 table", ["app.users: id a b"]),
        ({"status": "needs a person"}, "2 columns in 2 tables", ["app.users: a b", "stripe.charges: created"]),
        ({"status": "undecided"}, "1 column in 1 table", ["app.users: a b"]),
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
    assert "the names share their words (0.80): +0.25" in below
    assert "what confidence would lose if that alone were not known" in below
    page.run("document.querySelector('#list .below details').open = true")
    assert "name: 0.8" in page.run("document.querySelector('#list .below').innerText")
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
