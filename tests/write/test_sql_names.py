"""Names from outside can do no harm in SQL and Jinja, and are quoted only where they must be."""

import pytest

from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.write.sql_names import column_sql, comment_text, jinja_text, opens_jinja, type_sql
from tests.write.hostile_names import JINJA, LINES


@pytest.mark.parametrize(
    ("name", "dialect", "sql"),
    [
        ("id", "duckdb", "id"),
        ("createdAt", "duckdb", "createdAt"),
        ("createdAt", "postgres", '"createdAt"'),
        ("createdAt", "snowflake", '"createdAt"'),
        ("CREATED_AT", "snowflake", "CREATED_AT"),
        ("order", "duckdb", '"order"'),
        ("order", "snowflake", '"ORDER"'),
        ("order", "bigquery", "`order`"),
        ("2fa", None, '"2fa"'),
        ("e mail", "databricks", "`e mail`"),
        ('a"b', "postgres", '"a""b"'),
        ("a`b", "clickhouse", "`a``b`"),
        ("a`b", "bigquery", "`a\\`b`"),
        ("a]b c", "tsql", "[a]]b c]"),
        ("名前", "duckdb", '"名前"'),
        ("a; drop table x --", "duckdb", '"a; drop table x --"'),
    ],
)
def test_column_names(name: str, dialect: str | None, sql: str) -> None:
    assert column_sql(name, dialect) == sql


def test_quoted_columns_stay_quoted() -> None:
    assert column_sql("Id", "duckdb", quoted=True) == '"Id"'


@pytest.mark.parametrize("name", ["{{ x }}", "a{% set x %}", "{#", "a\0", "a\n", "a\rb", *JINJA, *LINES])
def test_names_that_no_model_can_hold_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be written in a model"):
        column_sql(name, "duckdb")


@pytest.mark.parametrize(
    ("type_", "sql"),
    [
        ("decimal(10, 2)", "decimal(10, 2)"),
        ("timestamp with time zone", "timestamp with time zone"),
        ("ARRAY<STRUCT<a INT64>>", "ARRAY<STRUCT<a INT64>>"),
        ("int) from x; --", None),
        ("int) as x, (select max(s) from victim) as y, cast(a as int", None),
        ("int, x", None),
        ("int\n", None),
        ("struct<a:int,b:array<string>>", "struct<a:int,b:array<string>>"),
        ("integer[][3]", "integer[][3]"),
        ("map(varchar, row(a int, b decimal(10, 2)))", "map(varchar, row(a int, b decimal(10, 2)))"),
        ("{{ x }}", None),
        ("", None),
        ("i" * 501, None),
    ],
)
def test_types(type_: str, sql: str | None) -> None:
    assert type_sql(type_) == sql


def test_comments_and_strings() -> None:
    assert comment_text("größe {{ x }} {% y %} {z}") == "größe { { x }} { % y %} {z}"
    assert comment_text("a\r\nb\u2028\x85 {{") == "a\\r\\nb\\u2028\\u0085 { {"
    assert not opens_jinja(comment_text("{{{{#{%"))
    assert jinja_text("it's\\\r\n") == "'it\\'s\\\\\\r\\n'"
