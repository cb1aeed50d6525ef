"""DDL: each file of fixtures/read/ddl holds SQL, and below it, in comments, the tables it must give."""

import logging
from pathlib import Path

import pytest

from dbt_schema_embed.errors import ArtifactError, ConfigError
from dbt_schema_embed.records import Column, Relation
from dbt_schema_embed.tables import read_relation, read_relations
from dbt_schema_embed.tables.ddl_split import defining_statements

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "read" / "ddl"


def told(column: Column, with_type: bool) -> str:
    words = [column.name, (column.type or "") if with_type else ""]
    words += ["unique"] * column.unique + ["not_null"] * column.not_null
    words += ["in", *column.accepted_values] if column.accepted_values else []
    words += ["->", column.references] if column.references else []
    return "  " + " ".join(word for word in words if word) + (f": {column.description}" if column.description else "")


def shown(relation: Relation, with_types: bool) -> list[str]:
    schema = f" ({relation.schema})" if relation.schema else ""
    head = f"{relation.id}{schema}" + (f": {relation.description}" if relation.description else "")
    return [head, *(told(column, with_types) for column in relation.columns)]


@pytest.mark.parametrize("name", [path.stem for path in sorted(FIXTURES.glob("*.sql"))])
def test_the_tables_of_a_file(name: str, caplog: pytest.LogCaptureFixture) -> None:
    path = FIXTURES / f"{name}.sql"
    lines = path.read_text("utf-8").splitlines()
    dialect = lines[0].removeprefix("-- dialect: ") if lines[0].startswith("-- dialect: ") else None
    expected = [line.removeprefix("-- ") for line in lines[lines.index("-- expected:") + 1 :]]
    with caplog.at_level(logging.DEBUG, "sqlglot"):
        relations = read_relations(path, dialect=dialect)
    assert [line for relation in relations for line in shown(relation, dialect is not None)] == expected
    assert {r.kind for r in relations} == {"table"}
    assert caplog.records == []
    if dialect:  # unsaid, the dialect is found, and names, keys and comments are the same
        guessed = read_relations(path)
        assert [line for r in guessed for line in shown(r, False)] == [
            line for r in relations for line in shown(r, False)
        ]


def test_one_of_several_tables_is_chosen_by_name() -> None:
    path = FIXTURES / "tsql.sql"
    assert read_relation(path, table="customers").id == "Customers"
    assert read_relation(path, table="sales.orders").schema == "sales"
    assert read_relation(FIXTURES / "mysql.sql").name == "orders"
    with pytest.raises(ConfigError) as caught:
        read_relation(path)
    assert str(caught.value) == f"{path} creates 3 tables: Customers, dbo.Orders, sales.Orders\n  say which one"
    with pytest.raises(ConfigError) as caught:
        read_relation(path, table="nobody")
    assert str(caught.value) == (f"{path} creates no table 'nobody'\n  it creates: Customers, dbo.Orders, sales.Orders")


@pytest.mark.parametrize(
    ("sql", "dialect", "message"),
    [
        ("", None, "FILE creates no table with columns\n  give a file with CREATE TABLE statements"),
        ("select 1", None, "FILE creates no table with columns\n  give a file with CREATE TABLE statements"),
        (
            "create table t (like other)",
            None,
            "FILE creates no table with columns\n  give a file with CREATE TABLE statements",
        ),
        (
            "\n\ncreate table t (a int,, b int",
            "postgres",
            "FILE: the statement in line 3 cannot be read as SQL: Expecting )\n  is --dialect the right one?",
        ),
        (
            "select 1;\ncreate table t (a int,, b int",
            None,
            "FILE: the statement in line 2 cannot be read as SQL: Expecting )\n  say which SQL it is with --dialect",
        ),
        (
            "create table t (a int check (" + "(" * 101 + ")" * 101 + "))",
            None,
            "FILE: the statement in line 1 nests brackets deeper than 100 levels",
        ),
        (
            "create table t (a int -- " + "x" * 1_000_000 + "\n)",
            None,
            "FILE: the statement in line 1 is longer than 1,000,000 characters",
        ),
        ("-- " + "x" * (5 * 2**20), None, "the SQL file FILE has 5,242,883 bytes, more than 5,242,880 are not read"),
        ("create table t (a\0 int)", None, "FILE is not text\n  give a CSV, a Parquet (.parquet) or a DDL (.sql) file"),
    ],
)
def test_what_cannot_be_read_is_said(sql: str, dialect: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "t.sql"
    path.write_text(sql, "utf-8")
    with pytest.raises(ArtifactError) as caught:
        read_relation(path, dialect=dialect)
    assert str(caught.value) == message.replace("FILE", str(path))


def test_an_unknown_dialect_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown SQL dialect 'cobol'"):
        read_relation(tmp_path / "t.sql", dialect="cobol")


@pytest.mark.parametrize(
    "text",
    [
        "/*" * 200_000,
        "'" * 400_001,
        "$a$" * 200_001,
        '"' * 400_001,
        "(" * 400_000,
        "\n" * 1_000_000,
        "create " * 200_000,
    ],
)
def test_splitting_takes_time_in_proportion(text: str) -> None:
    assert list(defining_statements(text, "t.sql", backslash=False)) == []


def test_nesting_that_is_allowed_is_parsed_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.sql"
    deep = "array<" * 60 + "int" + ">" * 60
    path.write_text(f"create table t (a {deep}, b int check ({'(' * 90}1{')' * 90} = 1))", "utf-8")
    try:
        assert len(read_relation(path, dialect="spark").columns) == 2
    except ArtifactError as problem:
        assert "cannot be read as SQL" in problem.message  # noqa: PT017  either is right: the stack may be deep already
