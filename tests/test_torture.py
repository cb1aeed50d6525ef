"""A short run of benchmarks/torture.py: kill -9, and nothing acknowledged is lost."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

KILLS = 10


@pytest.mark.parametrize(
    "work",
    [
        "exact",
        pytest.param(
            "chroma", marks=pytest.mark.skipif(find_spec("chromadb") is None, reason="chromadb is not installed")
        ),
        "memo",
        pytest.param("suggest", marks=pytest.mark.model),
        pytest.param("apply", marks=pytest.mark.model),
        pytest.param("review", marks=pytest.mark.model),
        "editor",
        pytest.param("crowd", marks=pytest.mark.model),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="nothing can be forked there")
def test_ten_kills(root: Path, work: str) -> None:
    command = [sys.executable, str(root / "benchmarks/torture.py"), "--kills", str(KILLS), work]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    assert (result["losses"], result["wrong answers"], result["crashes"]) == (0, 0, 0), done.stderr
    assert result["kills"] == KILLS
    assert result["acknowledged writes"] > 0
    assert done.returncode == 0
