from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from dbt_schema_embed.match.assign import assign, cheapest, in_turn
from dbt_schema_embed.match.odds import Odds, softmax


def odds_of(scores: np.ndarray) -> Odds:
    return softmax(scores.astype(np.float32), np.zeros(len(scores), np.float32))


@given(st.integers(1, 9), st.integers(0, 6), st.integers(0, 10**6))
def test_cheapest_agrees_with_scipy(n: int, more: int, seed: int) -> None:
    cost = np.random.default_rng(seed).normal(size=(n, n + more))
    found = cheapest(cost)
    rows, best = linear_sum_assignment(cost)
    assert len(set(found)) == n
    np.testing.assert_allclose(cost[range(n), found].sum(), cost[rows, best].sum())


@settings(max_examples=60)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 10**6))
def test_doubtful_pairs_are_weighed_as_brute_force_would(n: int, k: int, seed: int) -> None:
    """No pair is certain here, so nothing is settled before the weighing."""
    scores = np.random.default_rng(seed).normal(size=(n, k)) * 0.5
    odds = odds_of(scores)
    gain = np.log(odds.candidates) - np.log(odds.nothing)[:, None]
    padded = np.concatenate([gain, np.zeros((n, n))], axis=1)
    best = max(padded[range(n), p].sum() for p in permutations(range(k + n), n))
    found = assign(odds)
    taken = [j for j in found if j >= 0]
    assert len(set(taken)) == len(taken)
    np.testing.assert_allclose(sum(gain[i, j] for i, j in enumerate(found) if j >= 0), best, rtol=1e-4, atol=1e-5)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 10**6))
def test_the_order_of_rows_and_columns_does_not_matter(n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, k)) * 3
    rows, columns = rng.permutation(n), rng.permutation(k)
    plain = {(i, j) for i, j in enumerate(assign(odds_of(scores))) if j >= 0}
    mixed = {(int(rows[i]), int(columns[j])) for i, j in enumerate(assign(odds_of(scores[rows][:, columns]))) if j >= 0}
    assert mixed == plain


def test_a_certain_pair_is_not_sacrificed_for_the_sum() -> None:
    """Two columns want the first candidate; the one that has no other choice gets nothing, the certain one stays."""
    odds = Odds(np.array([[0.95, 0.04], [0.85, 0.0]], np.float32), np.array([0.01, 0.15], np.float32))
    assert assign(odds) == [0, -1]


def test_no_candidates() -> None:
    assert assign(odds_of(np.zeros((3, 0)))) == [-1, -1, -1]


@pytest.mark.parametrize(
    ("names", "target", "first"),
    [
        (["address2", "address1"], "address", 1),
        (["Address 2", "address_1"], "address", 1),
        (["phone2", "phone"], "telephone", 1),
        (["address2", "address1"], "address2", 0),  # the target has a number: which one is told by that
        (["address2", "phone1"], "address", 0),
        (["address2", ""], "address", 0),  # settled
    ],
)
def test_the_first_of_a_series_stands_for_it(names: list[str], target: str, first: int) -> None:
    odds = Odds(np.array([[0.8, 0.0], [0.6, 0.1]], np.float32), np.array([0.2, 0.3], np.float32))
    found = in_turn(odds, names, [target, "city"])
    assert int(found.candidates[:, 0].argmax()) == first
    assert np.allclose(found.candidates.sum(axis=1) + found.nothing, 1)
    assert found.candidates[0, 1] == 0  # a person rejected it


def test_codes_of_a_series_that_a_dictionary_tells_apart_stay_apart() -> None:
    odds = Odds(np.array([[0.9], [0.4]], np.float32), np.array([0.1, 0.6], np.float32))
    assert in_turn(odds, ["pid_19", "pid_1"], ["social_security_number"]).candidates[0] == np.float32(0.9)
