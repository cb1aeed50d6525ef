"""What is known of every pair of a source column and a candidate: the signals, and how a pair stands among others."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.doors import brought
from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.column_order import in_order
from dbt_schema_embed.match.odds import Odds, balanced
from dbt_schema_embed.match.signals import RELATIVE, RIVALS, SIGNALS

SIGNAL_NAMES = (
    *(s.__name__ for s in SIGNALS), *(f"{name}_relative" for name in RELATIVE),
    *(f"{name}_over_{side}" for name in RIVALS for side in ("row", "column", "model")),
)  # fmt: skip
WHOLE_TABLE_NAMES = (
    "table_share", "table_density", "table_claim", "table_first", "column_share", "margin", "first_round",
    "balanced", "echo", "in_order", "beside", "order_kept",
)  # fmt: skip
_OURS = frozenset(SIGNAL_NAMES)


def signal_values(block: Block, wanted: Iterable[str] = (), apart: Sequence[int] = ()) -> dict[str, Matrix]:
    """Every signal's (n, k) matrix by name, and for some how each candidate stands within its row.

    ``wanted``: what the weights know by name; signals that other packages bring are asked for where it lists them.
    ``apart``: places of source columns that are no rivals of the others, for people say that they feed nothing.
    """
    others = [name for name in wanted if name not in _OURS]
    if 0 in block.shape:
        return dict.fromkeys((*SIGNAL_NAMES, *others), np.zeros(block.shape, np.float32))
    values = {s.__name__: s(block) for s in SIGNALS}
    return values | standings(values, block.model_of, apart) | {name: signal_called(name)(block) for name in others}


@cache
def signal_called(name: str) -> Callable[[Block], Matrix]:
    """A signal that another package brings.

    Raises:
        ConfigError: none does.
    """
    found: Callable[[Block], Matrix] | None = brought("signals", name)
    if found is None:
        raise ConfigError(f"the weights know a signal {name!r} that no installed package brings")
    return found


def standings(
    values: Mapping[str, Matrix], model_of: NDArray[np.int64], apart: Sequence[int] = ()
) -> dict[str, Matrix]:
    """How each candidate stands within its row, its column, and its row among its own model's, by some signals.

    In a project with fifty models an id or a name stands as high in many: which column of one model it is must not be
    lost in that.
    """
    found = {f"{name}_relative": relative(values[name]) for name in RELATIVE}
    starts = np.flatnonzero(np.diff(model_of, prepend=-1))  # a model's candidates follow one another
    for name in RIVALS:
        rivals = values[name]
        if apart:
            rivals = rivals.copy()
            rivals[list(apart)] = np.nan
        found[f"{name}_over_row"], found[f"{name}_over_column"] = lead(values[name], 1), lead(rivals, 0)
        found[f"{name}_over_model"] = lead_in_model(values[name], starts)
    return found


def lead(values: Matrix, axis: int) -> Matrix:
    """How far each value is above the best other one along ``axis``, with -1..1 put on [0, 1]; NaN stays."""
    if silent(values):
        return values
    if values.shape[axis] < 2:
        return np.where(np.isnan(values), np.nan, (values + 1) / 2).astype(np.float32)
    known = np.where(np.isnan(values), -1, values)
    best, second = best_two(known, axis)
    return _above(values, np.where(known == best, second, best))


def lead_in_model(values: Matrix, starts: NDArray[np.int64]) -> Matrix:
    """The same within each row of each model; ``starts``: the first candidate of each."""
    if silent(values):
        return values
    known = np.where(np.isnan(values), -1, values)
    sizes = np.diff(starts, append=values.shape[1])
    best = np.repeat(np.maximum.reduceat(known, starts, axis=1), sizes, axis=1)
    top = known == best
    second = np.maximum.reduceat(np.where(top, -1, known), starts, axis=1)
    tied = np.add.reduceat(top, starts, axis=1, dtype=np.int64) > 1
    other = np.where(top & ~np.repeat(tied, sizes, axis=1), np.repeat(second, sizes, axis=1), best)
    return _above(values, other, 1.0)


def _above(values: Matrix, other: Matrix, span: float = 2.0) -> Matrix:
    """``values`` minus ``other`` (0 at least), with half the span on either side put on [0, 1]."""
    above = np.clip((values - np.maximum(other, 0)) / span + 0.5, 0, 1)
    return np.where(np.isnan(values), np.nan, above).astype(np.float32)


def best_two(values: Matrix, axis: int) -> tuple[Matrix, Matrix]:
    """The highest value along ``axis``, and the highest of the rest, which may be the same."""
    at = np.expand_dims(values.argmax(axis=axis), axis)
    best = np.take_along_axis(values, at, axis)
    rest = values.copy()
    np.put_along_axis(rest, at, -np.inf, axis)
    return best, rest.max(axis=axis, keepdims=True)


def silent(values: Matrix) -> bool:
    """Whether a signal says nothing of the whole table."""
    return bool(values.size and np.isnan(values.flat[0]) and np.isnan(values).all())


def relative(values: Matrix) -> Matrix:
    """Standard deviations above the row's mean, with -3..3 put on [0, 1]; NaN stays."""
    if silent(values):
        return values
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    filled = np.where(known, values, 0)
    mean = filled.sum(axis=1, keepdims=True) / count
    spread = np.sqrt((np.where(known, filled - mean, 0) ** 2).sum(axis=1, keepdims=True) / count)
    out = np.clip((filled - mean) / (spread + 1e-6) / 6 + 0.5, 0, 1)
    return np.where(known, out, np.nan).astype(np.float32)


def whole_table(
    block: Block, odds: Odds, claimed: NDArray[np.float32], total: NDArray[np.float32], echo: Matrix
) -> dict[str, Matrix]:
    """What the first round says about the table as a whole, as (n, k) signals of the second.

    Args:
        block: the table and its candidates.
        odds: the first round's probabilities.
        claimed: this table's `claims`.
        total: (models,) the claims of all tables of the run on each of the block's models.
        echo: (n, k) what the other tables' columns of that name were taken for.
    """
    n, k = block.shape
    p = odds.candidates
    share = claimed / max(float(claimed.sum()), 1e-6)
    claim = claimed / np.maximum(total, 1e-6)
    per_model = (share, claimed / max(n, 1), claim, (claimed == claimed.max(initial=0)).astype(np.float32))
    spread = [np.broadcast_to(v[block.model_of][None], (n, k)) for v in per_model]
    column = p / np.maximum(p.sum(axis=0, keepdims=True), 1e-6)
    if k > 1:
        best, second = best_two(p, 1)
    else:
        best, second = p, 0 * p
    margin = np.where(p == best, p - second, p - best) * 0.5 + 0.5
    per_pair = [*spread, column, margin, p, balanced(odds), echo, *in_order(p, block.model_of)]
    return dict(zip(WHOLE_TABLE_NAMES, per_pair, strict=True))
