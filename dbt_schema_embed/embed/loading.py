"""From an encoder's files to an encoder in memory: the fast one where it is proven, else sentence-transformers."""

import contextlib
import io
import os
import threading
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dbt_schema_embed.embed import probe
from dbt_schema_embed.embed.encoder import PipelineEncoder, TokenEncoder
from dbt_schema_embed.embed.encoder_files import EncoderFiles
from dbt_schema_embed.embed.stats import EmbedStats
from dbt_schema_embed.embed.weights import weights_hash
from dbt_schema_embed.errors import EncoderError, MissingExtraError

Loaded = TokenEncoder | PipelineEncoder

_LOADED: dict["Wanted", Loaded] = {}
_LOADING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which encoder, and how it is to run. Equal values share one encoder in the process."""

    files: EncoderFiles = field(hash=False)
    identity: str  # hash of weights, tokenizer and pooling
    cache_dir: Path
    batch_size: int | None
    threads: int
    use_gpu: bool | None
    precision: str


def load(wanted: Wanted, stats: EmbedStats, notes: list[str]) -> Loaded:
    """The encoder, loaded once a process. Texts of ``notes``: why the fast one was not taken.

    Raises:
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


def _load(wanted: Wanted, notes: list[str]) -> Loaded:
    fast = _fast(wanted, notes) if wanted.precision == "float32" and not _gpu_likely(wanted.use_gpu) else None
    return fast or _torch(wanted)


def _fast(wanted: Wanted, notes: list[str]) -> TokenEncoder | None:
    """The encoder on onnxruntime, if its vectors are those of the float32 encoder."""
    from dbt_schema_embed.embed.bert_graph import supported

    expected = probe.reference(wanted.identity, wanted.files.dim, wanted.cache_dir) if supported(wanted.files) else None
    if expected is None:
        return None
    try:
        from dbt_schema_embed.embed.runners import OnnxRunner

        encoder = TokenEncoder(wanted.files, OnnxRunner(wanted.files, wanted.threads), wanted.batch_size)
    except ImportError as problem:
        notes.append(f"{problem.name} is not installed: the encoder runs on torch, which takes seconds to load")
        return None
    if not probe.faithful(encoder.encode(probe.PROBE_TEXTS, EmbedStats()), expected):
        notes.append("onnxruntime gives other vectors than the float32 encoder here: the encoder runs on torch")
        return None
    return encoder


def _torch(wanted: Wanted) -> Loaded:
    pipeline, device = _pipeline(wanted)
    if probe.reference(wanted.identity, wanted.files.dim, wanted.cache_dir) is None and wanted.precision == "float32":
        rows = pipeline.encode(list(probe.PROBE_TEXTS), normalize_embeddings=True, show_progress_bar=False)
        probe.keep_reference(np.asarray(rows, np.float32), wanted.identity, wanted.cache_dir)
    if wanted.files.pooling is None or not wanted.files.tokenizer.is_file():
        return PipelineEncoder(pipeline, f"sentence-transformers, {device}, {wanted.precision}", wanted.batch_size)
    from dbt_schema_embed.embed.runners import TorchRunner

    runner = TorchRunner(pipeline, wanted.files, device, wanted.precision)
    return TokenEncoder(wanted.files, runner, wanted.batch_size)


def _pipeline(wanted: Wanted) -> tuple[Any, str]:
    """The sentence-transformers pipeline, evaluation mode, and its device."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Its loading bars and deprecation warnings are not the user's business.
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            import torch
            from sentence_transformers import SentenceTransformer
        except ImportError:
            raise MissingExtraError(f"encoder {wanted.files.name}", "embed") from None
        torch.set_num_threads(wanted.threads)
        device = _device(torch, wanted.use_gpu)
        try:
            pipeline = SentenceTransformer(str(wanted.files.folder), device=device, local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as problem:
            reason = str(problem).splitlines()[0][:200] if str(problem) else type(problem).__name__
            raise EncoderError(f"encoder {wanted.files.name} cannot be loaded: {reason}") from None
    pipeline.eval()
    return pipeline, device


def _device(torch: Any, use_gpu: bool | None) -> str:
    if use_gpu is False:
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _gpu_likely(use_gpu: bool | None) -> bool:
    """Whether torch is worth asking for a GPU; importing it to find none would cost seconds."""
    if use_gpu is not None:
        return use_gpu
    return Path("/dev/nvidiactl").exists() or Path("/proc/driver/nvidia").exists() or os.uname().sysname == "Darwin"
