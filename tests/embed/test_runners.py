"""What computes: how many at once, what it costs, what happens when memory ends."""

import os
from types import SimpleNamespace

import numpy as np
import pytest

from dbt_schema_embed.embed.encoder import DeviceMemoryError
from dbt_schema_embed.embed.encoder_files import read_files
from dbt_schema_embed.embed.runners import TorchRunner, workers_for


def test_workers() -> None:
    """As many as told, or as cores that may be used."""
    assert workers_for(3) == 3
    assert 1 <= workers_for(None) <= (os.cpu_count() or 1)


@pytest.mark.model
def test_token_bytes_of_the_default() -> None:
    """Two wide layers, twelve rows of attention scores, six states, four bytes each."""
    assert read_files("all-MiniLM-L6-v2").token_bytes == 4 * (2 * 1536 + 12 * 256 + 6 * 384)


@pytest.mark.model
def test_torch_out_of_memory_is_a_device_memory_error() -> None:
    """Which makes the encoder halve its batches."""
    import torch

    def full(**_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    runner = TorchRunner([SimpleNamespace(auto_model=full)], read_files("all-MiniLM-L6-v2"), "cpu", "float32")
    with pytest.raises(DeviceMemoryError):
        runner.run(np.ones((2, 3), np.int64))


@pytest.mark.model
def test_a_gpu_has_two_batches_under_way() -> None:
    """One computes while the other travels; on the CPU torch uses all cores for one."""
    files = read_files("all-MiniLM-L6-v2")
    pipeline = [SimpleNamespace(auto_model=None)]
    assert TorchRunner(pipeline, files, "cuda", "float16").cost.workers == 2
    assert TorchRunner(pipeline, files, "cpu", "float32").cost.workers == 1
