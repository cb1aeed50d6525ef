"""exact.py: the same answers as one cosine at a time, whatever the blocks."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dbt_schema_embed.index import exact, store

MATRICES = st.integers(1, 4).flatmap(
    lambda width: st.tuples(
        st.lists(st.lists(st.integers(-2, 2), min_size=width, max_size=width), min_size=1, max_size=30),
        st.lists(st.lists(st.integers(-2, 2), min_size=width, max_size=width), min_size=1, max_size=5),
    )
)


class Blocks:
    """A store of which only the matrix matters, given in blocks of ``size`` rows."""

    def __init__(self, matrix: NDArray[np.float32], size: int, live: NDArray[np.bool_] | None) -> None:
        self.matrix, self.size, self.live = matrix, size, live

    def blocks(self) -> Any:
        for start in range(0, len(self.matrix), self.size):
            yield start, self.matrix[start : start + self.size]


@settings(max_examples=300)
@given(MATRICES, st.integers(1, 8), st.integers(1, 40), st.integers(1, 100), st.data())
def test_rows_are_those_of_a_sort(
    matrices: tuple[list[list[int]], list[list[int]]], k: int, size: int, space: int, data: st.DataObject
) -> None:
    """Small whole numbers: many ties, all of which must be there."""
    matrix, queries = (np.array(m, np.float32) for m in matrices)
    live = np.array(data.draw(st.lists(st.booleans(), min_size=len(matrix), max_size=len(matrix))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "_SPACE", space)
        # similarities below -1 do not occur with vectors of length 1
        scale = np.float32(1 / 16)
        found = exact.nearest(Blocks(matrix * scale, size, None if live.all() else live), queries, k)  # type: ignore[arg-type]
    for query, (rows, values) in zip(queries, found, strict=True):
        everything = {r: float(matrix[r] @ query) / 16 for r in range(len(matrix)) if live[r]}
        ordered = sorted(everything.values(), reverse=True)
        lowest = ordered[min(k, len(ordered)) - 1] if ordered else 0
        expected = {r: s for r, s in everything.items() if s >= lowest}
        assert dict(zip(rows.tolist(), values.tolist(), strict=True)) == expected


def test_upcast_is_exact_for_every_finite_float16() -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)].reshape(1, -1)
    ours = store.upcast(halves, np.empty(halves.shape, np.float32))
    assert ours.tobytes() == halves.astype(np.float32).tobytes()  # the sign of zero too
