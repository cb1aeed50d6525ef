"""Rules about what models want, and about the way from a value to a column."""

from dataclasses import replace
from typing import Any

import pytest

from dbt_schema_embed.check import check
from dbt_schema_embed.check.formats import About, to_text
from dbt_schema_embed.records import Column, MappingFile, MappingRow, Project, Relation

SOURCE = Relation(
    "source.p.ehr.patients", "patients", "source",
    (
        Column("first", "varchar"), Column("last", "varchar"), Column("full", "varchar"),
        Column("born", "varchar", shapes=("9/9/9",)), Column("seen", "bigint"), Column("dob", "varchar"),
    ),
    source_name="ehr", package="p", complete=True,
)  # fmt: skip
MODEL = Relation(
    "model.p.stg", "stg", "model",
    (
        Column("name", "text"), Column("first_name"), Column("last_name"), Column("born_on", "date"),
        Column("seen_at", "timestamp"), Column("birth_date", "date", not_null=True), Column("city"),
    ),
    package="p", complete=True,
)  # fmt: skip


def row(column: str, target: str, status: Any = "accepted", **more: Any) -> MappingRow:
    return MappingRow(column, "stg", target, status=status, line=4, **more)


def said(*rows: MappingRow, model: Relation = MODEL, off: str = "unfed-column", **more: Any) -> str:
    file = MappingFile("m.yml", "ehr.patients", rows, **more)
    severity = {"unmapped-column": "off", off: "off"}
    return to_text(
        check(Project("p", "duckdb", (MODEL if model is None else model, SOURCE)), [file], severity=severity),
        About(files=1),
    )


FINE = (
    row("first", "name", others=("last",), expression="first || ' ' || last"),
    row("full", "first_name", expression="split_part(full, ' ', 1)"),
    row("full", "last_name", expression="split_part(full, ' ', 2)"),
    row("born", "born_on", expression="strptime(born, '%d/%m/%Y')::date"),
    row("seen", "seen_at", expression="to_timestamp(seen)"),
    row("dob", "birth_date"),
)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            (row("born", "born_on"), row("seen", "seen_at")),
            "m.yml:4: warning: 'born' cannot be cast to date: values look like 9/9/9 [lossy-cast]\n"
            "  give the row an expression that reads its values\n"
            "m.yml:4: warning: 'seen' cannot be cast to timestamp: engines read no number as a date [lossy-cast]\n"
            "  give the row an expression that reads its values\n2 warnings in 1 mapping file\n",
        ),
        (
            (row("first", "name", others=("last",)),),
            "m.yml:4: error: first, last feed 'name' together [bad-expression]\n"
            "  say with an expression how they are joined\n1 error in 1 mapping file\n",
        ),
        (
            (row("first", "name", expression="first || other"),),
            "m.yml:4: error: the expression for 'name' takes other, which its row does not name [bad-expression]\n"
            "  mend it\n1 error in 1 mapping file\n",
        ),
        (
            (row("full", "first_name"), row("full", "last_name")),
            "m.yml:4: warning: 'full' is copied whole into 'first_name' and 'last_name' [copied-whole]\n"
            "  give the rows expressions, if each takes a part; else turn this rule off\n1 warning in 1 mapping file\n",
        ),
    ],
)
def test_values_on_their_way(rows: tuple[MappingRow, ...], text: str) -> None:
    assert said(*rows) == text


def test_what_nothing_feeds_and_what_nobody_decided() -> None:
    assert said(*FINE, off="doubtful-types") == (
        "m.yml: warning: nothing feeds 'city' of 'stg' [unfed-column]\n"
        "  map a column to it, or take it out of the plan\n1 warning in 1 mapping file\n"
    )
    first = "nothing feeds 'birth_date' of 'stg', which must not be empty [unfed-column]\n"
    assert f"m.yml: error: {first}" in said(*FINE[:5], off="doubtful-types")
    open_rows = [replace(r, status="suggested") for r in FINE[:5]]
    assert f"m.yml: warning: {first}" in said(*open_rows, off="doubtful-types")  # nobody has accepted anything yet
    assert said(FINE[0], undecided=("dob",)) == "no problems in 1 mapping file\n"
    file = MappingFile("m.yml", "ehr.patients", undecided=("dob", "full"), undecided_line=9)
    found = check(
        Project("p", None, (SOURCE,)), [file], severity={"undecided-columns": "error", "unmapped-column": "off"}
    )
    assert to_text(found, About(files=1)) == (
        "m.yml:9: error: undecided: 'dob', 'full' [undecided-columns]\n"
        "  dbt-schema-embed review --select ehr.patients\n1 error in 1 mapping file\n"
    )


def test_what_is_accepted_and_not_in_the_sql() -> None:
    columns = tuple(replace(c, absent=c.name == "city") for c in MODEL.columns)
    built = replace(MODEL, has_sql=True, columns=columns)
    assert said(row("full", "city"), model=built) == (
        "m.yml:4: warning: the SQL of 'stg' has no column 'city' [not-in-sql]\n"
        "  dbt-schema-embed stage ehr.patients --model stg\n1 warning in 1 mapping file\n"
    )
