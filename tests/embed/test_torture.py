"""A short run of benchmarks/torture_memo.py: kill -9, and nothing acknowledged is lost."""

import json
import subprocess
import sys
from pathlib import Path


def test_kill_minus_nine(root: Path) -> None:
    """Ten times, two writers each."""
    command = [sys.executable, str(root / "benchmarks/torture_memo.py"), "--kills", "10"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    result = json.loads(done.stdout)
    assert (result["tries"], result["losses"], result["wrong answers"], result["crashes"]) == (10, 0, 0, 0)
