"""Fits the curves of match/combine.py: a conditional logit with rising curves, by L-BFGS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from cases import Table
from numpy.typing import NDArray

from dbt_schema_embed.match.combine import (
    KNOTS,
    NOTHING_NAMES,
    WHOLE_TABLE_NAMES,
    Odds,
    Round,
    claims,
    softmax,
    whole_table,
)

STEPS = 60
"""Of the search for the best weights. More of them change nothing that is left out."""
WIDTH = 30
"""Candidates of a table that are trained on: all right ones, and those hardest to tell apart."""


@dataclass
class Examples:
    """Tables as tensors: an entry is a source column with one candidate, a row is a source column."""

    basis: torch.Tensor  # (entries, signals * knots)
    row: torch.Tensor  # (entries,) the row of each
    right: torch.Tensor  # (entries,) bool
    over: torch.Tensor  # (entries,) bool
    nothing: torch.Tensor  # (rows, len(NOTHING_NAMES))
    empty: torch.Tensor  # (rows,) bool
    weight: torch.Tensor  # (rows,) they sum to 1


def basis(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(s, n, k) values -> (s, knots, n, k) hat functions; all 0 where a value is NaN."""
    silent = np.isnan(values)
    x = np.clip(np.where(silent, 0, values), 0, 1)
    at = np.clip(np.searchsorted(KNOTS, x, side="right") - 1, 0, len(KNOTS) - 2)
    part = (x - KNOTS[at]) / (KNOTS[at + 1] - KNOTS[at])
    out = np.zeros((len(values), len(KNOTS), *values.shape[1:]), np.float32)
    for q in range(len(KNOTS)):
        out[:, q] = np.where(at == q, 1 - part, 0) + np.where(at + 1 == q, part, 0)
    return np.where(silent[:, None], 0, out).astype(np.float32)


def examples(tables: Sequence[Table], names: Sequence[str]) -> Examples:
    """The tables' training view, each without its easiest wrong candidates."""
    parts, first = [], 0
    for table in tables:
        rows = np.flatnonzero(table.used)
        cut = np.ix_(rows, _hardest(table))
        values = np.stack([table.values[name][cut] for name in names])
        entries = basis(values).reshape(len(names) * len(KNOTS), -1).T
        row = np.repeat(np.arange(first, first + len(rows)), values.shape[2])
        weight = np.full(len(rows), table.weight, np.float32)
        parts.append((
            entries, row, table.right[cut].ravel(), table.passed_over[cut].ravel(),
            table.nothing[rows], table.empty[rows], weight,
        ))  # fmt: skip
        first += len(rows)
    found = Examples(*(torch.tensor(np.concatenate(part)) for part in zip(*parts, strict=True)))
    found.weight /= found.weight.sum()
    return found


def _hardest(table: Table) -> NDArray[np.int64]:
    """The candidates that are trained on."""
    hard = np.nan_to_num(table.values["source_words_found"]) + np.nan_to_num(table.values["name_meaning"])
    ease = -(hard.max(axis=0, initial=0) if len(hard) else hard.sum(axis=0)) - 10.0 * table.right.any(axis=0)
    return np.sort(np.argsort(ease, kind="stable")[:WIDTH])


@dataclass(frozen=True)
class Belief:
    """What is held true before any data: straight curves, and how hard the data must pull to bend them."""

    ridge: float  # of the curves' distance from the straight ones
    smooth: float  # of the steps between their knots
    slopes: Mapping[str, float] = field(default_factory=dict)  # signal -> rise from 0 to 1; others are flat


class Curves(torch.nn.Module):
    """The parameters: rising curves, and the weights of "nothing"."""

    def __init__(self, signals: int) -> None:
        super().__init__()
        start = torch.full((signals, len(KNOTS)), -0.5)
        start[:, 0] = -0.2
        self.free = torch.nn.Parameter(start)
        self.nothing = torch.nn.Parameter(torch.zeros(len(NOTHING_NAMES)))
        self.bias = torch.nn.Parameter(torch.zeros(1))

    def curves(self) -> torch.Tensor:
        """(signals, knots), rising from left to right."""
        steps = torch.nn.functional.softplus(self.free[:, 1:] * 4) / 4
        return torch.cat([self.free[:, :1], self.free[:, :1] + steps.cumsum(1)], 1)

    def loss(self, e: Examples, curves: torch.Tensor) -> torch.Tensor:
        """Minus the weighted mean log probability of the truth."""
        scores = (e.basis @ curves.flatten()).masked_fill(e.over, -1e9)
        nothing = self.bias + e.nothing @ self.nothing
        top = nothing.detach().scatter_reduce(0, e.row, scores.detach(), "amax")
        each, none = (scores - top[e.row]).exp(), (nothing - top).exp()
        total = none.index_add(0, e.row, each)
        true = (none * e.empty).index_add(0, e.row, each * e.right)
        known = e.empty.clone().index_put_((e.row[e.right],), torch.tensor(True))
        return -(e.weight * (true.clamp_min(1e-30).log() - total.log()))[known].sum()


def fit(tables: Sequence[Table], names: Sequence[str], belief: Belief) -> Round:
    """The round of weights that makes the truth of ``tables`` likeliest, given a belief."""
    useful = [t for t in tables if t.used.any()]
    # a signal that was silent throughout has no curve: nothing was learnt of it
    names = [n for n in names if any(np.isfinite(t.values[n]).any() for t in useful)]
    data = examples(useful, names)
    slopes = torch.tensor([[belief.slopes.get(n, 0.0)] for n in names])
    straight = slopes * (torch.tensor(KNOTS) - 0.5)
    model = Curves(len(names))
    search = torch.optim.LBFGS(model.parameters(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        search.zero_grad()
        bent = model.curves()
        rough = ((bent[:, 1:] - bent[:, :-1]) ** 2).sum()
        loss = model.loss(data, bent + straight) + belief.smooth * rough
        loss = loss + belief.ridge * ((bent**2).sum() + (model.nothing**2).sum())
        loss.backward()
        return loss

    search.step(closure)
    with torch.no_grad():
        curves = {n: c.numpy() for n, c in zip(names, model.curves() + straight, strict=True)}
        nothing = dict(zip(NOTHING_NAMES, model.nothing.tolist(), strict=True)) | {"bias": float(model.bias)}
    return Round(curves, nothing)


def odds(table: Table, weights: Round) -> Odds:
    """A round's probabilities for a table."""
    return softmax(weights.scores(table.values), weights.nothing_scores(table.nothing))


def with_whole_table(tables: Sequence[Table], first: Round) -> None:
    """Add the second round's signals to every table, tables of one scenario competing for its models."""
    drafts = [(t, odds(t, first)) for t in tables]
    claimed = [claims(t.block, o) for t, o in drafts]
    arrives = [bool(t.nothing[:, NOTHING_NAMES.index("table_arrives")].any()) for t in tables]
    total: dict[tuple[str, str], float] = {}
    for t, claim, settled in zip(tables, claimed, arrives, strict=True):
        if not settled:
            for model, c in zip(t.block.models, claim.tolist(), strict=True):
                key = (t.group, model.relation.id)
                total[key] = total.get(key, 0.0) + c
    for (t, o), claim, settled in zip(drafts, claimed, arrives, strict=True):
        others = np.array([total.get((t.group, m.relation.id), 0.0) for m in t.block.models], np.float32)
        t.values |= whole_table(t.block, o, claim, others + claim if settled else others)


def two_rounds(scenarios: Sequence[Sequence[Table]], names: Sequence[str], belief: Belief) -> tuple[Round, Round]:
    """Both rounds, fitted on tables that compete within their scenario only."""
    everything = [t for tables in scenarios for t in tables]
    first = fit(everything, names, belief)
    for tables in scenarios:
        with_whole_table(tables, first)
    return first, fit(everything, (*names, *WHOLE_TABLE_NAMES), belief)
