"""Mapping files as sheets: what comes back is what went out, and what people change becomes decisions or a conflict."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example as such_as
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_schema_embed.decide.rows import decide
from dbt_schema_embed.decide.sheet import HEADER, SheetRow, sheet_decisions, sheet_rows
from dbt_schema_embed.decide.sheet_files import inert, read_sheet, sheet_bytes
from dbt_schema_embed.errors import ConfigError, MissingExtraError
from dbt_schema_embed.files import save_bytes
from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.write.mapping import read_mapping

FILE = """\
version: 1
source: crm.people
columns:
  - {source_column: id, model: stg_people, model_column: person_id, confidence: 0.93, status: suggested, reason: id}
  - {source_column: mail, model: stg_people, model_column: email, status: accepted, note: asked Ana}  # by phone
  - {source_column: first, model: stg_people, model_column: first_name, status: rejected}
  - {source_column: old, model: stg_people, model_column: old_id, status: existing}
  - {source_column: fax, status: accepted}
  - {source_columns: [a, b], model: stg_people, model_column: c, expression: a || b, status: accepted}
  - {source_column: memo, status: suggested, note: who knows}
undecided: [last, memo]
unmapped: [junk]
"""
OPTIONAL = pytest.param(".xlsx", marks=pytest.mark.skipif(not __import__("importlib").util.find_spec("openpyxl"),
                                                         reason="openpyxl is not installed"))  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "crm__people.yml"
    found.write_text(FILE, "utf-8")
    return found


def resolve(model: str, column: str) -> tuple[str, str]:
    if model != "stg_people":
        raise ConfigError(f"the project has no model '{model}'")
    return model, column.lower()


def rows_of(path: Path) -> list[tuple[int, SheetRow]]:
    return list(enumerate(sheet_rows(read_mapping(path, "m.yml"), None), 2))


def taken_over(path: Path, rows: list[tuple[int, SheetRow]]) -> tuple[str, ...]:
    """Decide what ``rows`` say; the problems."""
    read = sheet_decisions(read_mapping(path, "m.yml"), rows, resolve, ("Ana", "2026-05-03"))
    if not read.problems:
        save_bytes(path, decide(path, read.decisions).text.encode())
    return read.problems


def test_every_column_has_a_row(path: Path) -> None:
    rows = [row for _, row in rows_of(path)]
    assert [(r.column, r.pair, r.status, r.note) for r in rows] == [
        ("id", ("stg_people", "person_id"), "suggested", ""),
        ("mail", ("stg_people", "email"), "accepted", "asked Ana"),
        ("first", ("stg_people", "first_name"), "rejected", ""),
        ("old", ("stg_people", "old_id"), "existing", ""),
        ("fax", ("", ""), "accepted", ""),
        ("a\nb", ("stg_people", "c"), "accepted", ""),
        ("memo", ("", ""), "undecided", "who knows"),
        ("last", ("", ""), "undecided", ""),
        ("junk", ("", ""), "nothing", ""),
    ]
    assert (rows[0].confidence, rows[0].reason, rows[5].expression) == ("0.93", "id", "a || b")


def test_what_nobody_changed_changes_nothing(path: Path) -> None:
    rows = rows_of(path)
    assert taken_over(path, rows) == ()
    assert path.read_text("utf-8") == FILE
    decided = path.read_text("utf-8").replace("status: suggested, reason: id", "status: accepted")
    path.write_text(decided, "utf-8")  # decided here, and left alone in the sheet: no conflict
    assert taken_over(path, rows) == ()
    assert path.read_text("utf-8") == decided


@pytest.mark.parametrize(
    ("column", "changes", "found"),
    [
        ("id", {"status": "accepted"}, ("stg_people", "person_id", "accepted", "", "")),
        ("id", {"status": "rejected", "note": "no"}, ("stg_people", "person_id", "rejected", "no", "")),
        ("id", {"status": "nothing"}, ("stg_people", "person_id", "rejected", "", "")),
        ("id", {"note": "=1+1"}, ("stg_people", "person_id", "suggested", "=1+1", "")),
        ("id", {"status": "accepted", "model_column": "KEY"}, ("stg_people", "key", "accepted", "", "")),
        ("id", {"status": "accepted", "expression": "id + 1"}, ("stg_people", "person_id", "accepted", "", "id + 1")),
        ("mail", {"model_column": "mail"}, ("stg_people", "mail", "accepted", "asked Ana", "")),
        ("mail", {"status": "suggested"}, ("stg_people", "email", "suggested", "asked Ana", "")),
        ("mail", {"note": ""}, ("stg_people", "email", "accepted", "", "")),
        ("first", {"status": "accepted"}, ("stg_people", "first_name", "accepted", "", "")),
        ("old", {"status": "accepted"}, ("stg_people", "old_id", "accepted", "", "")),
        ("a\nb", {"expression": "b || a"}, ("stg_people", "c", "accepted", "", "b || a")),
        ("last", {"status": "accepted", "model": "stg_people", "model_column": "last_name"},
         ("stg_people", "last_name", "accepted", "", "")),
        ("last", {"status": "nothing"}, (None, None, "accepted", "", "")),
        ("junk", {"note": "ask"}, (None, None, "suggested", "ask", "")),
        ("memo", {"status": "accepted"}, (None, None, "accepted", "who knows", "")),
    ],
)  # fmt: skip
def test_a_change_becomes_a_decision_about_that_row_alone(
    path: Path, column: str, changes: dict[str, str], found: tuple[str | None, ...]
) -> None:
    rows = [(n, replace(row, **changes) if row.column == column else row) for n, row in rows_of(path)]
    assert taken_over(path, rows) == ()
    first = column.partition("\n")[0]
    others = [line for line in FILE.splitlines() if first not in line.replace(",", " ").replace("[", " ").split()]
    now = path.read_text("utf-8")
    (row,) = [r for r in read_mapping(path, "m.yml").columns if r.source_column == first]
    assert (*row.pair, row.status, row.note, row.expression) == found
    assert (row.decided_by == "Ana") == (row.status in ("accepted", "rejected") and [*changes] != ["note"])
    assert [line for line in others if line not in now and not line.startswith(("undecided", "unmapped"))] == []
    assert taken_over(path, rows) == ()  # a second time there is nothing to do
    assert path.read_text("utf-8") == now


@pytest.mark.parametrize(
    ("column", "changes", "said"),
    [
        ("id", {"status": "acepted"}, "row 2, crm.people.id: status is 'acepted': did you mean accepted?"),
        ("id", {"model_column": "key"}, "row 2, crm.people.id: another answer is a decision: write accepted under "
         "status"),
        ("id", {"model": ""}, "row 2, crm.people.id: model and model_column stand together or not at all"),
        ("id", {"status": "accepted", "model": "nope"}, "row 2, crm.people.id: the project has no model 'nope'"),
        ("id", {"status": "accepted", "model": "", "model_column": ""}, "row 2, crm.people.id: that it feeds nothing "
         "is a rejection of the answer: write rejected under status"),
        ("junk", {"status": "rejected"}, "row 10, crm.people.junk: nothing cannot become rejected: accept it, reject "
         "it or leave it"),
        ("junk", {"status": "existing", "mark": ""}, "row 10, crm.people.junk: a row that is added is an answer: write "
         "accepted under status"),
        ("id", {"mark": "m0", "status": "accepted"}, "row 2, crm.people.id: the mapping file says something else than "
         "at the export: export again, and make the change there"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_over_is_told_and_nothing_is(
    path: Path, column: str, changes: dict[str, str], said: str
) -> None:
    rows = [(n, replace(row, **changes) if row.column == column else row) for n, row in rows_of(path)]
    rows[1] = (3, replace(rows[1][1], note="something else"))
    assert taken_over(path, rows) == (said,)
    assert path.read_text("utf-8") == FILE


def test_a_row_that_is_added_is_one_answer_more(path: Path) -> None:
    rows = rows_of(path)
    copy = replace(rows[1][1], model_column="login")  # a copy of the row of mail, its mark and all
    assert taken_over(path, [*rows, (99, copy), (100, replace(copy, model_column="key", mark=""))]) == ()
    mail = [row for row in read_mapping(path, "m.yml").columns if row.source_column == "mail"]
    assert [(row.model_column, row.status) for row in mail] == [
        ("email", "accepted"), ("login", "accepted"), ("key", "accepted"),
    ]  # fmt: skip


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=40)


@pytest.mark.parametrize("suffix", [".csv", OPTIONAL])
@given(cells=st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=4))
@such_as(cells=[("=cmd|' /C calc'!A0", "+1", "-1"), ("@SUM(1)", "\t=1", "'quoted'"), ("''", "'=1", "2024-01-01")])
@settings(max_examples=25, deadline=None)
def test_cells_come_back_as_they_went_and_none_is_a_formula(
    suffix: str, cells: list[tuple[str, str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    empty = dict.fromkeys(HEADER, "")
    rows = [
        SheetRow(**{**empty, "source": "a.b", "column": a, "expression": b, "note": c, "status": "accepted"})
        for a, b, c in cells
    ]
    path = tmp_path_factory.mktemp("sheet") / f"s{suffix}"
    path.write_bytes(sheet_bytes(rows, [], suffix))
    assert read_sheet(path) == rows
    assert not any(inert(text).startswith(("=", "+", "-", "@", "\t")) for row in cells for text in row)


def test_a_csv_of_another_spreadsheet_is_read(tmp_path: Path, path: Path) -> None:
    rows = [row for _, row in rows_of(path)]
    table = list(csv.reader(io.StringIO(sheet_bytes(rows, [], ".csv").decode("utf-8-sig"), newline="")))
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=";").writerows([*table, [""] * len(HEADER)])
    (tmp_path / "s.csv").write_text(stream.getvalue(), "utf-8", newline="")
    assert read_sheet(tmp_path / "s.csv") == rows


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.csv", None, "cannot be read"),
        ("x.csv", b"\xff\xfe", "is not UTF-8"),
        ("x.csv", b"a,b\n1,2\n", "has no column 'source'"),
        ("x.csv", b"", "has no column 'source'"),
        ("x.xlsx", b"PK\x03\x04 no", "is no XLSX that can be read"),
    ],
)
def test_what_is_no_sheet_is_said(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    if name.endswith("xlsx"):
        pytest.importorskip("openpyxl")
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        read_sheet(tmp_path / name)


def test_a_formula_that_somebody_wrote_is_no_text(tmp_path: Path, path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    file = tmp_path / "s.xlsx"
    file.write_bytes(sheet_bytes([row for _, row in rows_of(path)], [("model",)], ".xlsx"))
    book = openpyxl.load_workbook(file)
    assert book.sheetnames == ["mappings", "targets"]
    book["mappings"]["I3"] = "=A1"
    book.save(file)
    with pytest.raises(ConfigError, match="a cell of row 3 is a formula"):
        read_sheet(file)


def test_without_openpyxl_csv_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    assert sheet_bytes([], [], ".csv").startswith(b"\xef\xbb\xbfsource,column,")
    with pytest.raises(MissingExtraError, match=r"dbt-schema-embed\[xlsx\]"):
        sheet_bytes([], [], ".xlsx")


def edited(path: Path, change: Callable[[dict[str, str]], None]) -> None:
    """Change rows of the CSV at ``path``, as a spreadsheet would."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        change(row)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows(rows)


def test_a_project_goes_out_and_comes_in(engine: SchemaEmbed, shop: Path, tmp_path: Path) -> None:
    engine.suggest(shop, write=True)
    before = {p.name: p.read_bytes() for p in (shop / "schema_mappings").iterdir()}
    sheet = tmp_path / "all.csv"
    assert engine.decisions.export(sheet, shop) > 100
    found = engine.decisions.import_(sheet, shop)
    assert (found.files, found.decisions, found.problems) == ((), 0, ())
    assert before == {p.name: p.read_bytes() for p in (shop / "schema_mappings").iterdir()}

    def accept(row: dict[str, str]) -> None:
        if row["status"] == "suggested":
            row["status"] = "accepted"

    edited(sheet, accept)
    dry = engine.decisions.import_(sheet, shop, dry_run=True)
    assert (dry.files, dry.decisions > 5, "+    status: accepted" in dry.diff) == ((), True, True)
    assert before == {p.name: p.read_bytes() for p in (shop / "schema_mappings").iterdir()}
    found = engine.decisions.import_(sheet, shop)
    assert found.decisions == dry.decisions
    assert "from all.csv" in (shop / "schema_mappings" / "stripe__charges.yml").read_text("utf-8")
    assert engine.decisions.import_(sheet, shop).files == ()  # the same sheet again


def test_one_conflict_keeps_all_files_as_they_are(engine: SchemaEmbed, shop: Path, tmp_path: Path) -> None:
    engine.suggest(shop, write=True)
    sheet = tmp_path / "all.csv"
    engine.decisions.export(sheet, shop)
    engine.accept("stripe.charges", ["amount"], shop)
    before = {p.name: p.read_bytes() for p in (shop / "schema_mappings").iterdir()}

    def reject(row: dict[str, str]) -> None:
        if row["status"] == "suggested":
            row["status"] = "rejected"

    edited(sheet, reject)
    found = engine.decisions.import_(sheet, shop)
    assert (found.files, found.decisions, len(found.problems)) == ((), 0, 1)
    assert "stripe.charges.amount: the mapping file says something else" in found.problems[0]
    assert before == {p.name: p.read_bytes() for p in (shop / "schema_mappings").iterdir()}
    with pytest.raises(ConfigError, match=r"neither \.csv nor \.xlsx"):
        engine.decisions.export(tmp_path / "x.ods", shop)
