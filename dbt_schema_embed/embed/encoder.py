"""Texts in, rows of length 1 out: tokenized once, batched by equal length, computed by a runner."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.embed.batches import Cost, Limits, Work, cut, plan, share
from dbt_schema_embed.embed.encoder_files import EncoderFiles
from dbt_schema_embed.embed.forking import new_lock
from dbt_schema_embed.embed.stats import EmbedStats
from dbt_schema_embed.errors import EncoderError, SchemaEmbedError, printable

CHARACTERS_PER_TOKEN = 64
"""A text is cut at this many characters for each token its encoder reads, before it is tokenized."""

_PIPELINE_ROWS = 64  # the best batch size of sentence-transformers on short texts, measured

Rows = NDArray[np.float32]


class DeviceMemoryError(Exception):
    """The device had no room for a batch."""


class Runner(Protocol):
    """Computes one batch. Several threads may call it."""

    name: str  # for people: "onnxruntime, cpu, float32"
    cost: Cost

    def run(self, ids: NDArray[np.int64]) -> Rows:
        """Vectors (n, d), rows of length 1, of token ids (n, t); raises DeviceMemoryError."""


class Encoder(Protocol):
    """What turns texts into rows of length 1."""

    name: str

    def encode(self, texts: Sequence[str], limits: Limits, stats: EmbedStats) -> Iterator[Rows]:
        """Rows of the first texts, then of the next, until all have come."""


class TokenEncoder:
    """An encoder whose pooling is plain: our tokenizing and batching around a runner.

    Batches run side by side on threads of their own, as many as the runner wants; the next chunk is tokenized
    meanwhile. Callers from several threads share these threads.
    """

    def __init__(self, files: EncoderFiles, runner: Runner) -> None:
        from tokenizers import Tokenizer

        self.name = runner.name
        self._files = files
        self._runner = runner
        self._budget = runner.cost.budget
        self._pad = int(files.config.get("pad_token_id") or 0)
        self._tokenizer = Tokenizer.from_file(str(files.tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=files.max_tokens)
        self._pool = ThreadPoolExecutor(runner.cost.workers, "encode")
        self._ahead = ThreadPoolExecutor(1, "tokenize")

    def encode(self, texts: Sequence[str], limits: Limits, stats: EmbedStats) -> Iterator[Rows]:
        """Rows of the first texts, then of the next, until all have come.

        Raises:
            ConfigError: the memory limit cannot be met.
            EncoderError: a vector that is not finite, or a device without room for one text.
        """
        work = cut(len(texts), self._files.dim, self._runner.cost, limits)
        chunks = [texts[at : at + work.chunk] for at in range(0, len(texts), work.chunk)]
        ahead: Future[list[list[int]]] | None = None
        for number, chunk in enumerate(chunks):
            start = time.perf_counter()
            tokens = ahead.result() if ahead else self._tokens(chunk)
            ahead = self._ahead.submit(self._tokens, chunks[number + 1]) if number + 1 < len(chunks) else None
            rows = self._computed(tokens, work, stats)
            stats.add(tokens=sum(map(len, tokens)), encode_seconds=time.perf_counter() - start)
            yield checked(rows)

    def _computed(self, tokens: list[list[int]], work: Work, stats: EmbedStats) -> Rows:
        try:
            return self._compute(tokens, work, stats)
        except SchemaEmbedError:
            raise
        except Exception as problem:  # what onnxruntime and torch raise has no base of its own
            reason = printable(str(problem).splitlines()[0] if str(problem) else type(problem).__name__)
            raise EncoderError(
                f"encoder {self._files.name} cannot encode: {reason}",
                hint="do its weights, its tokenizer and its configuration belong together?",
            ) from problem

    def _compute(self, tokens: list[list[int]], work: Work, stats: EmbedStats) -> Rows:
        rows = np.zeros((len(tokens), self._files.dim), np.float32)
        lengths = [len(ids) for ids in tokens]
        batches = list(plan(lengths, min(share(sum(lengths), work), self._budget), work.rows))
        stats.batch(len(batches), max(len(at) for at in batches))
        room = threading.Semaphore(work.workers)  # fewer than the pool's threads where memory is limited

        def run(at: NDArray[np.intp]) -> Rows:
            with room:
                return self._run(np.array([tokens[i] for i in at], dtype=np.int64))

        for at, vectors in zip(batches, self._pool.map(run, batches), strict=True):
            rows[at] = vectors
        return rows

    def _run(self, ids: NDArray[np.int64]) -> Rows:
        """Vectors of ``ids``; a batch that finds no room is halved, and so is every one after it."""
        if ids.size <= self._budget or len(ids) == 1:
            try:
                return self._runner.run(ids)
            except DeviceMemoryError:
                if len(ids) == 1:
                    raise EncoderError(
                        f"the device has no room for one text of {ids.size} tokens", hint="set use_gpu to false"
                    ) from None
                self._budget = min(self._budget, ids.size // 2)
        half = len(ids) // 2
        return np.concatenate([self._run(ids[:half]), self._run(ids[half:])])

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        longest = self._files.max_tokens * CHARACTERS_PER_TOKEN
        shortened = [readable(text[:longest]) for text in texts]
        if self._files.lower_case:
            shortened = [text.lower() for text in shortened]
        # A tokenizer without special tokens finds none in some texts; a runner needs at least one.
        return [found.ids or [self._pad] for found in self._tokenizer.encode_batch_fast(shortened)]


class PipelineEncoder:
    """Any other encoder: sentence-transformers runs its whole pipeline."""

    def __init__(self, files: EncoderFiles, pipeline: Any, name: str) -> None:
        self.name = name
        self._files = files
        self._pipeline = pipeline
        self._cost = Cost(1, _PIPELINE_ROWS * files.max_tokens, files.token_bytes, files.max_tokens)
        self._longest = files.max_tokens * CHARACTERS_PER_TOKEN
        self._lock = new_lock()

    def encode(self, texts: Sequence[str], limits: Limits, stats: EmbedStats) -> Iterator[Rows]:
        """Rows of the first texts, then of the next; raises as `TokenEncoder.encode`."""
        work = cut(len(texts), self._files.dim, self._cost, limits)
        size = limits.batch_size or max(1, min(_PIPELINE_ROWS, work.budget // self._files.max_tokens))
        for at in range(0, len(texts), work.chunk):
            chunk = [readable(text[: self._longest]) for text in texts[at : at + work.chunk]]
            with self._lock:
                start = time.perf_counter()
                found = self._pipeline.encode(
                    chunk, batch_size=size, normalize_embeddings=True, show_progress_bar=False
                )
                rows = np.asarray(found, np.float32)
                stats.batch(-(-len(chunk) // size), min(size, len(chunk)))
                stats.add(encode_seconds=time.perf_counter() - start)
            yield checked(rows)


def readable(text: str) -> str:
    """``text`` without lone surrogates, as broken JSON holds: no tokenizer takes them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def checked(rows: Rows) -> Rows:
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
