"""Runners in processes of their own, tried without a GPU."""

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dbt_schema_embed.embed.encoder import DeviceMemoryError, TokenEncoder
from dbt_schema_embed.embed.encoder_files import EncoderFiles
from dbt_schema_embed.embed.gpu_workers import GpuWorkers
from dbt_schema_embed.errors import EncoderError
from tests.embed.encoders import WordRunner
from tests.embed.test_encoder import encoded, expected


def small_runner(device: str, room: int = 10**9) -> WordRunner:
    """A device with room for some tokens; one called "broken" does not start, one called "mortal" dies at work."""
    if device == "broken":
        raise EncoderError("no weights", hint="get some")
    runner = WordRunner(budget=40)

    def run(ids: NDArray[np.int64]) -> NDArray[np.float32]:
        if device == "mortal":
            os._exit(1)
        if ids.size > room:
            raise DeviceMemoryError
        return runner.rows(ids)

    runner.run_rows = run
    return runner


def test_two_workers_share_the_batches(word_files: EncoderFiles) -> None:
    """Rows are those of one runner, also where a device is short of memory."""
    workers = GpuWorkers(partial(small_runner, room=20), ["gpu:0", "gpu:1"])
    assert (workers.name, workers.cost.workers) == ("words", 2)
    texts = [f"w{n} w{n // 2}" for n in range(80)] + ["w1"]
    assert np.array_equal(encoded(TokenEncoder(word_files, workers), texts), expected(texts))


def test_workers_import_nothing_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("multiprocessing", "numpy", "dbt_schema_embed"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    assert GpuWorkers(small_runner, ["gpu:0"]).name == "words"
    assert not (tmp_path / "ran").exists()
    assert "PYTHONSAFEPATH" not in os.environ


def test_a_worker_that_does_not_start() -> None:
    """Its own words reach the caller."""
    with pytest.raises(EncoderError, match="no weights"):
        GpuWorkers(small_runner, ["broken"])


def test_a_worker_that_dies(word_files: EncoderFiles) -> None:
    """Is an error that says what to do, and the next batch is not waited for."""
    encoder = TokenEncoder(word_files, GpuWorkers(small_runner, ["mortal"]))
    for _ in range(2):
        with pytest.raises(EncoderError, match="GPU"):
            encoded(encoder, ["w1"])
