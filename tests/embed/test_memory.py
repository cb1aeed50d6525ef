"""The memory limit holds, measured as the kernel counts it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import sys
from pathlib import Path
from dbt_schema_embed.embed import open_embedder

def kilobytes(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))

embedder = open_embedder(cache_dir=Path(sys.argv[1]), memory_limit_mb=int(sys.argv[2]), use_gpu=False)
embedder.embed(["loaded"])
texts = [f"word{n} " * (400 if n % 40 == 0 else 2) + str(n) for n in range(800)]
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")
before = kilobytes("VmRSS")
embedder.embed(texts)
print((kilobytes("VmHWM") - before) / 1024)
"""


@pytest.mark.model
@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="needs Linux's peak memory counter")
@pytest.mark.parametrize("limit", [48, 64])
def test_peak_memory_above_the_loaded_encoder(root: Path, tmp_path: Path, limit: int) -> None:
    """Short and long texts, memo included."""
    command = [sys.executable, "-c", CODE, str(tmp_path), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True)
    assert 0 < float(done.stdout) <= limit
