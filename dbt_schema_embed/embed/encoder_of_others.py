"""An encoder that another package brings, behind the face of ours."""

import time
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.doors import brought
from dbt_schema_embed.embed.batches import Limits
from dbt_schema_embed.embed.encoder import checked, readable
from dbt_schema_embed.embed.languages import LANGUAGES, Languages
from dbt_schema_embed.embed.locate import is_default, is_path
from dbt_schema_embed.embed.stats import EmbedStats
from dbt_schema_embed.errors import EncoderError, printable

CHUNK = 2_048
"""Texts that it is handed at once, where no batch size is set."""


class TextEncoder(Protocol):
    """What the entry point, called without arguments, gives. It loads its weights in `encode`, not before."""

    encoder_id: str  # changes with the weights and with all that changes vectors: the memo's key is made of it
    dim: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, dim), a row a text, in order, of any length but 0."""


class EncoderOfOthers:
    """Such an encoder as the memo calls it."""

    def __init__(self, name: str, encoder: TextEncoder) -> None:
        self.name, self.encoder_id, self.dim = name, encoder.encoder_id, encoder.dim
        self._encoder = encoder

    def encode(self, texts: Sequence[str], limits: Limits, stats: EmbedStats) -> Iterator[NDArray[np.float32]]:
        """Rows of length 1 of the first texts, then of the next, until all have come.

        Raises:
            EncoderError: it fails, or gives other rows than it says.
        """
        size = limits.batch_size or CHUNK
        for at in range(0, len(texts), size):
            start, chunk = time.perf_counter(), [readable(text) for text in texts[at : at + size]]
            try:
                rows = np.asarray(self._encoder.encode(chunk), np.float32)
            except Exception as problem:  # somebody else's code: anything may happen
                said = f"{type(problem).__name__}: {printable(problem)}"
                raise EncoderError(f"encoder {printable(self.name)} cannot encode: {said}") from problem
            if rows.shape != (len(chunk), self.dim):
                raise EncoderError(f"encoder {printable(self.name)} gave {rows.shape}, not {(len(chunk), self.dim)}")
            stats.batch(1, len(chunk))
            stats.add(encode_seconds=time.perf_counter() - start)
            yield checked(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12)))


def encoder_of_others(name: str) -> EncoderOfOthers | None:
    """The encoder that another package calls so; None: it is one of ours, or a path, or nobody's."""
    if is_default(name) or is_path(name):
        return None
    made = Languages if name == LANGUAGES else brought("encoders", name)
    return EncoderOfOthers(name, made()) if made else None
