"""Candidates from elsewhere, measured against the store's own vectors: what is wrong with them reaches no answer."""

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.index.store import Matrix, Store

TOLERANCE = 0.01
"""How far a reported distance may be from our own: float16 storage moves it by 0.0003 at most."""

_QUERIES = 512  # gathered at a time


class DistrustError(Exception):
    """Answers that do not fit the vectors they name."""


def candidates(k: int) -> int:
    """How many rows to ask for when ``k`` items are wanted: ties, rows without items and near misses need room."""
    return 2 * k + 10


def rescored(
    store: Store, queries: Matrix, rows: NDArray[np.int64], distances: Matrix
) -> list[tuple[NDArray[np.int64], Matrix]]:
    """For each query the distinct rows named (q, n; -1: none), those without items left out, and their similarities.

    Raises:
        DistrustError: a row is named that is not there, or a distance is not that of its row.
    """
    if rows.size and (rows.max() >= store.manifest.rows or rows.min() < -1):
        raise DistrustError("it named rows that are not there")
    found = []
    for start in range(0, len(queries), _QUERIES):
        part = slice(start, start + _QUERIES)
        named = rows[part] >= 0
        vectors = store.take(np.maximum(rows[part], 0))
        similarities = np.matmul(vectors, queries[part, :, None])[:, :, 0]
        # not "any above": a distance that is NaN is wrong too
        if not (np.abs(1 - similarities - distances[part]) <= TOLERANCE)[named].all():
            raise DistrustError("its distances are not those of its rows")
        keep = named if store.live is None else named & store.live[np.maximum(rows[part], 0)]
        for number, chosen in enumerate(keep):
            unique, first = np.unique(rows[start + number][chosen], return_index=True)
            found.append((unique, similarities[number][chosen][first]))
    return found
