"""Rows of equal token length, cut to a token budget: no padding is ever computed."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray


def plan(lengths: Sequence[int], budget: int, most_rows: int | None = None) -> Iterator[NDArray[np.intp]]:
    """The rows of each batch: of equal length, at most ``budget`` tokens (one row always fits) and ``most_rows`` rows.

    Shortest first, so that memory grows slowly. Every row comes exactly once.

    >>> [batch.tolist() for batch in plan([3, 5, 3, 3], budget=6)]
    [[0, 2], [3], [1]]
    """
    order = np.argsort(np.asarray(lengths, dtype=np.int64), kind="stable")
    sorted_lengths = np.asarray(lengths, dtype=np.int64)[order]
    starts = np.flatnonzero(np.diff(sorted_lengths, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        rows = max(1, budget // max(1, int(sorted_lengths[start])))
        rows = min(rows, most_rows or rows)
        for at in range(start, end, rows):
            yield order[at : min(at + rows, end)]
