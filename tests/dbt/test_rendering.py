"""What the macros render for each engine parses in that engine's own dialect, and uses what the engine has."""

from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from dbt_schema_embed.casts import cast_type
from tests.dbt.rendering import TYPES, Attributes, FakeColumn, FakeRelation, Macros

ENGINES = sorted(TYPES)
RELATIONS = {
    "bigquery": "`project`.`raw_stripe`.`charges`",
    "databricks": "`main`.`raw_stripe`.`charges`",
}
COLUMNS = [
    FakeColumn("id", "varchar(256)"),
    FakeColumn("amount", "numeric(38,0)"),
    FakeColumn("E Mail", "text"),
    FakeColumn("order", "timestamp"),
    FakeColumn("payload", "json"),
]


def statement(root: Path, engine: str, **overrides: Any) -> str:
    macros = Macros(root / "macros", engine)
    relation = FakeRelation(RELATIONS.get(engine, '"shop"."raw_stripe"."charges"'), overrides.pop("is_table", True))
    options = {"row_limit": 1000, "top_values": 20, "include_values": True} | overrides
    sql: str = macros.schema_embed_profile_sql(relation, COLUMNS, **options)
    return sql


@pytest.mark.parametrize("include_values", [True, False])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_profile_is_one_statement_in_the_engines_dialect(root: Path, engine: str, include_values: bool) -> None:
    parsed = sqlglot.parse(statement(root, engine, include_values=include_values), dialect=engine)
    assert len(parsed) == 1
    assert isinstance(parsed[0], exp.Union)
    facts = {literal.this for literal in parsed[0].find_all(exp.Literal) if literal.is_string}
    assert facts & {"table", "column", "shape", "value"} == {"table", "column", "shape"} | (
        {"value"} if include_values else set()
    )
    names = {column.name for column in parsed[0].find_all(exp.Column)}
    assert {"id", "amount", "E Mail", "order", "payload"} <= names


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        ("duckdb", "using sample reservoir(1000 rows) repeatable (42)"),
        ("postgres", "tablesample system (("),
        ("redshift", "limit 1000"),
        ("snowflake", "sample (1000 rows)"),
        ("bigquery", "limit 1000"),
        ("databricks", "limit 1000"),
    ],
)
def test_each_engine_samples_in_its_own_way(root: Path, engine: str, expected: str) -> None:
    assert expected in statement(root, engine)


def test_postgres_samples_no_view(root: Path) -> None:
    assert "tablesample" not in statement(root, "postgres", is_table=False)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("name", "quote", "expected"),
    [
        ("amount", None, "amount"),
        ("createdAt", None, "createdAt"),
        ("createdAt", True, "<createdAt>"),
        ("E Mail", None, "<E Mail>"),
        ("2fa", None, "<2fa>"),
        ("größe", None, "<größe>"),
        ("_fivetran_synced", None, "_fivetran_synced"),
    ],
)
def test_a_name_is_quoted_where_it_must_be(
    root: Path, engine: str, name: str, quote: bool | None, expected: str
) -> None:
    mark = "`" if engine in ("bigquery", "databricks") else '"'
    found = Macros(root / "macros", engine).schema_embed_quote(name, quote)
    assert found == expected.replace("<", mark).replace(">", mark)


@pytest.mark.parametrize(("engine", "expected"), [("snowflake", '"ORDER"'), ("postgres", '"order"')])
def test_a_reserved_word_is_quoted_as_the_engine_spells_it(root: Path, engine: str, expected: str) -> None:
    assert Macros(root / "macros", engine).schema_embed_quote("Order") == expected


def test_a_quote_in_a_name_cannot_end_the_name(root: Path) -> None:
    assert Macros(root / "macros", "duckdb").schema_embed_quote('x" as y, 1 as "z') == '"x"" as y, 1 as ""z"'


@pytest.mark.parametrize(
    ("source_type", "model_type", "expected"),
    [
        ("character varying(256)", "varchar", None),
        ("TEXT", "string", None),
        ("NUMBER(38,0)", "decimal(38, 0)", None),
        ("decimal(10,2)", "decimal(16, 2)", "decimal(16, 2)"),
        ("timestamp without time zone", "timestamp", None),
        ("timestamp with time zone", "timestamp", "timestamp"),
        ("int8", "bigint", None),
        ("integer", "bigint", "bigint"),
        ("date", "timestamp", "timestamp"),
        ("varchar", None, None),
        (None, "date", "date"),
    ],
)
def test_a_cast_is_written_where_types_differ(
    root: Path, source_type: str | None, model_type: str | None, expected: str | None
) -> None:
    assert Macros(root / "macros", "duckdb").schema_embed_cast_type(source_type, model_type) == expected


@pytest.mark.parametrize(
    ("data_type", "kind"),
    [
        ("NUMBER(38,0)", "number"),
        ("int4", "number"),
        ("double precision", "number"),
        ("FLOAT64", "number"),
        ("interval", "text"),
        ("integer[]", "opaque"),
        ("STRUCT<a INT64>", "opaque"),
        ("VARIANT", "opaque"),
        ("timestamp", "text"),
        ("boolean", "text"),
        ("uuid", "text"),
    ],
)
def test_a_type_says_what_can_be_said_of_its_values(root: Path, data_type: str, kind: str) -> None:
    assert Macros(root / "macros", "duckdb").schema_embed_type_kind(data_type) == kind


MAPPED = {"schema_embed": {"model": "stg", "column": "a"}}
QUALIFIED = {"schema_embed": {"model": "p.stg", "column": "a"}}
SEVERAL = {"schema_embed": [{"model": "stg", "column": "a"}, {"model": "other", "column": "b", "type": "date"}]}


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ({"config": {"meta": MAPPED}}, [("stg", "a", "int")]),
        ({"meta": MAPPED}, [("stg", "a", "int")]),  # dbt before 1.10
        ({"config": {"meta": SEVERAL}}, [("stg", "a", "int"), ("other", "b", "date")]),
        ({"config": {"meta": QUALIFIED}}, [("p.stg", "a", "int")]),
        ({"config": {"meta": {"owner": "me"}}}, []),
        ({"config": {}}, []),
        ({}, []),
    ],
)
def test_mappings_are_read_from_meta(
    root: Path, column: dict[str, Any], expected: list[tuple[str, str, str | None]]
) -> None:
    stg = {"name": "stg", "resource_type": "model", "columns": {"a": {"name": "A", "data_type": "int"}}}
    graph = {"nodes": {"model.p.stg": Attributes(stg)}, "sources": {}}
    macros = Macros(root / "macros", "duckdb", graph=Attributes(graph), project_name="p")
    node = Attributes({"config": {}, "columns": {"x": Attributes({"name": "x"} | column)}})
    found = macros.schema_embed_mapped(node)
    assert [(m["model"], m["column"], m["type"] or m["model_type"]) for m in found] == expected
    for name in ("stg", "p.stg"):
        assert [m["column"] for m in macros.schema_embed_mapped(node, name)] == ["a"] * bool(expected)
    assert macros.schema_embed_mapped(node, "third") == []


def test_a_tables_own_meta_is_not_its_columns(root: Path) -> None:
    """dbt 2 hands a column without meta that of its table."""
    macros = Macros(root / "macros", "duckdb", graph=Attributes({"nodes": {}, "sources": {}}), project_name="p")
    node = Attributes(
        {"config": {"meta": MAPPED}, "columns": {"x": Attributes({"name": "x", "config": {"meta": MAPPED}})}}
    )
    assert macros.schema_embed_mapped(node) == []


def test_stage_and_the_macros_cast_alike(root: Path) -> None:
    macros = Macros(root / "macros", "duckdb")
    types = [
        None, "integer", "INT4", "bigint", "numeric", "decimal(8,0)", "NUMERIC(10, 2)", "number(38,0)",
        "double precision", "float64", "varchar", "character varying(20)", "text", "boolean", "bool", "date",
        "timestamp", "datetime",
        "timestamp with time zone", "timestamp(3)", "time", "json", "varchar[]", "uuid", "weird",
    ]  # fmt: skip
    for source in types:
        for target in types:
            assert macros.schema_embed_cast_type(source, target) == cast_type(source, target), (source, target)


def test_an_item_is_what_the_mapping_says(root: Path) -> None:
    macros = Macros(root / "macros", "duckdb")
    row = Attributes(source_column="a", column="b", quote=None, source_type="varchar", model_type="date")
    for more, item in (
        ({}, "cast(a as date) as b"),
        ({"not_cast": "values look like 9/9/9"}, "a as b"),
        ({"type": "timestamp"}, "cast(a as timestamp) as b"),
        ({"expression": "strptime(a, '%d/%m/%Y')::date"}, "strptime(a, '%d/%m/%Y')::date as b"),
    ):
        said = {"type": None, "not_cast": None, "expression": None} | more
        assert macros.schema_embed_item(Attributes(row | said)) == item
