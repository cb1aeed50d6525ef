"""What people may write as an expression."""

import pytest

from dbt_schema_embed.expressions import expression_problem


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("first || ' ' || LAST", ""),
        ("coalesce(nullif(first, ''), last)", ""),
        ("case when first is null then last else first end", ""),
        ("first", "does not take last, which its row names"),
        ("first || last || middle", "takes middle, which its row does not name"),
        ("first || (select last from x)", "must be one SQL expression, without queries and *"),
        ("first, last", "must be one SQL expression"),
        ("first as a, last", "must be one SQL expression"),
        ("first || last from users", "must be one SQL expression"),
        ("first || last -- why", "holds a comment: notes have a key of their own"),
        ("first || {{ last }}", "opens Jinja: mapping files hold SQL"),
        ("first || last as x; select 1", "must be one SQL expression"),
        ("(" * 41 + "first" + ")" * 41, "nests deeper than 40 brackets"),
        ("first" * 500, "is longer than 2,000 characters"),
    ],
)
def test_expressions(expression: str, problem: str) -> None:
    assert expression_problem(expression, ("first", "last"), "duckdb") == problem


def test_what_is_no_sql() -> None:
    assert expression_problem("first ||", ("first",), "duckdb").startswith("is no SQL expression: ")
    assert expression_problem("concat(first", ("first",), None).startswith("is no SQL expression: ")
