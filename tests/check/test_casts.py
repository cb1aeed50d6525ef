"""The table of casts has an answer for every pair of families."""

import pytest

from dbt_schema_embed.check.casts import Fit, fit
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
