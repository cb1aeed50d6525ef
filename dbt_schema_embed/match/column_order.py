"""The order of columns: people plan a model's columns mostly in their source's order.

In the cases of benchmarks/RESULTS.md the places of right pairs correlate by 0.80 (wild projects), 0.69 (packages) and
0.66 (foreign systems). How far a model keeps the order is seen from its likely pairs, so that a model in
another order is not judged by it. Turning both sides around changes nothing.
"""

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.block import Matrix


def in_order(p: Matrix, model_of: NDArray[np.int64]) -> tuple[Matrix, Matrix, Matrix]:
    """How well each pair keeps the order of the columns, by the first round's probabilities ``p``.

    Three (n, k) matrices in [0, 1]: the share of the model's other likely pairs that stand on the same side in both
    tables, how likely its nearest neighbours are a pair, and how well the model as a whole keeps the order.
    """
    order, beside, kept = (np.zeros(p.shape, np.float32) for _ in range(3))
    for m in np.unique(model_of):
        inside = np.flatnonzero(model_of == m)
        some = p[:, inside].astype(np.float64)
        n, k = some.shape
        sums = np.zeros((n + 1, k + 1))
        sums[1:, 1:] = some.cumsum(axis=0).cumsum(axis=1)
        if sums[-1, -1] < _HEARD:  # nothing is seen of its order
            order[:, inside] = kept[:, inside] = 0.5
            continue
        total, rows, columns = sums[-1, -1], some.sum(axis=1)[:, None], some.sum(axis=0)[None]
        before = sums[:-1, :-1]
        after = total - sums[1:, -1:] - sums[-1:, 1:] + sums[1:, 1:]
        others = total - rows - columns + some
        order[:, inside] = share = (before + after + _FAITH / 2) / (others + _FAITH)
        kept[:, inside] = (some * share).sum() / total
        near = np.zeros((n + 6, k + 6))
        near[3:-3, 3:-3] = some
        found = np.zeros((n, k))
        for d, e, worth in _NEAR:
            found += worth * (near[3 + d : 3 + d + n, 3 + e : 3 + e + k] + near[3 - d : 3 - d + n, 3 - e : 3 - e + k])
        beside[:, inside] = np.minimum(found / 2, 1)
    return order, beside, kept


_HEARD = 0.05
"""Columns that a model must be likely to take before its order is looked at."""
_FAITH = 1.0
"""Columns that are believed to stand on either side before any are seen."""
_NEAR = ((1, 1, 1.0), (1, 2, 0.5), (2, 1, 0.5), (2, 2, 0.5), (2, 3, 0.25), (3, 2, 0.25), (3, 3, 0.25))
"""Steps in both tables to a neighbour, and what it counts."""
