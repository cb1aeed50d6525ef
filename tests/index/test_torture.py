"""A short run of benchmarks/torture_index.py: kill -9, and nothing acknowledged is lost."""

import json
import subprocess
import sys
from pathlib import Path


def test_ten_kills(root: Path) -> None:
    command = [sys.executable, str(root / "benchmarks/torture_index.py"), "--kills", "10", "--chroma-kills", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["tries"] for r in results] == [10, 1], done.stderr
    for result in results:
        assert (result["losses"], result["wrong answers"], result["crashes"]) == (0, 0, 0)
        assert result["updates"] >= result["tries"]
        assert result["reads"] >= result["tries"] - 2
        assert result["generations left"] == 1
    assert done.returncode == 0
