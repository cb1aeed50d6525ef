"""Encoders for tests, whose vectors can be told from the text."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.embed.batches import Cost, Limits
from dbt_schema_embed.embed.stats import EmbedStats

DIM = 8


def hash_rows(texts: Sequence[str], dim: int = DIM) -> NDArray[np.float32]:
    """A row of length 1 for each text, drawn from the text's hash."""
    rows = np.empty((len(texts), dim), np.float32)
    for row, text in zip(rows, texts, strict=True):
        seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "little")
        row[:] = np.random.default_rng(seed).normal(size=dim)
        row /= np.linalg.norm(row)
    return rows


class HashEncoder:
    """Counts what it encodes."""

    name = "hash"

    def __init__(self, dim: int = DIM, chunk: int = 5) -> None:
        self.encoded: list[str] = []
        self.loads = 0
        self._dim = dim
        self._chunk = chunk
        self._lock = threading.Lock()

    def load(self) -> "HashEncoder":
        """Counts loads, too."""
        self.loads += 1
        return self

    def encode(self, texts: Sequence[str], limits: Limits, stats: EmbedStats) -> Iterator[NDArray[np.float32]]:
        """Rows, some texts at a time."""
        with self._lock:
            self.encoded += texts
        for at in range(0, len(texts), self._chunk):
            stats.batch(1, self._chunk)
            yield hash_rows(texts[at : at + self._chunk], self._dim)


class WordRunner:
    """A runner whose vector is the normalised sum of its token ids' hashes: order and companions do not matter."""

    name = "words"

    def __init__(self, workers: int = 2, budget: int = 64, dim: int = DIM) -> None:
        self.cost = Cost(workers, budget, token_bytes=1000, longest=16, base_bytes=0)
        self.shapes: list[tuple[int, ...]] = []
        self.run_rows: Callable[[NDArray[np.int64]], NDArray[np.float32]] = self.rows
        self._dim = dim
        self._lock = threading.Lock()

    def rows(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors."""
        return hash_rows([" ".join(map(str, row)) for row in ids], self._dim)

    def run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors, counted."""
        with self._lock:
            self.shapes.append(ids.shape)
        return self.run_rows(ids)
