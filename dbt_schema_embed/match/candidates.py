"""Which columns a source table is compared with: the nearest models' columns, and the nearest columns anywhere."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.all_words import Lexicon
from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.habits import Habits
from dbt_schema_embed.match.nearby import highest, keys_of
from dbt_schema_embed.match.pool import Pool
from dbt_schema_embed.records import Embedded

FREE = 0.2
"""What a model that nothing feeds is ahead of the others by, when the nearest are chosen."""

MODELS, NEAREST = 12, 5
"""Models whose every column is a candidate, and further columns nearest to each source column. On the projects of
benchmarks/RESULTS.md twelve models held every right answer."""

MANY, SHARING, LIKE = 150, 100, 25
"""Models from which on they are looked up before they are compared: how many by their words, and how many by the vector
of their name and by the mean of their columns' vectors."""

PAIRS = 4_000_000
"""Pairs of columns that are compared for one table, at most: 1.5 GB of signals. No real table comes near."""

_SPACE = 2**24  # cosines held at a time: 64 MB


def build_block(source: Embedded, targets: Pool, lexicon: Lexicon, habits: Habits) -> Block:
    """The source table beside its candidate columns, models in the order of `Pool`."""
    some = looked_up(source, targets, lexicon)
    alike = lexicon.tables_alike(source.relation.id, targets.ids, some)
    columns = _columns_of(targets, some)
    if len(some) > MODELS:
        columns = columns[_near(source, targets, some, columns, alike)]
    columns = _fewest(source, targets, columns)
    chosen = targets.model_of[columns]
    chosen = chosen[np.diff(chosen, prepend=-1) > 0]
    return Block(source, targets, columns, alike[np.searchsorted(some, chosen)], lexicon, habits)


def looked_up(source: Embedded, targets: Pool, lexicon: Lexicon) -> NDArray[np.int64]:
    """The models that the table is compared with, ascending: all where these are few, else those that share its words,
    as they stand or as they are read, and those whose vectors are nearest."""
    count = len(targets.models)
    if count <= MANY:
        return np.arange(count)
    views = (view for n in lexicon.of[source.relation.id].tolist() for view in lexicon.said[n])
    found = np.zeros(count, bool)
    found[targets.nearby.nearest(keys_of(source.relation, views), SHARING)] = True
    for vectors, own in ((targets.tables, source.table), (targets.means, source.facets["name"].sum(axis=0))):
        found[highest(vectors @ own, LIKE)] = True
    return np.flatnonzero(found)


def _columns_of(targets: Pool, models: NDArray[np.int64]) -> NDArray[np.int64]:
    """The columns of some models, which are ascending."""
    counts = targets.ends[models] - targets.starts[models]
    before = np.cumsum(counts) - counts
    columns: NDArray[np.int64] = np.arange(int(counts.sum())) + np.repeat(targets.starts[models] - before, counts)
    return columns


def _cosines(source: Embedded, targets: Pool, columns: NDArray[np.int64]) -> Iterator[Matrix]:
    """Of the table's columns, some rows at a time, with those columns that could be fed."""
    names, theirs = source.facets["name"], targets.facet("name")[columns]
    step = max(1, _SPACE // max(1, len(columns)))
    for start in range(0, len(names), step):
        yield names[start : start + step] @ theirs.T


def _fewest(source: Embedded, targets: Pool, columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of the candidates those nearest to any column, as many as `PAIRS` leaves to a table of so many columns."""
    most = PAIRS // max(1, len(source.relation.columns))
    if len(columns) <= most:
        return columns
    nearest = np.max([part.max(axis=0) for part in _cosines(source, targets, columns)], axis=0)
    return columns[np.sort(np.argsort(-nearest, kind="stable")[:most])]


def _near(
    source: Embedded, targets: Pool, models: NDArray[np.int64], columns: NDArray[np.int64], alike: Matrix
) -> NDArray[np.bool_]:
    """(columns,): it is of one of the nearest of ``models``, or among the nearest to a column of the table."""
    starts = np.cumsum(counts := targets.ends[models] - targets.starts[models]) - counts
    # how well each model covers the table: the mean over the table's columns of the best cosine within the model
    covered, near = np.zeros(len(models), np.float32), np.zeros(len(columns), bool)
    for part in _cosines(source, targets, columns):
        covered += np.maximum.reduceat(part, starts, axis=1).sum(axis=0) / len(source.relation.columns)
        if len(near) > NEAREST:
            near[np.argpartition(-part, NEAREST, axis=1)[:, :NEAREST].ravel()] = True
    likeness = covered + targets.tables[models] @ source.table + alike + FREE * ~targets.fed[models]
    best_models = np.argsort(-likeness, kind="stable")[:MODELS]
    return near | np.isin(np.repeat(np.arange(len(models)), counts), best_models)
