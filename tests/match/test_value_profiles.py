"""Sample values in numbers."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.match.value_profiles import KINDS, Profile, profile, profiles
from dbt_schema_embed.records import Column


def of(*values: str, count: int = 0) -> Profile:
    found = profile(Column("c", values=values, value_count=count))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("12", "integer"), ("-3", "integer"), ("1.5", "number"), ("€ 1,200.50", "number"), ("12 %", "number"),
        ("1e6", "number"), (".5", "number"), ("2024-01-31", "date"), ("31.01.2024", "date"), ("1/2/24 10:00", "date"),
        ("TRUE", "boolean"), ("n", "boolean"), ("12a", "text"), ("paid", "text"), ("2024-01", "text"),
    ],
)  # fmt: skip
def test_what_a_value_is(value: str, kind: str) -> None:
    assert dict(zip(KINDS, of(value).kinds.tolist(), strict=True)) == {k: float(k == kind) for k in KINDS}


@given(st.lists(st.text(min_size=1, max_size=20).filter(str.strip), min_size=1, max_size=30), st.randoms())
def test_shares_are_shares_and_the_order_of_values_does_not_matter(values: list[str], chance: random.Random) -> None:
    found = of(*values)
    mixed = of(*chance.sample(values, len(values)))
    assert found.kinds.sum() == pytest.approx(1)
    assert np.linalg.norm(found.grams) == pytest.approx(1)
    assert 0 < found.uniqueness <= 1
    assert (found.distinct, found.length) == (mixed.distinct, pytest.approx(mixed.length))
    assert found.grams == pytest.approx(mixed.grams, abs=1e-5)


@given(st.lists(st.integers(-(10**20), 10**20), min_size=1, max_size=30))
def test_quantiles_rise_and_are_those_of_numbers_only(numbers: list[int]) -> None:
    quantiles = of(*map(str, numbers)).quantiles
    assert quantiles is not None
    assert (np.diff(quantiles) >= 0).all()
    assert np.sign(quantiles[-1]) == np.sign(max(numbers))
    assert of(*map(str, numbers), *["a"] * len(numbers)).quantiles is None


def test_repeated_values_and_columns_without_any() -> None:
    assert of("a", "b", count=8).uniqueness == 0.25
    assert profile(Column("c", values=(" ", ""))) is None
    columns = [Column("a"), Column("b", values=("1",)), Column("c", accepted_values=("x",)), Column("d", values=("",))]
    assert [place for place, _ in profiles(columns)] == [1, 2]
