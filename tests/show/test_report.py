"""The report's file: what is in it, what never is, what changed, and that people can read its colours."""

import json
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dbt_schema_embed.records import (
    Candidate,
    Column,
    MappingFile,
    MappingRow,
    Problem,
    Relation,
    Suggestion,
    Suggestions,
    Unfed,
)
from dbt_schema_embed.show.report import data_of, to_html
from dbt_schema_embed.show.report_data import LARGE, ReportInput, report_data
from dbt_schema_embed.show.report_map import HEIGHT, WIDTH, plane

CHARGES = "source.shop.stripe.charges"
STG = "model.shop.stg_charges"
HOSTILE = "</script><script>alert(1)</script><!--"


def relations(count: int = 3) -> list[Relation]:
    columns = tuple(Column(f"c{i}", "varchar", f"About {i}.", values=("s3cret-value",)) for i in range(count))
    return [
        Relation(CHARGES, "charges", "source", columns, source_name="stripe", description="Charges."),
        Relation(STG, "stg_charges", "model", columns),
    ]


def row(column: str, target: str | None, confidence: float, **more: Any) -> Suggestion:
    model = None if target is None else STG
    candidates = (Candidate(STG, "c0", 0.6), Candidate(STG, "c1", 0.2))
    return Suggestion(CHARGES, column, model, target, confidence, candidates=candidates, **more)


def given(*rows: Suggestion, **more: Any) -> ReportInput:
    return ReportInput("shop", "2026-01-02 03:04 UTC", Suggestions(rows), relations(), **more)


THREE = (row("c0", "c0", 0.97, reason="same name", evidence={"name": 0.91, "habit": None}),
         row("c1", "c1", 0.5), row("c2", None, 0.8))  # fmt: skip


def test_the_data_in_compact_form() -> None:
    data = report_data(given(*THREE))
    assert (data["models"], data["targets"], data["signals"]) == (
        ["stg_charges"],
        [[0, f"c{i}"] for i in range(3)],
        ["name"],
    )
    table = data["tables"][0]
    assert (table["label"], table["model"], table["about"]) == ("stripe.charges", "stg_charges", "Charges.")
    assert table["rows"] == [
        ["c0", "varchar", "About 0.", 0, 9700, 0, "same name", [0, 0.91], [0, 6000, 1, 2000], [], "", 0, 0,
         "the names share their words (0.91)"],
        ["c1", "varchar", "About 1.", 1, 5000, 0, "also fits stg_charges.c0", [], [0, 6000, 1, 2000], [], "", 0, 0, ""],
        ["c2", "varchar", "About 2.", -1, 8000, 0, "", [], [0, 6000, 1, 2000], [], "", 0, 0, ""],
    ]  # fmt: skip


def test_where_each_row_stands_and_what_check_finds() -> None:
    file = MappingFile(
        "m/c.yml", "stripe.charges", (MappingRow("C0", "stg_charges", "c0", line=5),), ("c2",), unmapped_line=9
    )
    problem = Problem("fed-twice", "error", "said", "m/c.yml", 5, "mend it")
    data = report_data(given(*THREE, files={CHARGES: file}, problems=[problem]))
    assert data["tables"][0]["file"] == "m/c.yml"
    assert [row[12] for row in data["tables"][0]["rows"]] == [5, 0, 9]
    assert data["problems"] == [["error", "said", "m/c.yml", 5, "mend it", "fed-twice"]]


def test_the_models_side() -> None:
    """What feeds nothing is no pair: a table whose columns feed no model has none in its heading."""
    unfed = (Unfed(STG, "c2", required=True), Unfed(STG, "c1"))
    answer = Suggestions(
        (row("c0", "c0", 0.97), row("c1", None, 0.9), row("c2", None, 0.2, undecided=True)), unfed=unfed
    )
    data = report_data(replace(given(), suggestions=answer))
    assert data["tables"][0]["fed"] == [["stg_charges", 1]]
    assert data["goals"] == [["stg_charges", "", [[0, "varchar", 1], [1, "varchar", 2], [2, "varchar", 3]]]]
    nothing = report_data(given(row("c0", None, 0.9), row("c1", "c1", 0.9, status="rejected")))
    assert (nothing["tables"][0]["fed"], nothing["goals"]) == ([], [])


def test_the_page_holds_its_data_and_gives_them_back() -> None:
    data = report_data(given(*THREE))
    assert data_of(to_html(data)) == data


@pytest.mark.parametrize("html", ["", "<p>", '<script type="application/json" id="data">{</script>',
                                  '<script type="application/json" id="data">[]</script>'])  # fmt: skip
def test_what_is_no_report_gives_nothing_back(html: str) -> None:
    assert data_of(html) is None


def test_no_sample_value_is_in_the_page() -> None:
    assert "s3cret" not in to_html(report_data(given(*THREE)))


def test_names_from_outside_are_no_markup() -> None:
    hostile = row(HOSTILE, HOSTILE, 0.5, reason=HOSTILE)
    page = to_html(report_data(replace(given(hostile), project=HOSTILE, notes=(HOSTILE,))))
    assert page.count("<script") == 2
    assert page.count("</script") == 2
    assert "<!--" not in page
    assert "&lt;/script&gt;" in page  # the title


def test_a_page_asks_nothing_of_a_network() -> None:
    page = to_html(report_data(given(*THREE)))
    assert set(re.findall(r"https?://[^\s'\"]+", page)) == {"http://www.w3.org/2000/svg"}  # a name, not an address
    assert not re.findall(r"""(?:src|href)=["'](?!#)|url\(|@import""", page)


def test_the_policy_lets_only_our_script_run() -> None:
    import base64
    import hashlib

    page = to_html(report_data(given(*THREE)))
    script = page.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page


def test_a_thousand_columns_are_less_than_two_megabytes() -> None:
    evidence = {f"signal_number_{i}": 0.55 for i in range(40)}
    candidates = tuple(Candidate(STG, f"a_rather_long_column_name_{i}", 0.5) for i in range(10))
    rows = [replace(row(f"a_rather_long_name_{i}", "c0", 0.5, reason="word " * 20, evidence=evidence),
                    candidates=candidates) for i in range(1000)]  # fmt: skip
    assert len(to_html(report_data(given(*rows)))) < 2_000_000


def test_a_large_report_says_what_it_leaves_out() -> None:
    evidence = {f"s{i}": 0.5 for i in range(40)}
    many = [row(f"c{i}", "c0", 0.5, evidence=evidence) for i in range(LARGE + 1)]
    data = report_data(given(*many))
    assert len(data["tables"][0]["rows"][0][7]) == 2 * 5
    assert data["notes"] == [
        "Left out, for there are more than 4,000 source columns: candidates after the third, evidence beside name, "
        "habit, table, type, values, and what descriptions say after 60 characters."
    ]


@pytest.mark.parametrize(
    ("after", "lines"),
    [
        (THREE, []),
        ((row("c0", "c1", 0.97), *THREE[1:]), [["another answer", "stripe.charges.c0",
                                               "stg_charges.c0 → stg_charges.c1"]]),
        ((replace(THREE[0], status="accepted"), *THREE[1:]), [["accepted", "stripe.charges.c0", "stg_charges.c0"]]),
        ((replace(THREE[0], confidence=0.8), *THREE[1:]), [["less sure", "stripe.charges.c0", "0.97 → 0.80"]]),
        ((replace(THREE[0], confidence=0.9), *THREE[1:]), []),
        (THREE[1:], [["column is gone", "stripe.charges.c0", ""]]),
        ((*THREE, row("new", None, 1.0)), [["new column", "stripe.charges.new", "maps to nothing"]]),
        ((), [["not in this report", "stripe.charges", "3 columns"]]),
    ],
)  # fmt: skip
def test_what_changed_since_the_report_before(after: tuple[Suggestion, ...], lines: list[list[str]]) -> None:
    before = report_data(given(*THREE))
    changes = report_data(given(*after), before)["changes"]
    assert changes == {"since": "2026-01-02 03:04 UTC", "lines": lines, "more": 0}


NO_ROW = {"version": 1, "models": [], "targets": [], "tables": [{"label": "a", "rows": [[]]}]}
NO_STATUS = NO_ROW | {"tables": [{"label": "a", "rows": [["a", "", "", -1, 1, 9]]}]}


@pytest.mark.parametrize(
    "before", [None, {}, {"version": 0}, {"version": 1}, NO_ROW | {"targets": 5}, NO_ROW, NO_STATUS], ids=repr
)
def test_nothing_to_compare_with(before: dict[str, Any] | None) -> None:
    assert report_data(given(*THREE), before)["changes"] == {"since": "", "lines": [], "more": 0}


def test_calibration_by_decisions_needs_some() -> None:
    assert report_data(given(*THREE, decisions=[(0.9, True)] * 19))["decided"]["tenths"] == []
    decisions = [(0.92, True)] * 9 + [(0.98, False)] + [(0.31, False)] * 10
    assert report_data(given(*THREE, decisions=decisions))["decided"]["tenths"] == [[0.31, 0.0, 10], [0.926, 0.9, 10]]


def test_the_plane_agrees_with_a_singular_value_decomposition() -> None:
    rows = np.random.default_rng(1).normal(size=(30, 6)).astype(np.float32)
    left, sizes, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    flat, explained = plane(rows)
    assert np.allclose(np.abs(flat), np.abs(left[:, :2] * sizes[:2]), atol=1e-4)
    assert explained == pytest.approx((sizes[:2] ** 2).sum() / (sizes**2).sum(), abs=1e-5)


def test_the_map_leaves_out_what_has_no_words() -> None:
    vectors = {r.id: np.eye(3, 8, dtype=np.float32) for r in relations()}
    vectors[STG] = vectors[STG] * np.array([[1.0], [0.0], [1.0]], np.float32)
    drawn = report_data(given(*THREE, vectors=vectors))["map"]
    assert [(g["label"], g["names"]) for g in drawn["groups"]] == [
        ("stg_charges", ["c0", "c2"]),
        ("stripe.charges", ["c0", "c1", "c2"]),
    ]
    xy = [number for g in drawn["groups"] for number in g["xy"]]
    assert all(0 <= x <= WIDTH for x in xy[::2])
    assert all(0 <= y <= HEIGHT for y in xy[1::2])


def test_equal_vectors_are_one_dot() -> None:
    flat, explained = plane(np.ones((4, 3), np.float32))
    assert np.allclose(flat, 0)
    assert explained == 0


def luminance(color: str) -> float:
    """Relative luminance of "#rrggbb" (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def palettes() -> list[dict[str, str]]:
    css = (files("dbt_schema_embed.show") / "report.css").read_text("utf-8")
    return [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", part)) for part in re.findall(r":root \{(.*?)\n *\}", css, re.S)
    ]


def test_contrast_of_known_colours() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["bg", "surface"])
def test_text_and_drawings_stand_out(palette: dict[str, str], ground: str) -> None:
    """WCAG 2.2 AA: 4.5 for text, 3 for what is drawn."""
    assert len(palette) == 19
    for name in ("text", "muted", "accent", "certain", "likely", "doubtful"):
        assert contrast(palette[name], palette[ground]) >= 4.5, name
    for name in ("edge", "none", *(f"s{i}" for i in range(8))):
        assert contrast(palette[name], palette[ground]) >= 3, name


def test_the_page_is_small_without_data(tmp_path: Path) -> None:
    page = to_html(report_data(given()))
    assert len(page) < 50_000
    assert json.loads(json.dumps(data_of(page)))["tables"] == []
