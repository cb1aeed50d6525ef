"""Which encoder serves: the fast one where it is proven, once a process, else torch; and what is said about it."""

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dbt_schema_embed.embed import gpu_workers, int8_trial, loading, probe
from dbt_schema_embed.embed.batches import Limits
from dbt_schema_embed.embed.encoder_files import read_files
from dbt_schema_embed.embed.loading import Wanted, load
from dbt_schema_embed.embed.stats import EmbedStats
from dbt_schema_embed.embed.weights import identity
from dbt_schema_embed.errors import ConfigError, EncoderError, MissingExtraError
from tests.embed.encoders import HashEncoder, WordRunner

pytestmark = pytest.mark.model


@pytest.fixture
def wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wanted:
    """The default encoder on the CPU, in a process that has loaded none."""
    monkeypatch.setattr(loading, "_LOADED", {})
    monkeypatch.setattr(loading, "_device", lambda _: "cpu")
    files = read_files("all-MiniLM-L6-v2")
    return Wanted(files, identity(files, tmp_path), tmp_path, workers=1, use_gpu=None, precision="float32")


@pytest.fixture
def torch_serves(monkeypatch: pytest.MonkeyPatch) -> HashEncoder:
    """Stands for torch, which would take seconds to load."""
    encoder = HashEncoder(384)
    monkeypatch.setattr(loading, "_torch", lambda *_: encoder)
    return encoder


def test_the_fast_encoder_serves_without_torch(wanted: Wanted) -> None:
    """Also the first time ever, with an empty cache folder: the default's reference comes with the package."""
    notes: list[str] = []
    stats = EmbedStats()
    encoder = load(wanted, stats, notes)
    assert (encoder.name, notes) == ("onnxruntime, cpu, float32", [])
    assert stats.load_seconds > 0
    rows = np.concatenate(list(encoder.encode(probe.PROBE_TEXTS, Limits(), EmbedStats())))
    expected = probe.reference(wanted.identity, 384, wanted.cache_dir)
    assert expected is not None
    assert np.abs(rows - expected).max() < 1e-5


def test_an_encoder_is_loaded_once_a_process(wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the number of threads that ask."""
    loads = []
    monkeypatch.setattr(loading, "_load", lambda *_: loads.append(1) or HashEncoder())
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(load(wanted, EmbedStats(), []))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    assert len({id(encoder) for encoder in found}) == 1
    load(replace(wanted, precision="int8"), EmbedStats(), [])
    assert len(loads) == 2


def test_an_unfaithful_graph_is_not_taken(
    wanted: Wanted, torch_serves: HashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One probe text below the bound is enough."""
    expected = probe.reference(wanted.identity, 384, wanted.cache_dir)
    assert expected is not None
    expected[3] = expected[4]
    monkeypatch.setattr(probe, "reference", lambda *_: expected)
    notes: list[str] = []
    assert load(wanted, EmbedStats(), notes) is torch_serves
    assert notes == ["onnxruntime gives other vectors than the float32 encoder here: the encoder runs on torch"]


def test_without_a_reference_torch_serves(wanted: Wanted, torch_serves: HashEncoder) -> None:
    """It is the one that makes the reference; nothing to say."""
    notes: list[str] = []
    assert load(replace(wanted, identity="another"), EmbedStats(), notes) is torch_serves
    assert notes == []


def test_without_onnxruntime_torch_serves(
    wanted: Wanted, torch_serves: HashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is said what that costs."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    notes: list[str] = []
    assert load(wanted, EmbedStats(), notes) is torch_serves
    assert notes == ["onnxruntime is not installed: the encoder runs on torch, which takes seconds to load"]


def test_a_graph_that_does_not_run(wanted: Wanted, torch_serves: HashEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Costs speed, not the run."""

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no kernel\nfor this")

    monkeypatch.setattr(loading, "_drawn", fails)
    notes: list[str] = []
    assert load(wanted, EmbedStats(), notes) is torch_serves
    assert notes == ["onnxruntime cannot run the encoder, torch does: no kernelfor this"]


def test_wrong_weights_never_load(wanted: Wanted) -> None:
    """The hash is taken before anything reads them."""
    with pytest.raises(EncoderError, match="is not the published all-MiniLM-L6-v2"):
        load(replace(wanted, files=replace(wanted.files, pinned="0" * 64)), EmbedStats(), [])


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision_needs_a_gpu(wanted: Wanted, precision: str) -> None:
    """On a CPU it is slower and coarser."""
    with pytest.raises(ConfigError, match=f"quantization {precision} needs a GPU"):
        load(replace(wanted, precision=precision), EmbedStats(), [])


def test_int8_is_for_the_cpu(wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quantizing on CUDA is what the error prevents."""
    monkeypatch.setattr(loading, "_device", lambda _: "cuda")
    with pytest.raises(ConfigError, match="quantization int8 is for the CPU"):
        load(replace(wanted, precision="int8"), EmbedStats(), [])


def test_int8_for_an_encoder_without_a_graph(wanted: Wanted) -> None:
    """Is refused by name."""
    files = replace(wanted.files, config={"model_type": "mpnet"})
    with pytest.raises(ConfigError, match="quantization int8 does not fit encoder all-MiniLM-L6-v2"):
        load(replace(wanted, files=files, precision="int8"), EmbedStats(), [])


def test_int8_is_tried_before_it_serves(wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against float32; what it showed is kept."""
    monkeypatch.setattr(int8_trial, "LEAST_SPEED_UP", 0.0)  # a busy machine measures anything
    encoder = load(replace(wanted, precision="int8"), EmbedStats(), [])
    assert encoder.name == "onnxruntime, cpu, int8"
    (kept,) = (wanted.cache_dir / "trials").iterdir()
    assert b'"cosine":0.99' in kept.read_bytes()


def test_a_gpu_that_is_asked_for_and_not_there(wanted: Wanted) -> None:
    """The CPU serves, and it is said."""
    notes: list[str] = []
    assert load(replace(wanted, use_gpu=True), EmbedStats(), notes).name == "onnxruntime, cpu, float32"
    assert notes == ["no GPU is found: the encoder runs on the CPU"]


def test_without_torch(wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where torch is needed, the extra is named."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"dbt-schema-embed\[torch\]"):
        load(replace(wanted, identity="another"), EmbedStats(), [])


@pytest.mark.parametrize(("workers", "devices"), [(8, ["cuda:0", "cuda:1", "cuda:2"]), (2, ["cuda:0", "cuda:1"])])
def test_several_gpus_have_a_worker_each(
    wanted: Wanted, monkeypatch: pytest.MonkeyPatch, workers: int, devices: list[str]
) -> None:
    """As many as there are, or as are allowed."""
    torch = type(sys)("torch")
    torch.cuda = type("cuda", (), {"device_count": staticmethod(lambda: 3)})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(loading, "_device", lambda _: "cuda")
    started: list[list[str]] = []
    monkeypatch.setattr(gpu_workers, "GpuWorkers", lambda _, found: started.append(found) or WordRunner())
    for precision in ("float32", "float16"):
        load(replace(wanted, workers=workers, precision=precision), EmbedStats(), [])
    assert started == [devices, devices]


DEVICES: list[tuple[bool | None, dict[str, bool], str]] = [
    (False, {"nvidia": True, "cuda": True}, "cpu"),
    (None, {}, "cpu"),
    (None, {"nvidia": True, "cuda": True}, "cuda"),
    (True, {"nvidia": True, "cuda": True}, "cuda"),
    (None, {"nvidia": True}, "cpu"),
    (None, {"apple": True, "mps": True}, "mps"),
    (None, {"apple": True}, "cpu"),
]


@pytest.mark.parametrize(("use_gpu", "machine", "expected"), DEVICES)
def test_devices(
    monkeypatch: pytest.MonkeyPatch, use_gpu: bool | None, machine: dict[str, bool], expected: str
) -> None:
    """torch is asked only where the machine looks as if it had a GPU."""
    asked = []

    def answers(name: str) -> Callable[[], bool]:
        return lambda: asked.append(name) is None and machine.get(name, False)

    torch = type(sys)("torch")
    torch.cuda = type("cuda", (), {"is_available": staticmethod(answers("cuda"))})  # type: ignore[attr-defined]
    mps = type("mps", (), {"is_available": staticmethod(answers("mps"))})
    torch.backends = type("backends", (), {"mps": mps})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(loading, "_nvidia", lambda: machine.get("nvidia", False))
    monkeypatch.setattr(loading, "_apple", lambda: machine.get("apple", False))
    assert loading._device(use_gpu) == expected
    assert bool(asked) == (use_gpu is not False and bool(machine.get("nvidia") or machine.get("apple")))
