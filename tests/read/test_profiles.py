"""Profiles: events in dbt's log, the file they are kept in, what they add to a project."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.errors import ArtifactError
from dbt_schema_embed.read.profiles import (
    SURE_ROWS,
    ColumnProfile,
    Missing,
    Started,
    TableProfile,
    profiles_text,
    read_line,
    read_profiles,
    with_profiles,
    without_values,
)
from dbt_schema_embed.records import Column, Project, Relation

COLUMN = {
    "name": "ID", "type": "VARCHAR", "filled": 30, "distinct": 30, "min": None, "max": None, "min_length": 1,
    "max_length": 2, "mean_length": 1.5, "patterns": [["9", 30]], "top_values": [["1", 1], [None, 3]],
}  # fmt: skip
TABLE = {"relation": '"a"."b"', "row_count": 30, "rows_profiled": 30, "columns": [COLUMN]}


def line(event: str, table: str = "source.a.b.c", level: str = "info", **facts: Any) -> str:
    payload = json.dumps({"schema_version": 1, "event": event, "table": table, **facts}).replace("<", "\\u003c")
    return json.dumps({"info": {"msg": f"<schema_embed>{payload}</schema_embed>", "level": level}})


def test_events_are_read_from_the_log() -> None:
    assert read_line(line("start")) == ([Started("source.a.b.c")], "")
    assert read_line(line("missing", relation="x")) == ([Missing("source.a.b.c")], "")
    (found,), _ = read_line(line("profile", **TABLE))
    assert found == TableProfile(
        "source.a.b.c", 30, 30,
        (ColumnProfile("ID", "VARCHAR", 30, 30, (("9", 30),), (("1", 1), (None, 3))),),
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "", "Running with dbt=1.11", "{", "[]", "null", '{"info": {}}',
        '{"info": {"msg": "<schema_embed>{</schema_embed>"}}',
        line("other"), line("start").replace('\\"schema_version\\": 1', '\\"schema_version\\": 2'),
        line("profile", rows_profiled="many"), "[" * 100_000,
    ],
)  # fmt: skip
def test_other_lines_are_passed_over(text: str) -> None:
    assert read_line(text) == ([], "")


def test_a_value_cannot_end_the_frame() -> None:
    column = COLUMN | {"top_values": [["</schema_embed>", 1]]}
    (found,), _ = read_line(line("profile", **TABLE | {"columns": [column]}))
    assert isinstance(found, TableProfile)
    assert found.columns[0].top_values == (("</schema_embed>", 1),)


def test_errors_are_handed_on() -> None:
    text = json.dumps({"info": {"msg": "Runtime Error\n  no such table", "level": "error"}})
    assert read_line(text) == ([], "Runtime Error\n  no such table")


@given(st.text())
def test_no_line_is_an_error(text: str) -> None:
    read_line(text)


def test_profiles_are_kept_in_a_file(tmp_path: Path) -> None:
    (found,), _ = read_line(line("profile", **TABLE))
    assert isinstance(found, TableProfile)
    path = tmp_path / "profile.json"
    assert read_profiles(path) == {}
    path.write_text(profiles_text({"b": found, "a": without_values(found)}))
    again = read_profiles(path)
    assert list(again) == ["a", "b"]
    assert again == {"a": without_values(found), "b": found}
    assert again["a"].columns[0].top_values == ()
    assert profiles_text(again) == path.read_text()


@pytest.mark.parametrize(
    "text", ["", "[]", '{"schema_version": 2}', '{"schema_version": 1, "tables": {"a": {}}}', "[" * 9999]
)
def test_a_damaged_file_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "profile.json").write_text(text)
    with pytest.raises(ArtifactError) as caught:
        read_profiles(tmp_path / "profile.json")
    assert caught.value.hint == "remove it, or run: dbt-schema-embed profile"


def profiled(*columns: Column, rows: int = 30, in_catalog: bool = False, **facts: Any) -> tuple[Column, ...]:
    (found,), _ = read_line(line("profile", **TABLE | {"rows_profiled": rows, "columns": [COLUMN | facts]}))
    assert isinstance(found, TableProfile)
    relation = Relation("source.a.b.c", "c", "source", columns, in_catalog=in_catalog)
    project = Project("a", None, (relation, Relation("source.a.b.d", "d", "source")))
    told = with_profiles(project, {"source.a.b.c": found, "source.a.b.gone": found})
    assert told.relations[1] == project.relations[1]
    return told.relations[0].columns


def test_a_table_that_nobody_lists_columns_of_gets_them() -> None:
    assert profiled() == (Column("ID", "VARCHAR", unique=True, values=("1",), value_count=30, shapes=("9",)),)


def test_what_is_declared_stays() -> None:
    (column, other) = profiled(
        Column("id", "text", "A key.", values=("x",), value_count=9), Column("other", position=1)
    )
    assert column == Column("id", "text", "A key.", unique=True, values=("x", "1"), value_count=30, shapes=("9",))
    assert other == Column("other", position=1)


@pytest.mark.parametrize(("in_catalog", "names"), [(False, ["other", "ID"]), (True, ["other"])])
def test_a_table_that_nobody_lists_all_columns_of_gets_the_rest(in_catalog: bool, names: list[str]) -> None:
    columns = profiled(Column("other"), in_catalog=in_catalog)
    assert [c.name for c in columns] == names
    assert [c.position for c in columns] == list(range(len(names)))


@pytest.mark.parametrize(
    ("rows", "facts", "unique"),
    [
        (30, {}, True),
        (30, {"type": "bigint"}, True),
        (30, {"type": "timestamp"}, False),
        (30, {"type": "decimal(10,2)"}, False),
        (30, {"distinct": 29}, False),
        (30, {"filled": 29, "distinct": 29}, False),
        (SURE_ROWS - 1, {"filled": SURE_ROWS - 1, "distinct": SURE_ROWS - 1}, False),
        (30, {"distinct": None}, False),
    ],
)
def test_keys_are_seen_in_enough_rows(rows: int, facts: dict[str, Any], unique: bool) -> None:
    (column,) = profiled(rows=rows, **facts)
    assert (column.unique, column.not_null) == (unique, False)


def test_statistics_alone_bring_no_values() -> None:
    (column,) = profiled(Column("id"), top_values=[])
    assert (column.values, column.value_count) == ((), 0)


def test_values_are_in_no_repr() -> None:
    (found,), _ = read_line(line("profile", **TABLE | {"columns": [COLUMN | {"top_values": [["hunter2", 1]]}]}))
    assert "hunter2" not in repr(found)
