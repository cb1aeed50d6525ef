"""Candidates from Chroma, here or on a server, measured against the store's own vectors.

What is wrong with a candidate reaches no answer; what is missing among them is looked for once, by comparing the first
answers with the exact ones.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.index import exact
from dbt_schema_embed.index.store import Matrix, Store

Rows = tuple[NDArray[np.int64], Matrix]
"""Some rows of a store and their similarities to one query."""

TOLERANCE = 0.01
"""How far a reported distance may be from our own: float16 storage moves it by 0.0003 at most."""

COMPARED = 8
"""Queries of the first batch that are answered exactly too."""

RECALL = 0.9
"""Share of the exact answers to those that must be among the candidates; 0.999 is usual, vectors lost cost more."""

_QUERIES = 512  # vectors of candidates gathered at a time


class BackendError(Exception):
    """What should give candidates cannot, or gives wrong ones. The message says why, in one line."""


class Backend(Protocol):
    """What names candidates among the rows of one store."""

    def query(self, queries: Matrix, n: int) -> tuple[NDArray[np.int64], Matrix]:
        """Rows (q, n), -1 for none, and their cosine distances.

        Raises:
            BackendError: it cannot.
        """


def nearest(backend: Backend, store: Store, queries: Matrix, k: int, *, compare: bool) -> list[Rows]:
    """For each query the rows among its ``k`` best, as far as ``backend`` names them, and their exact similarities.

    Queries without direction and those with too few candidates are answered exactly. ``compare``: some of the others
    too, and the two answers compared.

    Raises:
        BackendError: it cannot answer, or names wrong candidates, or misses too many.
    """
    n = min(2 * k + 10, store.manifest.rows)  # ties, rows without items and near misses need room
    rows, distances = backend.query(queries, n)
    found = _rescored(store, queries, rows, distances)
    live = store.manifest.rows if store.live is None else int(store.live.sum())
    short = [i for i, (some, _) in enumerate(found) if len(some) < min(k, live) or not queries[i].any()]
    usual = [i for i in range(len(queries)) if i not in set(short)]
    if compare and usual:
        _compare(store, queries, found, usual[:COMPARED], k)
    if short:
        for number, answer in zip(short, exact.nearest(store, queries[short], k), strict=True):
            found[number] = answer
    return found


def _rescored(store: Store, queries: Matrix, rows: NDArray[np.int64], distances: Matrix) -> list[Rows]:
    if rows.size and (rows.max() >= store.manifest.rows or rows.min() < -1):
        raise BackendError("it named rows that are not there")
    found = []
    for start in range(0, len(queries), _QUERIES):
        part = slice(start, start + _QUERIES)
        named = rows[part] >= 0
        places = np.maximum(rows[part], 0)
        similarities = np.matmul(store.take(places), queries[part, :, None])[:, :, 0]
        right = np.abs(1 - similarities - distances[part]) <= TOLERANCE  # False for NaN
        directed = np.any(queries[part], axis=1, keepdims=True)  # without a direction there is no distance
        if not right[named & directed].all():
            raise BackendError("its distances are not those of its rows")
        keep = named if store.live is None else named & store.live[places]
        for number, chosen in enumerate(keep):
            unique, first = np.unique(rows[start + number][chosen], return_index=True)
            found.append((unique, similarities[number][chosen][first]))
    return found


def _compare(store: Store, queries: Matrix, found: list[Rows], numbers: list[int], k: int) -> None:
    total = missed = 0
    for number, (rows, similarities) in zip(numbers, exact.nearest(store, queries[numbers], k), strict=True):
        candidates, values = found[number]
        lowest = np.sort(values)[-min(k, len(values))]
        # a row that ties with the last candidate taken is no miss
        missed += int((~np.isin(rows, candidates) & (similarities > lowest + exact.TIE)).sum())
        total += min(k, len(rows))
    if missed > (1 - RECALL) * total:
        raise BackendError(f"it missed {missed} of the {total} nearest")
