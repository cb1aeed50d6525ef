"""Cosines of the encoder's vectors: names, names in their tables, descriptions, values."""

from collections.abc import Sequence

import numpy as np

from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.records import UNLIKE


def name_meaning(block: Block) -> Matrix:
    """Cosine of the two names."""
    return _facet(block, "name")


def meaning_in_table(block: Block) -> Matrix:
    """Cosine of the two names, each read with its table's name."""
    return _facet(block, "in_table")


def description(block: Block) -> Matrix:
    """Cosine of the two descriptions; silent where either is missing."""
    return _facet(block, "description")


def name_in_description(block: Block) -> Matrix:
    """Cosine of one side's description with the other's name, where only one side is described."""
    return np.fmax(_cosine(block, "description", "name"), _cosine(block, "name", "description"))


def name_with_values(block: Block) -> Matrix:
    """Cosine of the two names, each followed by some of its values where it has any."""
    return _facet(block, "with_values")


def value_meaning(block: Block) -> Matrix:
    """How well each side's values are found on the other: the mean of every value's best cosine, of both directions."""
    out = np.full(block.shape, np.nan, np.float32)
    left = block.source.values
    right = [block.models[m].values[c] for m, c in zip(block.model_of, block.column_of, strict=True) if left]
    rows = [i for i, v in enumerate(left) if len(v)]
    columns = [j for j, v in enumerate(right) if len(v)]
    if not rows or not columns:
        return out
    ours, theirs = [left[i] for i in rows], [right[j] for j in columns]
    cosine = np.concatenate(ours) @ np.concatenate(theirs).T
    forward = _of_groups(np.add, _of_groups(np.maximum, cosine, theirs, 1), ours, 0)
    backward = _of_groups(np.add, _of_groups(np.maximum, cosine, ours, 0), theirs, 1)
    many, few = np.array([len(v) for v in ours]), np.array([len(v) for v in theirs])
    out[np.ix_(rows, columns)] = np.clip((forward / many[:, None] + backward / few[None, :]) / 2, 0, 1)
    return out


def _of_groups(operation: np.ufunc, values: Matrix, groups: Sequence[Matrix], axis: int) -> Matrix:
    """``operation`` over each run of rows or columns that belongs to one column's values."""
    starts = np.cumsum([0, *(len(v) for v in groups[:-1])])
    found: Matrix = operation.reduceat(values, starts, axis=axis)
    return found


def _facet(block: Block, name: str) -> Matrix:
    return _cosine(block, name, name)


def _cosine(block: Block, left: str, right: str) -> Matrix:
    """Cosines of two facets; NaN where either side has no vector."""
    out = np.full(block.shape, np.nan, np.float32)
    if left not in block.source.facets or right not in block.source.facets:
        return out
    ours, said = block.source.facets[left], block.side.said(right)[block.places]
    own = np.asarray(ours.any(axis=1))
    if own.any() and said.any():
        cosine = _alike(block, ours @ block.side.facet(right)[block.places].T)
        np.copyto(out, cosine, where=own[:, None] & said)
    return out


def _alike(block: Block, cosine: Matrix) -> Matrix:
    """Cosines as all-MiniLM-L6-v2 would give them: another encoder's "unlike" lies elsewhere, "equal" is 1 for all."""
    unlike = block.source.unlike
    if unlike == UNLIKE:
        return cosine
    return np.asarray(1 - (1 - cosine) * (1 - UNLIKE) / max(1e-3, 1 - unlike), np.float32)
