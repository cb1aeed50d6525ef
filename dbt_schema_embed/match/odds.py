"""Probabilities of one table's columns, and what follows from them for its models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.block import Block, Matrix


@dataclass(frozen=True)
class Odds:
    """Probabilities of one table: (n, k) of the candidates and (n,) of nothing; each row sums to 1."""

    candidates: Matrix
    nothing: NDArray[np.float32]


def softmax(scores: Matrix, nothing: NDArray[np.float32], barred: NDArray[np.bool_] | None = None) -> Odds:
    """Scores to probabilities; ``barred`` candidates get 0."""
    if barred is not None:
        scores = np.where(barred, -np.inf, scores)
    both = np.concatenate([scores, nothing[:, None]], axis=1).astype(np.float64)
    both = np.exp(both - both.max(axis=1, keepdims=True))
    both /= both.sum(axis=1, keepdims=True)
    return Odds(both[:, :-1].astype(np.float32), both[:, -1].astype(np.float32))


def as_chosen(odds: Odds, answers: Sequence[int], trust: NDArray[np.float32]) -> Odds:
    """The odds once the one-to-one assignment is known (`assign`): a candidate that it gave to a row is right more
    often than its own probability says, for the others of the row have better rows; and a row that got none feeds
    nothing as often as such rows did: more often the more of its table is matched, for who understands a table's names
    and finds no place for one of them is seldom wrong.

    ``trust``: (5,) what the log odds of a chosen candidate are multiplied by, and what is added; of nothing where no
    candidate was chosen the same, and what the share of rows that got one is multiplied by (`Weights.calibration`).
    """
    both = np.concatenate([odds.candidates, odds.nothing[:, None]], axis=1).astype(np.float64)
    rows, answer = np.arange(len(both)), np.array(answers, np.int64)  # -1 is the last column: nothing
    before = np.clip(both[rows, answer], 1e-7, 1 - 1e-7)
    found = answer >= 0
    slope = np.where(found, trust[0], trust[2])
    shift = np.where(found, trust[1], trust[3] + trust[4] * found.mean() if len(found) else 0)
    after = 1 / (1 + np.exp(-(slope * np.log(before / (1 - before)) + shift)))
    after = np.minimum(np.where(found, np.maximum(before, after), after), SUREST)
    both *= ((1 - after) / (1 - before))[:, None]
    both[rows, answer] = after
    return Odds(both[:, :-1].astype(np.float32), both[:, -1].astype(np.float32))


SUREST = 0.9999
"""What an answer learnt from examples is at most; 1 is what the project's SQL does already."""


def as_settled(odds: Odds, settled: Mapping[int, int]) -> Odds:
    """The odds with the answers of settled rows (row -> candidate, or -1 for nothing) as certain."""
    if not settled:
        return odds
    candidates, nothing = odds.candidates.copy(), odds.nothing.copy()
    for row, candidate in settled.items():
        candidates[row], nothing[row] = 0, candidate < 0
        if candidate >= 0:
            candidates[row, candidate] = 1
    return Odds(candidates, nothing)


def claims(block: Block, odds: Odds) -> NDArray[np.float32]:
    """(models,): how many of the table's columns each candidate model would take, by the first round."""
    out = np.zeros(len(block.models), np.float32)
    if odds.candidates.size:
        starts = np.flatnonzero(np.diff(block.model_of, prepend=-1))  # a model's candidates follow one another
        out[block.model_of[starts]] = np.maximum.reduceat(odds.candidates, starts, axis=1).sum(axis=0)
    return out


def balanced(odds: Odds, steps: int = 8) -> Matrix:
    """The probabilities made to agree on one row a candidate: a candidate's column sums to 1 at most, each row with its
    "nothing" to 1 (Sinkhorn and Knopp 1967, with slack)."""
    p, nothing = odds.candidates.astype(np.float64), odds.nothing.astype(np.float64)
    for _ in range(steps):
        p = p / np.maximum(p.sum(axis=0, keepdims=True), 1.0)
        total = p.sum(axis=1) + nothing
        p, nothing = p / np.maximum(total, 1e-9)[:, None], nothing / np.maximum(total, 1e-9)
    return p.astype(np.float32)
