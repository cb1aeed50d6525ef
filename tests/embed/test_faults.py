"""The k-th call of the C library fails, for every k, while the memo is written: sqlite makes them, not Python."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """faults.c, compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs Linux and a C compiler, to let calls fail")
    path = tmp_path_factory.mktemp("faults") / "faults.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", path, HERE / "faults.c", "-ldl"], check=True)
    return path


@pytest.mark.parametrize("memo", ["fresh", "filled"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_the_kth_call_fails_for_every_k(root: Path, library: Path, tmp_path: Path, error: int, memo: str) -> None:
    """What was there stays, what was acknowledged is there, and nothing is taken for damage."""
    command = [sys.executable, str(HERE / "faulty_writer.py"), str(tmp_path), str(error), memo]
    env = os.environ | {"LD_PRELOAD": str(library), "PYTHONPATH": str(root)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["lost"], result["wrong"], result["notes"]) == (0, 0, 0), result
    assert result["tries"] > 20
    assert result["refused"] > 10
