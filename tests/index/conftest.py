"""Vectors whose neighbours can be computed by hand, and a memo that says what it was asked for."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dbt_schema_embed.index import Index, open_index

DIM = 16


class Memo:
    """Gives each text a vector of its own, always the same; counts what it was asked for."""

    def __init__(self, items: Mapping[str, str], dim: int = DIM) -> None:
        self.items = dict(items)
        self.dim = dim
        self.asked: list[str] = []

    def vector(self, text: str) -> NDArray[np.float32]:
        """The vector of a text: one of 20 directions, and something of its own."""
        number = int.from_bytes(text.encode("utf-8", "surrogatepass"), "big") % 2**63
        centre = np.random.default_rng(number % 20).normal(size=self.dim)
        own = np.random.default_rng(number).normal(size=self.dim)
        row = centre + 0.7 * own
        return (row / np.linalg.norm(row)).astype(np.float32)

    def __call__(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of the texts of ``ids``."""
        self.asked += ids
        return self.of(ids)

    def of(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """The same, uncounted."""
        return np.array([self.vector(self.items[i]) for i in ids], np.float32).reshape(len(ids), self.dim)


def columns(count: int) -> dict[str, str]:
    """``count`` ids, each with a text of its own."""
    return {f"model.shop.m{n // 10}|c{n}": f"text {n}" for n in range(count)}


def brute_force(memo: Memo, queries: NDArray[Any], k: int) -> tuple[list[list[str]], NDArray[np.float64]]:
    """The answer, computed another way: one cosine at a time, in float64, on the vectors as they are stored."""
    ids = sorted(memo.items)
    stored = memo.of(ids).astype(np.float16).astype(np.float64)
    found, similarities = [], []
    for query in np.asarray(queries, np.float64):
        length = np.linalg.norm(query)
        cosines = [float(row @ query) / length if length else 0.0 for row in stored]
        best = sorted((-round(min(max(c, -1), 1), 6), i) for c, i in zip(cosines, ids, strict=True))[:k]
        found.append([i for _, i in best])
        similarities.append([-c for c, _ in best])
    return found, np.array(similarities).reshape(len(queries), min(k, len(ids)))


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here cuts the power."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Any]:
    """Opens indexes in one folder and closes them afterwards."""
    indexes: list[Index] = []

    def open_one(**options: Any) -> Index:
        settings = {"encoder_id": "e", "dim": DIM, "text_version": 1} | options
        folder = settings.pop("folder", tmp_path / "index")
        indexes.append(open_index(folder, **settings))
        return indexes[-1]

    yield open_one
    for index in indexes:
        index.close()
