"""What the order of columns says, and what it must not."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dbt_schema_embed.match.column_order import in_order

ODDS = arrays(np.float32, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.floats(0, 1, width=32))


def one_model(p: np.ndarray) -> np.ndarray:
    return np.zeros(p.shape[1], np.int64)


@settings(max_examples=60, deadline=None)
@given(ODDS)
def test_all_values_are_shares(p: np.ndarray) -> None:
    for values in in_order(p, one_model(p)):
        assert values.shape == p.shape
        assert ((values >= 0) & (values <= 1)).all()


@settings(max_examples=60, deadline=None)
@given(ODDS)
def test_turning_both_sides_around_changes_nothing(p: np.ndarray) -> None:
    there, back = in_order(p, one_model(p)), in_order(p[::-1, ::-1], one_model(p))
    for a, b in zip(there, back, strict=True):
        assert np.allclose(a, b[::-1, ::-1], atol=1e-5)


def test_a_pair_between_its_neighbours_keeps_the_order() -> None:
    p = np.eye(6, dtype=np.float32)
    p[3] = 1 / 6  # the one row that names do not decide
    order, beside, kept = in_order(p, one_model(p))
    assert order[3].argmax() == beside[3].argmax() == 3
    assert (kept > 0.8).all()


def test_a_model_in_another_order_is_known_by_it() -> None:
    p = np.eye(8, dtype=np.float32)
    mixed = p[:, [5, 2, 7, 0, 3, 6, 1, 4]]
    assert in_order(mixed, one_model(p))[2].max() < 0.6 < in_order(p, one_model(p))[2].min()


def test_models_are_apart() -> None:
    p = np.eye(4, dtype=np.float32)
    both = np.concatenate([p, 0 * p], axis=1)
    order, beside, _ = in_order(both, np.repeat([0, 1], 4))
    assert np.allclose(order[:, :4], in_order(p, one_model(p))[0])
    assert (beside[:, 4:] == 0).all()
