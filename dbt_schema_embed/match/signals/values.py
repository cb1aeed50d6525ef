"""Sample values, where both sides have them; silent elsewhere."""

from collections.abc import Callable

import numpy as np

from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.value_profiles import Profile


def value_overlap(block: Block) -> Matrix:
    """Share of the smaller side's distinct values that the other side has."""
    return _each(block, lambda a, b: len(a.distinct & b.distinct) / min(len(a.distinct), len(b.distinct)))


def value_kind(block: Block) -> Matrix:
    """Likeness of what the values are: integers, numbers, dates, booleans, text."""
    return _each(block, lambda a, b: float(np.minimum(a.kinds, b.kinds).sum()))


def value_letters(block: Block) -> Matrix:
    """Cosine of the letter triples in the values."""
    out = np.full(block.shape, np.nan, np.float32)
    sides = [[(i, p.grams) for i, p in side] for side in block.profiles]
    if all(sides):
        (rows, left), (columns, right) = (zip(*side, strict=True) for side in sides)
        out[np.ix_(rows, columns)] = np.stack(left) @ np.stack(right).T
    return out


def value_range(block: Block) -> Matrix:
    """Likeness of two number columns' quantiles, on a log scale; 0 where one side is no number."""

    def likeness(a: Profile, b: Profile) -> float:
        if a.quantiles is None and b.quantiles is None:
            return float("nan")
        if a.quantiles is None or b.quantiles is None:
            return 0.0
        return float(np.exp(-np.abs(a.quantiles - b.quantiles).mean()))

    return _each(block, likeness)


def value_spread(block: Block) -> Matrix:
    """Likeness of the values' lengths and of how often they repeat."""
    return _each(block, lambda a, b: float(np.exp(-abs(a.length - b.length) - abs(a.uniqueness - b.uniqueness))))


def _each(block: Block, likeness: Callable[[Profile, Profile], float]) -> Matrix:
    out = np.full(block.shape, np.nan, np.float32)
    left, right = block.profiles
    for i, a in left:
        for j, b in right:
            out[i, j] = likeness(a, b)
    return out
