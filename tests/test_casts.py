"""The table of casts has an answer for every pair of families."""

import pytest

from dbt_schema_embed.casts import Fit, cast_problem, cast_type, fit
from dbt_schema_embed.types import FAMILIES, TypeFamily


def test_every_pair_has_an_answer() -> None:
    for source in FAMILIES:
        assert fit(source, source) == fit(source, "text") == "fits"
        assert {fit(source, target) for target in FAMILIES} <= {"fits", "doubtful", "impossible"}
        assert fit("text", source) != "impossible"


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("integer", "decimal", "fits"),
        ("decimal", "integer", "doubtful"),
        ("date", "timestamp", "fits"),
        ("timestamp", "date", "doubtful"),
        ("boolean", "timestamp", "impossible"),
        ("integer", "boolean", "fits"),
        ("integer", "timestamp", "doubtful"),
        ("timestamp", "integer", "impossible"),
        ("json", "uuid", "doubtful"),
        ("uuid", "integer", "impossible"),
    ],
)
def test_casts(source: TypeFamily, target: TypeFamily, expected: Fit) -> None:
    assert fit(source, target) == expected


@pytest.mark.parametrize(
    ("source", "target", "exact", "cast"),
    [
        ("integer", "bigint", False, "bigint"),
        ("DECIMAL(8,0)", "integer", False, "integer"),
        ("varchar(20)", "text", False, None),
        ("varchar(20)", "text", True, "text"),
        ("NUMERIC(10, 2)", "numeric(10,2)", True, None),
        ("varchar", "timestamp", False, "timestamp"),
        (None, "timestamp", False, "timestamp"),
        ("varchar", None, True, None),
        ("weird", "date", False, "date"),
    ],
)
def test_when_a_cast_is_needed(source: str | None, target: str | None, exact: bool, cast: str | None) -> None:
    assert cast_type(source, target, exact=exact) == cast


@pytest.mark.parametrize(
    ("source", "target", "shapes", "problem"),
    [
        ("varchar", "timestamp", ("9-9-9 9:9:9", "9-9-9a9:9:9.9a"), ""),
        ("varchar", "timestamp", ("9-9-9", "9/9/9"), "values look like 9/9/9"),
        ("varchar", "timestamp", ("9-9-9", "  "), "some values are empty text"),
        ("varchar", "decimal(10,2)", ("9.9", "-9"), ""),
        ("varchar", "decimal(10,2)", ("$9,9.9",), "values look like $9,9.9"),
        ("varchar", "integer", ("9.9",), "values look like 9.9"),
        ("varchar", "date", ("a\u00fca",), "some values are no date"),
        ("varchar", "timestamp", (), ""),
        ("varchar", "text", ("$",), ""),
        ("varchar", "json", ("$",), ""),
        ("bigint", "timestamp", (), "engines read no number as a date"),
        ("timestamp", "integer", (), "no cast leads from timestamp to integer"),
        ("integer", "weird", (), ""),
    ],
)
def test_casts_that_values_do_not_survive(source: str, target: str, shapes: tuple[str, ...], problem: str) -> None:
    assert cast_problem(source, target, shapes) == problem
