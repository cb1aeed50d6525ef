"""How a candidate stands among others: what holds whatever the values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dbt_schema_embed.match.pair_values import lead, lead_in_model, relative, standings
from dbt_schema_embed.match.signals import RELATIVE, RIVALS
from dbt_schema_embed.match.signals.kinds import _kind

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 8))
LEVELS = st.sampled_from([0.0, 0.25, 0.5, 1.0, float("nan")])  # ties and silence are usual
VALUES = SHAPES.flatmap(lambda shape: arrays(np.float32, shape, elements=LEVELS))


@settings(max_examples=100, deadline=None)
@given(VALUES, st.data())
def test_in_its_model_a_candidate_stands_as_if_the_model_were_alone(values: np.ndarray, data: st.DataObject) -> None:
    k = values.shape[1]
    starts = np.array([0, *sorted(data.draw(st.sets(st.integers(1, k), max_size=3)) - {k})])
    found = lead_in_model(values, starts)
    for start, end in zip(starts, [*starts[1:], k], strict=True):
        alone = np.clip(2 * lead(values[:, start:end], 1) - 0.5, 0, 1)  # on half the span
        assert np.allclose(found[:, start:end], alone, equal_nan=True)


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_the_best_of_a_row_leads_and_ties_lead_by_nothing(values: np.ndarray) -> None:
    found = lead(values, 1)
    assert (np.isnan(found) == np.isnan(values)).all()
    for row, led in zip(values, found, strict=True):
        known = row[~np.isnan(row)]
        if len(known) > 1:
            tied = (known == known.max()).sum() > 1
            assert np.nanmax(led) == 0.5 if tied else np.nanmax(led) > 0.5


def test_another_model_takes_nothing_from_a_lead_in_its_own() -> None:
    values = np.array([[1.0, 0.7, 1.0, 0.2]], np.float32)  # an id of two models
    named = dict.fromkeys((*RELATIVE, *RIVALS), values)
    found = standings(named, np.array([0, 0, 1, 1]))
    assert found["both_found_over_row"][0, [0, 2]] == pytest.approx([0.5, 0.5])
    assert found["both_found_over_model"][0] == pytest.approx([0.8, 0.2, 1, 0])


def test_relative_counts_in_standard_deviations() -> None:
    found = relative(np.array([[0.2, 0.2, 0.8, float("nan")]], np.float32))
    assert found[0, :3] == pytest.approx([0.5 - 0.5**0.5 / 6, 0.5 - 0.5**0.5 / 6, 0.5 + 2**0.5 / 6], abs=1e-4)
    assert np.isnan(found[0, 3])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("birth date", "moment"), ("created at", "moment"), ("date of birth", "moment"), ("is paid", "flag"),
        ("has children", "flag"), ("number of seats", "measure"), ("order id", "id"), ("id customer", "id"),
        ("credit limit", "measure"), ("unit price", "amount"), ("first name", "text"), ("colour", None), ("", None),
    ],
)  # fmt: skip
def test_the_kind_of_value_that_a_name_says(name: str, kind: str | None) -> None:
    assert _kind(tuple(name.split())) == kind
