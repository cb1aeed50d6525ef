"""Vectors whose neighbours can be computed by hand, and a memo that says what it was asked for."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dbt_schema_embed.index import Index

DIM = 16
Open = Callable[..., Index]


class Memo:
    """Gives each text a vector of its own, always the same; counts what it was asked for."""

    def __init__(self, dim: int = DIM) -> None:
        self.dim = dim
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of ``texts``."""
        self.asked += texts
        return self.of(texts)

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The same, uncounted."""
        return np.array([self._vector(text) for text in texts], np.float32).reshape(len(texts), self.dim)

    def _vector(self, text: str) -> NDArray[np.float32]:
        """The vector of a text: one of 20 directions, and something of its own."""
        number = int.from_bytes(text.encode("utf-8", "surrogatepass"), "big") % 2**63
        centre = np.random.default_rng(number % 20).normal(size=self.dim)
        row = centre + 0.7 * np.random.default_rng(number).normal(size=self.dim)
        return (row / np.linalg.norm(row)).astype(np.float32)


def some(count: int) -> list[str]:
    """``count`` texts."""
    return [f"text {n}" for n in range(count)]


def brute_force(texts: Sequence[str], queries: NDArray[Any], k: int) -> tuple[list[list[int]], NDArray[np.float64]]:
    """The answer, computed another way: one cosine at a time, in float64, on the vectors as they are stored."""
    stored = Memo(queries.shape[1]).of(texts).astype(np.float16).astype(np.float64)
    found, cosines = [], []
    for query in np.asarray(queries, np.float64):
        length = np.linalg.norm(query)
        values = [float(row @ query) / length if length else 0.0 for row in stored]
        best = sorted((-round(min(max(c, -1), 1), 6), row) for row, c in enumerate(values))[:k]
        found.append([row for _, row in best])
        cosines.append([-c for c, _ in best])
    return found, np.array(cosines).reshape(len(queries), min(k, len(texts)))


def right(index: Index, texts: Sequence[str]) -> bool:
    """Whether the answers are those of brute force."""
    queries = np.concatenate([Memo().of(texts[::17]), np.random.default_rng(2).normal(size=(5, DIM))])
    return index.query(queries, 5)[0].tolist() == brute_force(texts, queries, 5)[0]


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here cuts the power."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where `opened` opens indexes: a folder in a folder of ours."""
    return tmp_path / "schema_embed" / "index"


@pytest.fixture
def opened(folder: Path) -> Iterator[Open]:
    """Opens indexes in one folder and closes them afterwards."""
    indexes: list[Index] = []

    def open_one(**options: Any) -> Index:
        settings = {"encoder_id": "e", "dim": DIM} | options
        indexes.append(Index(settings.pop("folder", folder), **settings))
        return indexes[-1]

    yield open_one
    for index in indexes:
        index.close()
