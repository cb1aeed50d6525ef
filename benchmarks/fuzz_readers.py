"""Feed every reader of outside files with bytes that coverage leads on, and look for what is neither answer nor error.

    python benchmarks/fuzz_readers.py --seconds 600 manifest sql

Needs atheris, which has no place among the package's own tools: pip install atheris. A reader fails when it raises
anything but a SchemaEmbedError with a printable message, takes more than SLOWEST seconds or LARGEST MiB. Each reader
runs in a process of its own; the input it fails on is kept in --keep. Prints a line of JSON for each reader.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fuzz_kit import ROOT
from fuzz_targets import TARGETS

SLOWEST = 25
LARGEST = 2048
LONGEST = 8192
"""Bytes of one input."""


def fuzz(name: str, seconds: int, keep: Path) -> dict[str, object]:
    """Run one reader for ``seconds`` and say what happened."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "corpus").mkdir()
        command = [sys.executable, __file__, "--child", name, place, str(folder / "corpus")]
        command += [
            f"-max_total_time={seconds}", f"-timeout={SLOWEST}", f"-rss_limit_mb={LARGEST}", f"-max_len={LONGEST}",
            f"-artifact_prefix={keep}/{name}-", "-print_final_stats=1", "-verbosity=1",
        ]  # fmt: skip
        log = folder / "log"
        started = time.monotonic()
        with log.open("wb") as file:
            code = subprocess.run(command, stdout=file, stderr=file, check=False).returncode
        said = log.read_text("utf-8", "replace")
        if code:
            (keep / f"{name}.log").write_text(said[-20_000:], "utf-8")
    tries = re.search(r"number_of_executed_units: (\d+)", said)
    covered = re.findall(r" cov: (\d+) ", said)
    return {
        "test": f"fuzz {name}", "minutes": round((time.monotonic() - started) / 60, 1),
        "tries": int(tries[1]) if tries else 0, "edges": int(covered[-1]) if covered else 0, "crashes": int(code != 0),
    }  # fmt: skip


def child(name: str, folder: Path, arguments: list[str]) -> None:
    """Fuzz one reader in this process until libFuzzer ends it."""
    import atheris

    target = TARGETS[name]
    with atheris.instrument_imports(include=["dbt_schema_embed", *target.instrumented]):
        seeds = list(target.seeds())
        one = target.opened(folder)
        one(seeds[-1])  # imports what the reader imports when it needs it
    for number, seed in enumerate(seeds):
        (Path(arguments[0]) / f"seed{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *arguments], one)
    atheris.Fuzz()


def main() -> int:
    """Run what the command line asks for; 1 when anything failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="*", metavar="reader", help=f"of {', '.join(TARGETS)}; none: all of them")
    parser.add_argument("--seconds", type=int, default=600, help="for each reader")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz_readers")
    options = parser.parse_args()
    if unknown := set(options.readers) - set(TARGETS):
        parser.error(f"no such reader: {', '.join(sorted(unknown))}")
    options.keep.mkdir(exist_ok=True)
    failed = 0
    for name in options.readers or TARGETS:
        result = fuzz(name, options.seconds, options.keep)
        print(json.dumps(result), flush=True)
        failed += bool(result["crashes"]) or not result["tries"]
    return min(failed, 1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        sys.path.insert(0, str(ROOT))
        child(sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
    sys.exit(main())
