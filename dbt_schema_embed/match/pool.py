"""All columns that could be fed, stacked once for all source tables of a run."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from mmap import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.layers import Feeding
from dbt_schema_embed.match.nearby import Nearby
from dbt_schema_embed.records import Column, Embedded

Matrix = NDArray[np.float32]


class Pool:
    """The columns of the models that have any, one after the other: column t is ``columns[t]``."""

    def __init__(
        self, models: Sequence[Embedded], feeding: Feeding | None = None, entered: Collection[str] = ()
    ) -> None:
        self.models = tuple(m for m in models if m.relation.columns)
        self.ids = tuple(m.relation.id for m in self.models)
        self.feeding = feeding or {}
        fed: dict[str, set[str]] = defaultdict(set)
        for (model, _), columns in self.feeding.items():
            fed[model].update(source for source, _ in columns)
        self.fed_by = [fed.get(i, set()) for i in self.ids]
        self.fed = np.array([bool(some) for some in self.fed_by], bool)
        self.entered = np.array([m.relation.id in entered for m in self.models], bool)
        sizes = [len(m.relation.columns) for m in self.models]
        self.starts = np.cumsum([0, *sizes])[:-1]
        self.model_of = np.repeat(np.arange(len(self.models)), sizes)
        self.column_of = np.concatenate([np.arange(s) for s in sizes] or [np.zeros(0, np.int64)])
        self.ends = np.cumsum(sizes, dtype=np.int64)
        self.tables = _stacked([m.table[None] for m in self.models])
        self._facets: dict[str, Asked] = {}
        self._said: dict[str, Asked] = {}

    @cached_property
    def columns(self) -> list[Column]:
        """Every column."""
        return [c for m in self.models for c in m.relation.columns]

    @cached_property
    def nearby(self) -> Nearby:
        """The models by their words."""
        return Nearby([m.relation for m in self.models])

    @cached_property
    def means(self) -> Matrix:
        """(models, d) the mean vector of each model's names."""
        sums = np.array([m.facets["name"].sum(axis=0) for m in self.models], np.float32)
        return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9), np.float32)

    def facet(self, name: str) -> "Asked":
        """(columns, d) vectors of that facet; no columns where no model has it."""
        if name not in self._facets:
            self._facets[name] = Asked(self, name, lambda m: m.facets[name])
        return self._facets[name]

    def said(self, name: str) -> "Asked":
        """(columns,) whether a column has a vector of that facet."""
        if name not in self._said:
            self._said[name] = Asked(self, name, lambda m: np.asarray(m.facets[name].any(axis=1)))
        return self._said[name]


class Asked:
    """An array with a row a column, of which only that is worked out, a model at a time, which is asked for."""

    def __init__(self, pool: Pool, name: str, of: "Callable[[Embedded], NDArray[Any]]") -> None:
        self._pool, self._of = pool, of
        one = of(pool.models[0]) if pool.models and name in pool.models[0].facets else np.zeros((0, 1), np.float32)
        rows, size = len(pool.model_of) if len(one) else 0, one[:1].nbytes
        # Of np.empty the first row that is written costs two megabytes of others, wherever it stands.
        self._rows = np.frombuffer(mmap(-1, max(1, rows * size)), one.dtype, rows * one[:1].size)
        self._rows = self._rows.reshape(rows, *one.shape[1:])
        self._known = np.zeros(len(pool.models), bool)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, places: "NDArray[np.int64]") -> "NDArray[Any]":
        wanted = np.zeros(len(self._known), bool)
        wanted[self._pool.model_of[places]] = True
        for m in np.flatnonzero(wanted & ~self._known).tolist():
            self._rows[self._pool.starts[m] : self._pool.ends[m]] = self._of(self._pool.models[m])
        self._known |= wanted
        return self._rows[places]


def _stacked(parts: list[Matrix]) -> Matrix:
    return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)
