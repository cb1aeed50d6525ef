"""Probabilities of a table: what holds whatever the scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dbt_schema_embed.match.networks import load_weights
from dbt_schema_embed.match.odds import SUREST, Odds, as_chosen, as_settled, balanced, softmax

SCORES = arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.floats(-20, 20, width=32))


@settings(max_examples=100, deadline=None)
@given(SCORES)
def test_each_row_sums_to_one_and_what_is_barred_gets_nothing(scores: np.ndarray) -> None:
    nothing = np.zeros(len(scores), np.float32)
    barred = np.zeros(scores.shape, bool)
    barred[:, 0] = True
    odds = softmax(scores, nothing, barred)
    assert np.allclose(odds.candidates.sum(axis=1) + odds.nothing, 1, atol=1e-5)
    assert (odds.candidates[:, 0] == 0).all()


@settings(max_examples=100, deadline=None)
@given(SCORES)
def test_balanced_candidates_are_taken_once_and_rows_stay_whole(scores: np.ndarray) -> None:
    p = balanced(softmax(scores, np.zeros(len(scores), np.float32)), steps=200)
    assert (p.sum(axis=0) <= 1.02).all()
    assert (p.sum(axis=1) <= 1 + 1e-5).all()


@settings(max_examples=100, deadline=None)
@given(SCORES, st.data())
def test_a_chosen_candidate_gains_and_the_rest_of_its_row_gives_alike(scores: np.ndarray, data: st.DataObject) -> None:
    n, k = scores.shape
    answers = data.draw(st.lists(st.integers(-1, k - 1), min_size=n, max_size=n))
    odds = softmax(scores, np.zeros(n, np.float32))
    found = as_chosen(odds, answers, np.array([0.6, 0.9, 1, 0, 0], np.float32))
    assert np.allclose(found.candidates.sum(axis=1) + found.nothing, 1, atol=1e-4)
    for i, j in enumerate(answers):
        if j < 0:
            assert np.allclose(found.candidates[i], odds.candidates[i], atol=2e-4)  # nothing is at most SUREST
        else:
            assert SUREST + 1e-6 >= found.candidates[i, j] >= min(odds.candidates[i, j], SUREST) - 1e-6
            assert (np.delete(found.candidates[i], j) <= np.delete(odds.candidates[i], j) + 1e-4).all()


def test_nothing_is_surer_the_more_of_its_table_is_matched() -> None:
    odds = Odds(np.full((4, 3), 0.2, np.float32), np.full(4, 0.4, np.float32))
    trust = np.array([1, 0, 0.5, -1, 3], np.float32)
    said = [as_chosen(odds, answers, trust).nothing[3] for answers in ([-1] * 4, [0, -1, -1, -1], [0, 1, 2, -1])]
    assert said == pytest.approx([1 / (1 + np.exp(-(0.5 * np.log(0.4 / 0.6) - 1 + 3 * m))) for m in (0, 0.25, 0.75)])
    chosen = [as_chosen(odds, answers, trust).candidates[0, 0] for answers in ([0, -1, -1, -1], [0, 1, 2, -1])]
    assert chosen[0] == chosen[1]
    weights = load_weights("project")
    assert weights.trust[4] > 0


def test_a_settled_column_is_certain_and_others_stay() -> None:
    odds = softmax(np.zeros((3, 2), np.float32), np.zeros(3, np.float32))
    found = as_settled(odds, {0: 1, 1: -1})
    assert found.candidates[0].tolist() == [0, 1]
    assert (found.candidates[1].tolist(), found.nothing[1]) == ([0, 0], 1)
    assert (found.candidates[2] == odds.candidates[2]).all()
    assert as_settled(odds, {}) is odds


@pytest.mark.parametrize("mode", ["project", "tables"])
def test_the_networks_see_pairs_one_by_one(mode: str) -> None:
    """What a pair scores does not depend on which others are asked with it, nor on how many at once."""
    weights = load_weights(mode)  # type: ignore[arg-type]
    rng = np.random.default_rng(1)
    for found in (weights.first, weights.second):
        values = {name: rng.random((7, 5), np.float32) for name in found.names}
        values[found.names[0]][2] = np.nan
        rows = rng.random((7, found.rows.shape[0]), np.float32)
        scores, nothing = found.scores(values, rows)
        some = {name: v[3:4, 1:3] for name, v in values.items()}
        alone, none = found.scores(some, rows[3:4])
        assert np.allclose(scores[3:4, 1:3], alone, atol=1e-4)
        assert np.allclose(nothing[3:4], none, atol=1e-4)


def test_calibration_keeps_the_order_of_candidates() -> None:
    weights = load_weights("project")
    scores = np.array([[3.0, 1.0, 2.0]], np.float32)
    odds = weights.odds(scores, np.zeros(1, np.float32), np.ones(1, np.float32))
    assert np.argsort(odds.candidates[0]).tolist() == [1, 2, 0]
    assert isinstance(odds, Odds)
