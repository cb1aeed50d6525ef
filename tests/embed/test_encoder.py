"""Tokenizing and batching around a runner: order, limits, failures."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dbt_schema_embed.embed.batches import Limits
from dbt_schema_embed.embed.encoder import (
    CHARACTERS_PER_TOKEN,
    DeviceMemoryError,
    PipelineEncoder,
    TokenEncoder,
    readable,
)
from dbt_schema_embed.embed.encoder_files import EncoderFiles
from dbt_schema_embed.embed.stats import EmbedStats
from dbt_schema_embed.errors import ConfigError, EncoderError
from tests.embed.encoders import DIM, WordRunner, hash_rows

TEXTS = st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=20).map(lambda n: " ".join(f"w{i}" for i in n)))


def encoded(encoder: Any, texts: Sequence[str], limits: Limits | None = None) -> NDArray[np.float32]:
    """All rows."""
    return np.concatenate([*encoder.encode(texts, limits or Limits(), EmbedStats()), np.zeros((0, DIM), np.float32)])


def expected(texts: Sequence[str]) -> NDArray[np.float32]:
    """The rows of texts, each alone: words 0 to 99 are tokens 1 to 100, and sixteen are read."""
    return hash_rows([" ".join(str(int(w[1:]) + 1) for w in text.split()[:16]) for text in texts])


@settings(max_examples=50, deadline=None)
@given(texts=TEXTS, batch_size=st.none() | st.integers(1, 9), workers=st.integers(1, 3), budget=st.integers(1, 100))
def test_rows_do_not_depend_on_batches(
    word_files: EncoderFiles, texts: list[str], batch_size: int | None, workers: int, budget: int
) -> None:
    """Nor on the order or the threads; every batch has one length and fits."""
    runner = WordRunner(workers, budget)
    assert np.array_equal(encoded(TokenEncoder(word_files, runner), texts, Limits(batch_size)), expected(texts))
    assert sum(rows for rows, _ in runner.shapes) == len(texts)
    assert all(rows <= (batch_size or rows) and (rows == 1 or rows * size <= budget) for rows, size in runner.shapes)


def test_a_long_text_is_cut_before_it_is_tokenized(word_files: EncoderFiles) -> None:
    """A hundred thousand characters cost what the encoder reads."""
    runner = WordRunner()
    texts = ["w1 " * 50_000, "w1 " * 16, "x" * 100_000]
    rows = encoded(TokenEncoder(word_files, runner), texts)
    assert np.array_equal(rows[0], rows[1])
    assert max(size for _, size in runner.shapes) == word_files.max_tokens
    assert CHARACTERS_PER_TOKEN * word_files.max_tokens < 2000


@pytest.mark.parametrize("text", ["", " ", "\ud800", "客户", "🙂", "\x00", "\u202e"])
def test_any_text_has_a_vector(word_files: EncoderFiles, text: str) -> None:
    """Empty, not Unicode, not Latin."""
    assert np.linalg.norm(encoded(TokenEncoder(word_files, WordRunner()), [text])[0]) == pytest.approx(1)


def test_lower_case_where_the_encoder_wants_it(word_files: EncoderFiles) -> None:
    """As its configuration says."""
    folding = TokenEncoder(replace(word_files, lower_case=True), WordRunner())
    assert np.array_equal(encoded(folding, ["W1 w2"]), expected(["w1 w2"]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_a_vector_that_is_no_number_is_an_error(word_files: EncoderFiles, bad: float) -> None:
    """It tells how many texts, not which."""
    runner = WordRunner()

    def run(ids: NDArray[np.int64]) -> NDArray[np.float32]:
        rows = runner.rows(ids)
        rows[(ids == 8).any(axis=1)] = bad
        return rows

    runner.run_rows = run
    with pytest.raises(EncoderError) as problem:
        encoded(TokenEncoder(word_files, runner), ["w1", "w7", "w2 w3", "w7 w7"])
    assert problem.value.message == "the encoder gave 2 of 4 texts a vector that is not a number"


def _small_device(runner: WordRunner, tokens: int) -> Callable[[NDArray[np.int64]], NDArray[np.float32]]:
    def run(ids: NDArray[np.int64]) -> NDArray[np.float32]:
        if ids.size > tokens:
            raise DeviceMemoryError
        return runner.rows(ids)

    return run


def test_a_full_device_halves_the_budget_and_goes_on(word_files: EncoderFiles) -> None:
    """The rows are the same, and later batches are smaller from the start."""
    runner = WordRunner(workers=1, budget=1000)
    runner.run_rows = _small_device(runner, 30)
    encoder = TokenEncoder(word_files, runner)
    texts = [f"w{n % 100} w{n // 100} w3" for n in range(200)]
    assert np.array_equal(encoded(encoder, texts), expected(texts))
    failed = sum(rows * size > 30 for rows, size in runner.shapes)
    assert failed <= 6
    before = len(runner.shapes)
    encoded(encoder, texts)
    assert all(rows * size <= 30 for rows, size in runner.shapes[before:])


def test_a_device_without_room_for_one_text(word_files: EncoderFiles) -> None:
    """Is an error that says what to do."""
    runner = WordRunner()
    runner.run_rows = _small_device(runner, 1)
    with pytest.raises(EncoderError, match="no room for one text of 2 tokens") as problem:
        encoded(TokenEncoder(word_files, runner), ["w1 w2", "w3 w4"])
    assert problem.value.hint == "set use_gpu to false"


def test_a_memory_limit_makes_smaller_batches(word_files: EncoderFiles) -> None:
    """Or is refused before anything is computed."""
    runner = WordRunner(workers=1, budget=10_000)
    texts = [f"w{n % 100} w{n // 100}" for n in range(4000)]
    free = encoded(TokenEncoder(word_files, runner), texts)
    assert max(rows * size for rows, size in runner.shapes) == 1024
    runner.shapes.clear()
    assert np.array_equal(encoded(TokenEncoder(word_files, runner), texts, Limits(memory_mb=1)), free)
    assert max(rows * size for rows, size in runner.shapes) * 1000 < 2**20 - 4000 * DIM * 8
    runner.shapes.clear()
    with pytest.raises(ConfigError, match="would fit"):
        encoded(TokenEncoder(word_files, runner), texts * 5, Limits(memory_mb=1))
    assert runner.shapes == []


def test_batches_run_side_by_side_but_no_more_than_wanted(word_files: EncoderFiles) -> None:
    """As many as the runner has workers, for all callers together."""
    runner = WordRunner(workers=2, budget=1)
    running, most = 0, 0
    lock = threading.Lock()

    def run(ids: NDArray[np.int64]) -> NDArray[np.float32]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1
        return runner.rows(ids)

    runner.run_rows = run
    encoder = TokenEncoder(word_files, runner)
    threads = [threading.Thread(target=encoded, args=(encoder, [f"w{n}" for n in range(20)])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_statistics(word_files: EncoderFiles) -> None:
    """Tokens, batches, the largest one, and the time it took."""
    stats = EmbedStats()
    list(TokenEncoder(word_files, WordRunner(budget=4)).encode(["w1 w2", "w3 w4", "w5 w6", "w7"], Limits(), stats))
    assert (stats.tokens, stats.batches, stats.largest_batch) == (7, 3, 2)
    assert stats.encode_seconds > 0


class Pipeline:
    """What sentence-transformers gives."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def encode(self, texts: list[str], *, batch_size: int, **_: object) -> NDArray[np.float32]:
        """Rows, and a note of what was asked."""
        self.sizes.append((len(texts), batch_size))
        return hash_rows(texts)


def test_other_pipelines_run_as_they_are(word_files: EncoderFiles) -> None:
    """In chunks, cut and readable, with the batch size given, or one that fits."""
    pipeline = Pipeline()
    encoder = PipelineEncoder(word_files, pipeline, "any")
    texts = [f"t{n}" for n in range(5000)] + ["x" * 100_000, "\ud800"]
    rows = encoded(encoder, texts, Limits(batch_size=3))
    assert pipeline.sizes == [(2048, 3), (2048, 3), (906, 3)]
    assert np.array_equal(rows[:5000], hash_rows(texts[:5000]))
    assert np.array_equal(rows[5000:], hash_rows(["x" * 1024, "?"]))
    pipeline.sizes.clear()
    encoded(encoder, texts[:10])
    encoded(encoder, texts[:10], Limits(memory_mb=25))
    assert pipeline.sizes == [(10, 64), (10, 53)]
    with pytest.raises(ConfigError, match="would fit"):
        encoded(encoder, texts, Limits(memory_mb=1))


def test_readable_leaves_good_text_alone() -> None:
    """Only lone surrogates go."""
    assert [readable(t) for t in ("abc", "größe", "🙂", "a\ud800b")] == ["abc", "größe", "🙂", "a?b"]


def test_parts_that_do_not_belong_together_are_one_error(word_files: EncoderFiles) -> None:
    """Ids beyond the vocabulary, vectors of another size: each engine has an error of its own."""

    class Strange(WordRunner):
        def run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
            raise RuntimeError("indices element out of data bounds, idx=10000104\nand more")

    with pytest.raises(EncoderError) as caught:
        encoded(TokenEncoder(word_files, Strange()), ["w1"])
    assert str(caught.value) == (
        "encoder words cannot encode: indices element out of data bounds, idx=10000104\n"
        "  do its weights, its tokenizer and its configuration belong together?"
    )

    class Narrow(WordRunner):
        def run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
            return super().run(ids)[:, :-1]

    with pytest.raises(EncoderError, match="encoder words cannot encode: "):
        encoded(TokenEncoder(word_files, Narrow()), ["w1"])
