"""Which columns a source table is compared with: the nearest models' columns, and the nearest columns anywhere."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.block import Block, Lexicon, Matrix
from dbt_schema_embed.match.habits import Habits
from dbt_schema_embed.match.pool import Pool
from dbt_schema_embed.records import Embedded

FREE = 0.2
"""What a model that nothing feeds is ahead of the others by, when the nearest are chosen."""

MODELS, NEAREST = 12, 5
"""Models whose every column is a candidate, and further columns nearest to each source column. On the projects of
benchmarks/RESULTS.md twelve models held every right answer."""

PAIRS = 4_000_000
"""Pairs of columns that are compared for one table, at most: 1.5 GB of signals. No real table comes near."""

_SPACE = 2**24  # cosines held at a time: 64 MB


def build_block(source: Embedded, targets: Pool, lexicon: Lexicon, habits: Habits) -> Block:
    """The source table beside its candidate columns, models in the order of `Pool`."""
    few = len(targets.models) <= MODELS
    alike = lexicon.tables_alike(source.relation.id, targets.ids)
    keep = np.ones(len(targets.model_of), bool) if few else _near(source, targets, alike)
    return Block(source, targets, np.flatnonzero(_fewest(source, targets, keep)), alike, lexicon, habits)


def _cosines(source: Embedded, targets: Pool) -> Iterator[Matrix]:
    """Of the table's columns, some rows at a time, with all targets."""
    names, theirs = source.facets["name"], targets.facet("name")
    step = max(1, _SPACE // max(1, len(theirs)))
    for start in range(0, len(names), step):
        yield names[start : start + step] @ theirs.T


def _fewest(source: Embedded, targets: Pool, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of the candidates those nearest to any column, as many as `PAIRS` leaves to a table of so many columns."""
    most = PAIRS // max(1, len(source.relation.columns))
    if int(keep.sum()) <= most:
        return keep
    nearest = np.where(keep, np.max([part.max(axis=0) for part in _cosines(source, targets)], axis=0), -np.inf)
    left = np.zeros_like(keep)
    left[np.argsort(-nearest, kind="stable")[:most]] = True
    return left


def _near(source: Embedded, targets: Pool, alike: Matrix) -> NDArray[np.bool_]:
    # how well each model covers the table: the mean over the table's columns of the best cosine within the model
    covered, near = np.zeros(len(targets.models), np.float32), np.zeros(len(targets.model_of), bool)
    for part in _cosines(source, targets):
        covered += np.maximum.reduceat(part, targets.starts, axis=1).sum(axis=0) / len(source.relation.columns)
        if len(near) > NEAREST:
            near[np.argpartition(-part, NEAREST, axis=1)[:, :NEAREST].ravel()] = True
    likeness = covered + targets.tables @ source.table + alike + FREE * ~targets.fed
    best_models = np.argsort(-likeness, kind="stable")[:MODELS]
    return near | np.isin(targets.model_of, best_models)
