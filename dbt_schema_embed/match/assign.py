"""One-to-one answers from probabilities."""

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.names import squash
from dbt_schema_embed.match.odds import Odds

SURE = 0.9
"""Pairs at least this probable are settled first, so that no weighing of doubtful columns against each other can
sacrifice a sure one."""


_NUMBER = re.compile(r"\d{1,9}(?=\D*$)")


def in_turn(odds: Odds, names: Sequence[str], targets: Sequence[str]) -> Odds:
    """The odds where ``address1`` comes before ``address2``: rows whose names differ by their last number alone and
    that want the same target alike, one without a number, exchange their probabilities of it, the highest to the lowest
    number. ``names``: of the rows, in order; empty ones keep theirs. ``targets``: of the candidates."""
    p = odds.candidates
    if not p.size:
        return odds
    series: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for i, (name, j) in enumerate(zip(names, p.argmax(axis=1).tolist(), strict=True)):
        if name and not re.search(r"\d", targets[j]):
            number = _NUMBER.search(name)
            series[squash(_NUMBER.sub("", name)), j].append((int(number[0]) if number else 0, i))
    p, nothing = p.copy(), odds.nothing.copy()
    for (_, j), numbered in series.items():
        most = max(p[i, j] for _, i in numbered)
        rows = [i for _, i in sorted(numbered) if p[i, j] >= most / 2]
        before, after = p[rows, j], -np.sort(-p[rows, j])
        p[rows] *= ((1 - after) / np.maximum(1 - before, 1e-7))[:, None]  # what a person rejected stays 0
        p[rows, j] = after
        nothing[rows] = np.maximum(0, 1 - p[rows].sum(axis=1))
    return Odds(p, nothing)


def assign(odds: Odds) -> list[int]:
    """The candidate of every source column, -1 for nothing; no candidate is taken twice.

    Maximises the sum of log odds against "nothing" over what is left when certain pairs are settled. The answer does
    not depend on the order of rows or columns but where two are equally good.
    """
    p, nothing = odds.candidates, odds.nothing
    n, k = p.shape
    answer = [-1] * n
    if not k:
        return answer
    best = p.argmax(axis=1)
    for i in np.flatnonzero((p.max(axis=1) >= SURE) & (p[np.arange(n), best] >= p.max(axis=0)[best])).tolist():
        if int(best[i]) not in answer:
            answer[i] = int(best[i])
    gain = np.log(np.maximum(p, 1e-12)) - np.log(np.maximum(nothing, 1e-12))[:, None]
    rows = [i for i in range(n) if answer[i] < 0 and gain[i].max() > 0]
    gain[:, [j for j in answer if j >= 0]] = -np.inf
    wanted = [int(gain[i].argmax()) for i in rows]
    if len(set(wanted)) == len(wanted):
        for i, j in zip(rows, wanted, strict=True):
            answer[i] = j if gain[i, j] > 0 else -1
        return answer
    for i, j in zip(rows, _contested(gain[rows]), strict=True):
        answer[i] = j
    return answer


def _contested(gain: NDArray[np.float32]) -> list[int]:
    """The assignment of highest total gain, each row free to take nothing for 0."""
    n = len(gain)
    columns = np.flatnonzero((gain > 0).any(axis=0))
    # every row has a "nothing" of its own beside the candidates
    cost = np.concatenate([-np.maximum(gain[:, columns], 0), np.zeros((n, n))], axis=1).astype(np.float64)
    taken = cheapest(cost)
    return [int(columns[j]) if j < len(columns) and cost[i, j] < 0 else -1 for i, j in enumerate(taken)]


def cheapest(cost: NDArray[np.float64]) -> list[int]:
    """The column of every row in the assignment of least total cost; (n, m) with n <= m.

    Shortest augmenting paths with potentials (Kuhn 1955, Munkres 1957; O(n * n * m)). scipy has it too, but importing
    scipy.optimize or scipy.sparse costs 0.6 s, and what is contested in a table is a handful of rows; the tests compare
    the two.
    """
    n, m = cost.shape
    row_of = np.full(m + 1, -1)  # which row holds a column; the last column is the start of every path
    u, v = np.zeros(n + 1), np.zeros(m + 1)
    for start in range(n):
        row_of[m] = start
        at, distance, before, done = m, np.full(m, np.inf), np.full(m, m), np.zeros(m + 1, bool)
        while row_of[at] >= 0:
            done[at] = True
            row = row_of[at]
            reduced = cost[row] - u[row] - v[:m]
            nearer = ~done[:m] & (reduced < distance)
            distance[nearer], before[nearer] = reduced[nearer], at
            open_distance = np.where(done[:m], np.inf, distance)
            nearest = int(open_distance.argmin())
            step = open_distance[nearest]
            held = done.nonzero()[0]
            u[row_of[held]] += step
            v[held] -= step
            distance[~done[:m]] -= step
            at = nearest
        while at != m:
            row_of[at] = row_of[before[at]]
            at = int(before[at])
    found = [0] * n
    for column in range(m):
        if row_of[column] >= 0:
            found[int(row_of[column])] = column
    return found
