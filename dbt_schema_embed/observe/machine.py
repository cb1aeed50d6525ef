"""The machine that figures were measured on."""

import os
import platform
from pathlib import Path

from dbt_schema_embed.errors import printable
from dbt_schema_embed.observe.metrics import usable_memory

_CPUS = Path("/proc/cpuinfo")


def machine() -> dict[str, str | int | None]:
    """ "cores" this process may use, "processor", "memory" in bytes (None: unknown), "system", "python"."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cores": cores,
        "processor": _processor(),
        "memory": usable_memory(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    """The processor's name where Linux says it, else what Python knows."""
    try:
        lines = _CPUS.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return printable(next(named, "") or platform.processor() or platform.machine())
