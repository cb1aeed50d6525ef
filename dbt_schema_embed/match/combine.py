"""From signals to probabilities: a small additive model whose weights are the readable file weights.json.

Every signal's value in [0, 1] is read off a rising curve (straight lines between KNOTS); the curves' sum is a
candidate's score. "Nothing" has a score too. A softmax over a source column's candidates and "nothing" gives
probabilities that sum to 1 (a conditional logit with an outside option; McFadden 1974). That is done twice: the second
round also knows what the first one thought of the whole table.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.signals import RELATIVE, SIGNALS

Mode = Literal["project", "tables"]
KNOTS = np.array([0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0], np.float32)
SIGNAL_NAMES = (*(s.__name__ for s in SIGNALS), *(f"{name}_relative" for name in RELATIVE))
WHOLE_TABLE_NAMES = (
    "table_share", "table_density", "table_claim", "table_first", "column_share", "margin", "first_round",
)  # fmt: skip
NOTHING_NAMES = ("drop_rate", "name_seen", "underscore", "project_has_habits", "table_arrives")


@dataclass(frozen=True)
class Round:
    """One round's weights."""

    curves: Mapping[str, NDArray[np.float32]]  # signal -> (len(KNOTS),) score at each knot
    nothing: Mapping[str, float]  # name -> weight; "bias" as well

    def scores(self, values: Mapping[str, Matrix]) -> Matrix:
        """Sum of the curves, (n, k). A NaN adds nothing."""
        total = None
        for name, curve in self.curves.items():
            added = contribution(values[name], curve)
            total = added if total is None else total + added
        if total is None:
            raise ValueError("no signals")
        return total

    def nothing_scores(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n,) scores of "nothing" from (n, len(NOTHING_NAMES)) row values."""
        weights = np.array([self.nothing[name] for name in NOTHING_NAMES], np.float32)
        return (rows @ weights + np.float32(self.nothing["bias"])).astype(np.float32)


def contribution(values: Matrix, curve: NDArray[np.float32]) -> Matrix:
    """What a signal adds to the score; 0 where it is silent (NaN)."""
    silent = np.isnan(values)
    if silent.all():
        return np.zeros(values.shape, np.float32)
    added = np.interp(np.where(silent, 0, values), KNOTS, curve).astype(np.float32)
    added[silent] = 0
    return added


@lru_cache(maxsize=2)
def load_rounds(mode: Mode) -> tuple[Round, Round]:
    """The two rounds' weights shipped with the package."""
    data = json.loads(files("dbt_schema_embed.match").joinpath("weights.json").read_text("utf-8"))
    return tuple(  # type: ignore[return-value]
        Round({n: np.array(c, np.float32) for n, c in r["signals"].items()}, r["nothing"]) for r in data[mode]
    )


def signal_values(block: Block) -> dict[str, Matrix]:
    """Every signal's (n, k) matrix by name, and for some how each candidate stands within its row."""
    if 0 in block.shape:
        return dict.fromkeys(SIGNAL_NAMES, np.zeros(block.shape, np.float32))
    values = {s.__name__: s(block) for s in SIGNALS}
    return values | {f"{name}_relative": relative(values[name]) for name in RELATIVE}


def relative(values: Matrix) -> Matrix:
    """Standard deviations above the row's mean, with -3..3 put on [0, 1]; NaN stays."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    filled = np.where(known, values, 0)
    mean = filled.sum(axis=1, keepdims=True) / count
    spread = np.sqrt((np.where(known, filled - mean, 0) ** 2).sum(axis=1, keepdims=True) / count)
    out = np.clip((filled - mean) / (spread + 1e-6) / 6 + 0.5, 0, 1)
    return np.where(known, out, np.nan).astype(np.float32)


def nothing_rows(block: Block, arrives: bool) -> NDArray[np.float32]:
    """(n, len(NOTHING_NAMES)): what speaks for a source column feeding nothing."""
    habits, names = block.habits, block.abstract_names
    return np.array(
        [
            [habits.drop_rate(a), habits.seen[a] > 0, c.name.startswith("_"), habits.columns > 0, arrives]
            for a, c in zip(names, block.columns, strict=True)
        ],
        np.float32,
    ).reshape(len(names), len(NOTHING_NAMES))


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


def claims(block: Block, odds: Odds) -> NDArray[np.float32]:
    """(models,): how many of the table's columns each candidate model would take, by the first round."""
    out = np.zeros(len(block.models), np.float32)
    for m in range(len(block.models)):
        inside = odds.candidates[:, block.model_of == m]
        out[m] = inside.max(axis=1).sum() if inside.size else 0
    return out


def whole_table(
    block: Block, odds: Odds, claimed: NDArray[np.float32], total: NDArray[np.float32]
) -> dict[str, Matrix]:
    """What the first round says about the table as a whole, as (n, k) signals of the second.

    Args:
        block: the table and its candidates.
        odds: the first round's probabilities.
        claimed: this table's `claims`.
        total: (models,) the claims of all tables of the run on each of the block's models.
    """
    n, k = block.shape
    p = odds.candidates
    share = claimed / max(float(claimed.sum()), 1e-6)
    claim = claimed / np.maximum(total, 1e-6)
    per_model = (share, claimed / max(n, 1), claim, (claimed == claimed.max(initial=0)).astype(np.float32))
    spread = [np.broadcast_to(v[block.model_of][None], (n, k)) for v in per_model]
    column = p / np.maximum(p.sum(axis=0, keepdims=True), 1e-6)
    ordered = np.sort(p, axis=1)
    best = ordered[:, -1:] if k else np.zeros((n, 0), np.float32)
    second = ordered[:, -2:-1] if k > 1 else 0 * best
    margin = np.where(p == best, p - second, p - best) * 0.5 + 0.5
    return dict(zip(WHOLE_TABLE_NAMES, [*spread, column, margin, p], strict=True))
