"""int8 on trial: it is used only where it proves both faithful and faster on this machine."""

import contextlib
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from dbt_schema_embed.embed.batches import Limits
from dbt_schema_embed.embed.encoder import Encoder
from dbt_schema_embed.embed.stats import EmbedStats
from dbt_schema_embed.embed.weights import remember
from dbt_schema_embed.errors import ConfigError

LEAST_COSINE = 0.995
"""Mean cosine to the float32 vectors of `TEXTS`."""

LEAST_SPEED_UP = 1.2

_ROUNDS = 5
_TABLES = ("charge", "customer", "order line", "campaign", "support ticket", "employee", "invoice", "page view")
_COLUMNS = (
    "id", "created at", "is deleted", "name", "total amount", "status", "currency code", "updated by user id",
    "email", "billing address line 1", "first seen date", "number of days since the last successful payment",
)  # fmt: skip
TEXTS = tuple(f"{table}: {column}" for table in _TABLES for column in _COLUMNS) + _COLUMNS
"""Ordinary columns, as `column_texts` writes them."""


class Trial(msgspec.Struct, frozen=True):
    """What int8 showed."""

    cosine: float  # mean, in [-1, 1]
    speed_up: float  # float32 seconds over int8 seconds


def admit(int8: Encoder, float32: Callable[[], Encoder], remembered: Path) -> None:
    """Return if int8 may serve. The figures are kept in the file ``remembered``, so that later runs need neither
    measure nor load float32.

    Raises:
        ConfigError: it is not faithful or not faster; the figures are in the message.
    """
    trial = _recall(remembered)
    if trial is None:
        trial = measure(int8, float32())
        remember(remembered, msgspec.json.encode(trial))
    if trial.cosine < LEAST_COSINE or trial.speed_up < LEAST_SPEED_UP:
        raise ConfigError(
            f"quantization int8 is refused on this machine: mean cosine to float32 {trial.cosine:.4f} "
            f"(at least {LEAST_COSINE}), speed-up {trial.speed_up:.2f} (at least {LEAST_SPEED_UP})",
            hint="set quantization to float32",
        )


def measure(int8: Encoder, float32: Encoder) -> Trial:
    """Encode `TEXTS` by turns, and compare vectors and the fastest rounds."""
    seconds: dict[str, list[float]] = {"int8": [], "float32": []}
    rows = {}
    for _ in range(_ROUNDS):
        for name, encoder in (("int8", int8), ("float32", float32)):
            start = time.perf_counter()
            rows[name] = np.concatenate(list(encoder.encode(TEXTS, Limits(), EmbedStats())))
            seconds[name].append(time.perf_counter() - start)
    cosine = float(np.einsum("ij,ij->i", rows["int8"], rows["float32"]).mean())
    return Trial(round(cosine, 6), round(min(seconds["float32"]) / min(seconds["int8"]), 3))


def place(cache_dir: Path, identity: str) -> Path:
    """Where the figures of an encoder are kept; another processor or onnxruntime has figures of its own."""
    from hashlib import sha256

    import onnxruntime

    machine = f"{identity}|{onnxruntime.__version__}|{platform.machine()}|{processor()}|{os.cpu_count()}"
    return cache_dir / "trials" / f"int8-{sha256(machine.encode()).hexdigest()[:24]}.json"


def processor() -> str:
    """The processor's name where Linux says it, else what Python knows."""
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
        named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        return next(named, "") or platform.machine()
    return platform.processor() or platform.machine()


def _recall(path: Path) -> Trial | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Trial)
    except (OSError, msgspec.DecodeError):
        return None
