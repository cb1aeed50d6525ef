"""Fits the curves of match/combine.py: a conditional logit with rising curves, by L-BFGS."""

from collections.abc import Sequence
from dataclasses import dataclass

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

RIDGE, SMOOTH, STEPS = 2e-4, 2e-3, 32
WIDTH = 30
"""Candidates of a table that are trained on: all right ones, and those hardest to tell apart."""


@dataclass
class Example:
    """A table as tensors."""

    basis: torch.Tensor  # (signals * knots, n, k)
    nothing: torch.Tensor  # (n, len(NOTHING_NAMES))
    right: torch.Tensor
    over: torch.Tensor
    used: torch.Tensor
    empty: torch.Tensor
    weight: float


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


def example(table: Table, names: Sequence[str]) -> Example:
    """A table's training view, its easiest wrong candidates left out."""
    hard = np.nan_to_num(table.values["source_words_found"]) + np.nan_to_num(table.values["name_meaning"])
    ease = -(hard.max(axis=0, initial=0) if len(hard) else hard.sum(axis=0)) - 10.0 * table.right.any(axis=0)
    keep = np.sort(np.argsort(ease, kind="stable")[:WIDTH])
    rows = np.flatnonzero(table.used)
    cut = np.ix_(rows, keep)
    values = np.stack([table.values[name][cut] for name in names])
    return Example(
        torch.tensor(basis(values)).flatten(0, 1),
        torch.tensor(table.nothing[rows]),
        torch.tensor(table.right[cut]),
        torch.tensor(table.passed_over[cut]),
        torch.tensor(table.used[rows]),
        torch.tensor(table.empty[rows]),
        table.weight,
    )


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

    def loss(self, e: Example, curves: torch.Tensor) -> torch.Tensor:
        """Minus the log probability of the truth, summed over the rows."""
        scores = torch.einsum("f,fnk->nk", curves.flatten(), e.basis).masked_fill(e.over, -1e9)
        both = torch.cat([scores, (self.bias + e.nothing @ self.nothing)[:, None]], 1)
        truth = torch.cat([e.right, e.empty[:, None]], 1)
        log = both - both.logsumexp(1, keepdim=True)
        known = truth.any(1)
        return -(log.masked_fill(~truth, -1e9).logsumexp(1)[known]).sum()


def fit(tables: Sequence[Table], names: Sequence[str]) -> Round:
    """The round of weights that makes the truth of ``tables`` likeliest."""
    useful = [t for t in tables if t.used.any()]
    # a signal that was silent throughout has no curve: nothing was learnt of it
    names = [n for n in names if any(np.isfinite(t.values[n]).any() for t in useful)]
    examples = [example(t, names) for t in useful]
    total = sum(e.weight * len(e.used) for e in examples)
    model = Curves(len(names))
    search = torch.optim.LBFGS(model.parameters(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        search.zero_grad()
        curves = model.curves()
        loss = sum((e.weight * model.loss(e, curves) for e in examples), torch.zeros(1)) / total
        rough = ((curves[:, 1:] - curves[:, :-1]) ** 2).sum()
        loss = loss + RIDGE * ((curves**2).sum() + (model.nothing**2).sum()) + SMOOTH * rough
        loss.backward()
        return loss

    search.step(closure)
    with torch.no_grad():
        curves = {n: c.numpy().astype(np.float32) for n, c in zip(names, model.curves(), strict=True)}
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


def two_rounds(scenarios: Sequence[Sequence[Table]], names: Sequence[str]) -> tuple[Round, Round]:
    """Both rounds, fitted on tables that compete within their scenario only."""
    everything = [t for tables in scenarios for t in tables]
    first = fit(everything, names)
    for tables in scenarios:
        with_whole_table(tables, first)
    return first, fit(everything, (*names, *WHOLE_TABLE_NAMES))
