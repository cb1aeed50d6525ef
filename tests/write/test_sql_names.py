"""Names from outside can do no harm in SQL and Jinja, and are quoted only where they must be."""

import pytest

from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.write.sql_names import column_sql, comment_text, jinja_text, opens_jinja, type_sql


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


@pytest.mark.parametrize("name", ["{{ x }}", "a{% set x %}", "{#", "a\0"])
def test_names_that_open_jinja_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be written in a model"):
        column_sql(name, "duckdb")


@pytest.mark.parametrize(
    ("type_", "sql"),
    [
        ("decimal(10, 2)", "decimal(10, 2)"),
        ("timestamp with time zone", "timestamp with time zone"),
        ("ARRAY<STRUCT<a INT64>>", "ARRAY<STRUCT<a INT64>>"),
        ("int) from x; --", None),
        ("{{ x }}", None),
        ("", None),
        ("i" * 501, None),
    ],
)
def test_types(type_: str, sql: str | None) -> None:
    assert type_sql(type_) == sql


def test_comments_and_strings() -> None:
    assert comment_text("a\nb {{ x }} {% y %} {z}") == "ab { { x }} { % y %} {z}"
    assert not opens_jinja(comment_text("{{{{#{%"))
    assert jinja_text("it's\\\n") == "'it\\'s\\\\\\n'"
