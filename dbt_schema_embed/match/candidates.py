"""Which columns a source table is compared with: the nearest models' columns, and the nearest columns anywhere."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.block import Block, Lexicon, Matrix
from dbt_schema_embed.match.habits import Habits
from dbt_schema_embed.records import Embedded

FREE = 0.2
"""What a model that nothing feeds is ahead of the others by, when the nearest are chosen."""

MODELS, NEAREST = 12, 5
"""Models whose every column is a candidate, and further columns nearest to each source column. On the projects of
benchmarks/RESULTS.md twelve models held every right answer."""


PAIRS = 4_000_000
"""Pairs of columns that are compared for one table, at most: 1.5 GB of signals. No real table comes near."""

_SPACE = 2**24  # cosines held at a time: 64 MB


class Pool:
    """All columns that could be fed, stacked once for all source tables of a run."""

    def __init__(self, models: Sequence[Embedded], fed: Collection[str] = (), entered: Collection[str] = ()) -> None:
        self.models = tuple(m for m in models if m.relation.columns)
        self.fed = np.array([m.relation.id in fed for m in self.models], bool)
        self.entered = np.array([m.relation.id in entered for m in self.models], bool)
        sizes = [len(m.relation.columns) for m in self.models]
        self.model_of = np.repeat(np.arange(len(self.models)), sizes)
        self.column_of = np.concatenate([np.arange(s) for s in sizes] or [np.zeros(0, np.int64)])
        self.names = self._stack([m.facets["name"] for m in self.models])
        self.tables = self._stack([m.table[None] for m in self.models])

    @staticmethod
    def _stack(parts: list[Matrix]) -> Matrix:
        return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)


def build_block(source: Embedded, targets: Pool, lexicon: Lexicon, habits: Habits) -> Block:
    """The source table beside its candidate columns, models in the order of `Pool`."""
    few = len(targets.models) <= MODELS
    keep = np.ones(len(targets.model_of), bool) if few else _near(source, targets, lexicon)
    keep = _fewest(source, targets, keep)
    chosen = np.unique(targets.model_of[keep])
    place = np.full(len(targets.models), -1)
    place[chosen] = np.arange(len(chosen))
    return Block(
        source=source,
        models=[targets.models[m] for m in chosen],
        model_of=place[targets.model_of[keep]],
        column_of=targets.column_of[keep],
        lexicon=lexicon,
        habits=habits,
        fed=targets.fed[chosen],
        entered=targets.entered[chosen],
    )


def _cosines(source: Embedded, targets: Pool) -> Iterator[Matrix]:
    """Of the table's columns, some rows at a time, with all targets."""
    names, step = source.facets["name"], max(1, _SPACE // max(1, len(targets.names)))
    for start in range(0, len(names), step):
        yield names[start : start + step] @ targets.names.T


def _fewest(source: Embedded, targets: Pool, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of the candidates those nearest to any column, as many as `PAIRS` leaves to a table of so many columns."""
    most = PAIRS // max(1, len(source.relation.columns))
    if int(keep.sum()) <= most:
        return keep
    nearest = np.where(keep, np.max([part.max(axis=0) for part in _cosines(source, targets)], axis=0), -np.inf)
    left = np.zeros_like(keep)
    left[np.argsort(-nearest, kind="stable")[:most]] = True
    return left


def _near(source: Embedded, targets: Pool, lexicon: Lexicon) -> NDArray[np.bool_]:
    starts = np.searchsorted(targets.model_of, np.arange(len(targets.models)))
    # how well each model covers the table: the mean over the table's columns of the best cosine within the model
    covered, near = np.zeros(len(targets.models), np.float32), np.zeros(len(targets.names), bool)
    for part in _cosines(source, targets):
        covered += np.maximum.reduceat(part, starts, axis=1).sum(axis=0) / len(source.relation.columns)
        if len(near) > NEAREST:
            near[np.argpartition(-part, NEAREST, axis=1)[:, :NEAREST].ravel()] = True
    shared = lexicon.tables_alike(source.relation.id, [m.relation.id for m in targets.models])
    likeness = covered + targets.tables @ source.table + shared + FREE * ~targets.fed
    best_models = np.argsort(-likeness, kind="stable")[:MODELS]
    return near | np.isin(targets.model_of, best_models)
