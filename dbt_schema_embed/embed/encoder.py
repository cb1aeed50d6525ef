"""Texts in, rows of length 1 out: tokenized once, batched by equal length, computed by a runner."""

import threading
import time
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.embed.batches import plan
from dbt_schema_embed.embed.encoder_files import EncoderFiles
from dbt_schema_embed.embed.stats import EmbedStats
from dbt_schema_embed.errors import EncoderError

CHARACTERS_PER_TOKEN = 64
"""A text is cut at this many characters for each token its encoder reads, before it is tokenized."""


class Runner(Protocol):
    """Computes one batch."""

    name: str  # for people: "onnxruntime, cpu, float32"
    budget: int  # tokens in one batch

    def run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Vectors (n, d) of token ids (n, t); rows of length 1."""


class TokenEncoder:
    """An encoder whose pooling is plain: our tokenizing and batching around a runner."""

    def __init__(self, files: EncoderFiles, runner: Runner, batch_size: int | None) -> None:
        from tokenizers import Tokenizer

        self.name = runner.name
        self._files = files
        self._runner = runner
        self._batch_size = batch_size
        self._tokenizer = Tokenizer.from_file(str(files.tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=files.max_tokens)
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str], stats: EmbedStats) -> NDArray[np.float32]:
        """(n, d), rows in the order of ``texts``. One thread computes at a time: a batch uses every core.

        Raises:
            EncoderError: a vector that is not finite.
        """
        rows = np.zeros((len(texts), self._files.dim), np.float32)
        with self._lock:
            start = time.perf_counter()
            tokens = self._tokens(texts)
            lengths = [len(ids) for ids in tokens]
            batches = 0
            for at in plan(lengths, self._runner.budget, self._batch_size):
                rows[at] = self._runner.run(np.array([tokens[i] for i in at], dtype=np.int64))
                batches += 1
            stats.add(batches=batches, tokens=sum(lengths), encode_seconds=time.perf_counter() - start)
        return checked(rows)

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        longest = self._files.max_tokens * CHARACTERS_PER_TOKEN
        cut = [text[:longest] for text in texts]
        if self._files.lower_case:
            cut = [text.lower() for text in cut]
        # A lone surrogate, as broken JSON holds, is no text a tokenizer takes.
        cut = [t if t.isascii() else t.encode("utf-8", "replace").decode("utf-8") for t in cut]
        return [found.ids for found in self._tokenizer.encode_batch_fast(cut)]


class PipelineEncoder:
    """Any other encoder: sentence-transformers runs its whole pipeline."""

    def __init__(self, pipeline: Any, name: str, batch_size: int | None) -> None:
        self.name = name
        self._pipeline = pipeline
        self._batch_size = batch_size or 64  # measured best of sentence-transformers on short texts
        self._longest = int(pipeline.max_seq_length or 512) * CHARACTERS_PER_TOKEN
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str], stats: EmbedStats) -> NDArray[np.float32]:
        """(n, d), rows in the order of ``texts``; raises as `TokenEncoder.encode`."""
        cut = [text[: self._longest].encode("utf-8", "replace").decode("utf-8") for text in texts]
        with self._lock:
            start = time.perf_counter()
            rows = self._pipeline.encode(
                cut, batch_size=self._batch_size, normalize_embeddings=True, show_progress_bar=False
            )
            stats.add(batches=-(-len(cut) // self._batch_size), encode_seconds=time.perf_counter() - start)
        return checked(np.asarray(rows, np.float32))


def checked(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """``rows`` if each has length 1.

    Raises:
        EncoderError: a row that is not finite, or is zero.
    """
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    bad = int((~(np.abs(norms - 1) < 1e-3)).sum())  # NaN compares false
    if bad:
        raise EncoderError(
            f"the encoder gave {bad} of {len(rows)} texts a vector that is not a number",
            hint="its weights may be damaged, or the precision too low: try quantization float32",
        )
    return rows
