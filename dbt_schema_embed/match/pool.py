"""All columns that could be fed, stacked once for all source tables of a run."""

from collections.abc import Collection, Sequence
from functools import cached_property

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
        fed = {model for model, _ in self.feeding}
        self.fed = np.array([m.relation.id in fed for m in self.models], bool)
        self.entered = np.array([m.relation.id in entered for m in self.models], bool)
        sizes = [len(m.relation.columns) for m in self.models]
        self.starts = np.cumsum([0, *sizes])[:-1]
        self.model_of = np.repeat(np.arange(len(self.models)), sizes)
        self.column_of = np.concatenate([np.arange(s) for s in sizes] or [np.zeros(0, np.int64)])
        self.ends = np.cumsum(sizes, dtype=np.int64)
        self.tables = _stacked([m.table[None] for m in self.models])
        self._facets: dict[str, Matrix] = {}
        self._said: dict[str, NDArray[np.bool_]] = {}

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
        sums = np.add.reduceat(self.facet("name"), self.starts, axis=0)
        return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9), np.float32)

    def facet(self, name: str) -> Matrix:
        """(columns, d) vectors of that facet; no columns where no model has it."""
        if name not in self._facets:
            self._facets[name] = _stacked([m.facets[name] for m in self.models if name in m.facets])
        return self._facets[name]

    def said(self, name: str) -> NDArray[np.bool_]:
        """(columns,) whether a column has a vector of that facet."""
        if name not in self._said:
            self._said[name] = np.asarray(self.facet(name).any(axis=1))
        return self._said[name]


def _stacked(parts: list[Matrix]) -> Matrix:
    return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)
