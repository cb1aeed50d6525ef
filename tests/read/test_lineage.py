"""read_sql: what SQL text, parents and tables together tell."""

import pytest

from tests.read.sql_cases import SqlCase, cases, told

FILES = ("kinds.sql", "stars.sql", "queries.sql", "dialects.sql", "jinja.sql")
ALL = [pytest.param(case, id=f"{name}: {case.title}") for name in FILES for case in cases(name)]


@pytest.mark.parametrize("case", ALL)
def test_a_query_and_what_its_columns_descend_from(case: SqlCase) -> None:
    facts = case.read()
    assert facts.warnings == ()
    assert told(facts) == case.expected
