"""From an encoder's files to an encoder in memory: the fast one where it is proven, else sentence-transformers."""

import contextlib
import io
import os
import platform
import time
import warnings
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dbt_schema_embed.embed import int8_trial, probe
from dbt_schema_embed.embed.batches import Limits
from dbt_schema_embed.embed.encoder import Encoder, PipelineEncoder, Runner, TokenEncoder
from dbt_schema_embed.embed.encoder_files import EncoderFiles
from dbt_schema_embed.embed.forking import new_lock
from dbt_schema_embed.embed.stats import EmbedStats
from dbt_schema_embed.embed.weights import weights_hash
from dbt_schema_embed.errors import ConfigError, EncoderError, MissingExtraError, printable

_LOADED: dict["Wanted", Encoder] = {}
_LOADING = new_lock()
_LEFT_BEHIND: set[str] = set()  # encoders whose threads in torch stayed in the process that this one was forked from


def _forked() -> None:
    """Encoders are loaded anew in a forked child, for their threads are not there."""
    if _LOADED:  # tokenizers would wait for its threads for ever, and reads this at each call
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
    _LEFT_BEHIND.update(e.name for e in _LOADED.values() if not e.name.startswith("onnxruntime"))
    _LOADED.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which encoder, and how it is to run. Equal values share one encoder in the process."""

    files: EncoderFiles = field(hash=False)
    identity: str  # hash of weights, tokenizer and pooling
    cache_dir: Path = field(compare=False)  # where what is known about encoders is kept
    workers: int
    use_gpu: bool | None  # None: if there is one
    precision: str


def load(wanted: Wanted, stats: EmbedStats, notes: list[str]) -> Encoder:
    """The encoder, loaded once a process. ``notes`` gets a line where it is slower than it could be.

    Raises:
        ConfigError: a precision that the device does not have, or that is refused on it.
        EncoderError: the weights are not the published ones, or cannot be loaded.
        MissingExtraError: torch or sentence-transformers is needed and not installed.
    """
    with _LOADING:
        if wanted not in _LOADED:
            start = time.perf_counter()
            weights_hash(wanted.files, wanted.cache_dir)
            _LOADED[wanted] = _load(wanted, notes)
            stats.add(load_seconds=time.perf_counter() - start)
        return _LOADED[wanted]


def _load(wanted: Wanted, notes: list[str]) -> Encoder:
    device = _device(wanted.use_gpu)
    # Said either way, or tokenizers complains on standard error when the process forks later.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true" if wanted.workers > 1 else "false")
    if device == "cpu" and wanted.use_gpu:
        notes.append("no GPU is found: the encoder runs on the CPU")
    if wanted.precision == "int8":
        return _int8(wanted, device, notes)
    if wanted.precision != "float32" and device == "cpu":
        raise ConfigError(
            f"quantization {wanted.precision} needs a GPU, and none is used", hint="set quantization to float32"
        )
    fast = _onnx(wanted, notes) if device == "cpu" else None
    return fast or _torch(wanted, device)


def _onnx(wanted: Wanted, notes: list[str]) -> Encoder | None:
    """The encoder on onnxruntime, if its vectors are those of the float32 encoder."""
    from dbt_schema_embed.embed.bert_graph import supported

    expected = probe.reference(wanted.identity, wanted.files.dim, wanted.cache_dir) if supported(wanted.files) else None
    if expected is None:
        return None
    try:
        encoder = _drawn(wanted, int8=False)
        rows = np.concatenate(list(encoder.encode(probe.PROBE_TEXTS, Limits(), EmbedStats())))
    except ModuleNotFoundError as problem:
        notes.append(f"{problem.name} is not installed: the encoder runs on torch, which takes seconds to load")
        return None
    except Exception as problem:  # onnxruntime's errors have no base of their own, and torch can still serve
        notes.append(f"onnxruntime cannot run the encoder, torch does: {printable(problem)}")
        return None
    if not probe.faithful(rows, expected):
        notes.append("onnxruntime gives other vectors than the float32 encoder here: the encoder runs on torch")
        return None
    return encoder


def _int8(wanted: Wanted, device: str, notes: list[str]) -> Encoder:
    from dbt_schema_embed.embed.bert_graph import supported

    if device != "cpu":
        raise ConfigError("quantization int8 is for the CPU", hint="set quantization to float16, or use_gpu to false")
    if not supported(wanted.files):
        raise ConfigError(f"quantization int8 does not fit encoder {wanted.files.name}", hint="set it to float32")
    try:
        int8 = _drawn(wanted, int8=True)
        int8_trial.admit(
            int8,
            lambda: _onnx(wanted, notes) or _torch(wanted, device),
            int8_trial.place(wanted.cache_dir, wanted.identity),
        )
    except ImportError:
        raise MissingExtraError("quantization int8", "embed") from None
    return int8


def _drawn(wanted: Wanted, *, int8: bool) -> TokenEncoder:
    from dbt_schema_embed.embed.runners import OnnxRunner

    return TokenEncoder(wanted.files, OnnxRunner(wanted.files, wanted.workers, int8=int8))


def _torch(wanted: Wanted, device: str) -> Encoder:
    files = wanted.files
    if _LEFT_BEHIND:
        raise EncoderError(
            f"encoder {files.name} needs torch, which had begun to compute before this process was forked",
            hint="encode after the fork only, or start processes with multiprocessing.get_context('spawn')",
        )
    devices = _cuda_devices(wanted.workers) if device == "cuda" else []
    if len(devices) > 1 and _plain(files):
        from dbt_schema_embed.embed.gpu_workers import GpuWorkers

        return TokenEncoder(files, GpuWorkers(partial(_torch_runner, wanted), devices))
    loaded = _pipeline_of(wanted, device)
    if wanted.precision == "float32" and probe.reference(wanted.identity, files.dim, wanted.cache_dir) is None:
        rows = loaded.encode(list(probe.PROBE_TEXTS), normalize_embeddings=True, show_progress_bar=False)
        probe.keep_reference(np.asarray(rows, np.float32), wanted.identity, wanted.cache_dir)
    if not _plain(files):
        return PipelineEncoder(files, loaded, f"sentence-transformers, {device}, {wanted.precision}")
    from dbt_schema_embed.embed.runners import TorchRunner

    return TokenEncoder(files, TorchRunner(loaded, files, device, wanted.precision))


def _torch_runner(wanted: Wanted, device: str) -> Runner:
    """The runner of a worker process."""
    from dbt_schema_embed.embed.runners import TorchRunner

    return TorchRunner(_pipeline_of(wanted, device), wanted.files, device, wanted.precision)


def _plain(files: EncoderFiles) -> bool:
    """Whether our own tokenizing and pooling do what sentence-transformers would."""
    return files.pooling is not None and files.tokenizer.is_file()


def _cuda_devices(most: int) -> list[str]:
    import torch

    return [f"cuda:{number}" for number in range(min(most, torch.cuda.device_count()))]


def _pipeline_of(wanted: Wanted, device: str) -> Any:
    return pipeline(wanted.files, device, wanted.precision, wanted.workers)


def pipeline(files: EncoderFiles, device: str, precision: str, threads: int) -> Any:
    """The sentence-transformers pipeline of an encoder on ``device``, in evaluation mode.

    Raises:
        EncoderError: it cannot be loaded.
        MissingExtraError: torch or sentence-transformers is not installed.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Its loading bars and deprecation warnings are not the user's business.
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            import torch
            from sentence_transformers import SentenceTransformer
        except ImportError:
            raise MissingExtraError(f"encoder {files.name}", "torch") from None
        torch.set_num_threads(threads)
        try:
            loaded = SentenceTransformer(
                str(files.folder),
                device=device,
                local_files_only=True,
                model_kwargs={"dtype": getattr(torch, precision)},
            )
        except Exception as problem:  # safetensors, transformers and torch each have errors of their own
            reason = printable(str(problem) or type(problem).__name__)
            raise EncoderError(f"encoder {files.name} cannot be loaded: {reason}") from problem
    return loaded.eval()


def _device(use_gpu: bool | None) -> str:
    """ "cuda", "mps" or "cpu". torch is asked only where the machine looks as if it had a GPU: importing it is slow."""
    if use_gpu is False or not (_nvidia() or _apple()):
        return "cpu"
    try:
        import torch
    except ImportError:
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _nvidia() -> bool:
    return Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists() or platform.system() == "Windows"


def _apple() -> bool:
    return platform.system() == "Darwin" and platform.machine() == "arm64"
