"""Exact nearest rows: one matrix product, block by block. The oracle of the tests, and what serves small indexes."""

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.index.store import Matrix, Store

TIE = 1e-6
"""Similarities this close count as equal: the order of additions in a matrix product moves the last bits."""

_SPACE = 2**24  # similarities held at a time: 64 MB


def nearest(store: Store, queries: Matrix, k: int) -> list[tuple[NDArray[np.int64], Matrix]]:
    """For each query the rows among its ``k`` best, ties with the k-th included, as (rows, similarities), unordered.

    ``queries`` (q, width) have length 1. Rows without items are left out.
    """
    found: list[list[tuple[NDArray[np.int64], Matrix]]] = [[] for _ in queries]
    floors = np.full(len(queries), -np.inf, np.float32)
    for first, block in store.blocks():
        step = max(1, _SPACE // max(1, len(block)))
        for start in range(0, len(queries), step):
            part = slice(start, start + step)
            similarities = queries[part] @ block.T
            if store.live is not None:
                similarities[:, ~store.live[first : first + len(block)]] = -np.inf
            np.maximum(floors[part], _floors(similarities, k), out=floors[part])
            _collect(found, start, first, similarities, floors[part])
    return [_best(pieces, k) for pieces in found]


def _floors(similarities: Matrix, k: int) -> Matrix:
    """A value per query that its k best in the whole matrix do not fall below."""
    width = similarities.shape[1]
    if width < k:
        return np.full(len(similarities), -np.inf, np.float32)
    return np.partition(similarities, width - k, axis=1)[:, width - k]


def _collect(
    found: list[list[tuple[NDArray[np.int64], Matrix]]],
    start: int,
    first: int,
    similarities: Matrix,
    floors: Matrix,
) -> None:
    lowest = np.maximum(floors - np.float32(TIE), np.float32(-2))  # -2: rows without items stay out
    which, rows = np.nonzero(similarities >= lowest[:, None])
    values = similarities[which, rows]
    bounds = np.searchsorted(which, np.arange(len(similarities) + 1))
    for query in range(len(similarities)):
        part = slice(bounds[query], bounds[query + 1])
        if part.start < part.stop:
            found[start + query].append((rows[part] + first, values[part]))


def _best(pieces: list[tuple[NDArray[np.int64], Matrix]], k: int) -> tuple[NDArray[np.int64], Matrix]:
    if not pieces:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    rows = np.concatenate([p[0] for p in pieces])
    values = np.concatenate([p[1] for p in pieces])
    if len(rows) > k:
        keep = values >= np.partition(values, len(values) - k)[len(values) - k] - np.float32(TIE)
        rows, values = rows[keep], values[keep]
    return rows, values
