"""Feed commands with inputs of a gigabyte and other shapes that take all time or memory, and measure what they take.

    python benchmarks/hostile_inputs.py

Each must end with one clear error, or an answer, within SECONDS and MIB. Needs 1 GB of disk, for sparse files less.
Prints a line of JSON for each.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN = [sys.executable, "-c", "from dbt_schema_embed.cli import main; main()"]
MADE = shutil.ignore_patterns("dbt_packages", "logs", "*.duckdb", "schema_embed")  # the first links to the root
SECONDS, MIB = 120, 4096
GIB = 2**30
TINY = b"version: 1\nsource: stripe.charges\n"


def sparse(head: bytes) -> Callable[[Path], None]:
    """A file of 1 GiB that begins with ``head``; the rest are zeros."""

    def make(path: Path) -> None:
        path.write_bytes(head)
        os.truncate(path, GIB)

    return make


def filled(head: bytes, pieces: Iterable[bytes], tail: bytes = b"") -> Callable[[Path], None]:
    """A file of that."""

    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.write(head)
            file.writelines(pieces)
            file.write(tail)

    return make


def claimed(count: int, text: str = '"c%d":{"name":"c%d"}') -> Callable[[Path], None]:
    """A manifest of one source with so many columns."""
    head = b'{"nodes":{},"sources":{"source.p.s.t":{"unique_id":"source.p.s.t","resource_type":"source","columns":{'
    pieces = ((text % ((i,) * text.count("%d")) + ("," if i < count - 1 else "")).encode() for i in range(count))
    return filled(head, pieces, b"}}}}")


MANIFEST, CATALOG, MAPPING = "target/manifest.json", "target/catalog.json", "schema_mappings/a.yml"
SQL, CSV = "hostile.sql", "hostile.csv"
SUGGEST, CHECK = ["suggest"], ["check"]
Case = tuple[str, Callable[[Path], None], list[str]]

CASES: dict[str, Case] = {
    "manifest, 1 GB": (MANIFEST, sparse(b'{"nodes": {'), SUGGEST),
    "manifest, 500 MB of brackets": (MANIFEST, filled(b"", (b"[" * 10**6 for _ in range(500))), SUGGEST),
    "manifest, 450 MB of objects in objects": (MANIFEST, filled(b"", (b'{"a":' * 10**5 for _ in range(900))), SUGGEST),
    "manifest, a text of 500 MB": (MANIFEST, filled(b'{"nodes": {}, "x": "', (b"x" * 10**6 for _ in range(500)), b'"}'),
                                   SUGGEST),
    "manifest, numbers of 500 MB": (MANIFEST, filled(b'{"nodes": {}, "x": ', (b"9" * 10**6 for _ in range(500)), b"}"),
                                    SUGGEST),
    "manifest, 10 million columns": (MANIFEST, claimed(10_000_000), CHECK),
    "manifest, 10 million columns, bare": (MANIFEST, claimed(10_000_000, '"%d":0'), CHECK),
    "manifest, 1.9 million columns": (MANIFEST, claimed(1_900_000), CHECK),
    "catalog, 1 GB": (CATALOG, sparse(b'{"nodes": {'), SUGGEST),
    "mapping, 1 GB": (MAPPING, sparse(TINY), CHECK),
    "mapping, 8 MB of aliases": (MAPPING, filled(b"a: &a [x]\n", (b"b: [*a, *a]\n" * 10**5 for _ in range(6))), CHECK),
    "mapping, 8 MB of depth": (MAPPING, filled(b"", (b"- " * 4_000_000,)), CHECK),
    "mapping, aliases that double": (
        MAPPING, filled(b"", (b"a%d: &a%d [*a%d, *a%d]\n" % (i, i, i - 1, i - 1) for i in range(1, 60))), CHECK,
    ),
    "settings, 1 GB": ("dbt_schema_embed.yml", sparse(b"alerts: {"), CHECK),
    "dbt_project.yml, 1 GB": ("dbt_project.yml", sparse(b"name: shop\n"), CHECK),
    "SQL, 1 GB": (SQL, sparse(b"create table t (a int);"), ["match", SQL, SQL]),
    "SQL, 5 MB of brackets": (SQL, filled(b"create table t (a int, b ", (b"(" * 4_000_000,)), ["match", SQL, SQL]),
    "SQL, 400,000 columns": (SQL, filled(b"create table t (a int", (b", c%d int" % i for i in range(400_000)), b")"),
                             ["match", SQL, SQL]),
    "SQL, 250,000 tables": (SQL, filled(b"", (b"create table t%d(a);" % (i % 10) for i in range(250_000))),
                            ["match", SQL, SQL]),
    "CSV, 1 GB without a line end": (CSV, filled(b"a,b\n", (b"x" * 10**6 for _ in range(1000))), ["match", CSV, CSV]),
    "CSV, 1 GB of rows": (CSV, filled(b"a,b\n", (b"1,2\n" * 250_000 for _ in range(1000))), ["match", CSV, CSV]),
    "CSV, 10 million columns": (CSV, filled(b"a", (b",a" * 10_000_000,), b"\n"), ["match", CSV, CSV]),
    "CSV, 1 GB of zeros": (CSV, sparse(b"a,b\n"), ["match", CSV, CSV]),
    "CSV, formulas": (CSV, filled(b"=cmd|' /C calc'!A0,+1,-1,@SUM(A1)\n", (b"=1+1,+2,-2,@x\n",)), ["match", CSV, CSV]),
    "memo, 1 GB": ("m.bin", sparse(b"DSEmemo1"), ["cache", "import", "m.bin"]),
    "profile, 1 GB": ("target/schema_embed/profile.json", sparse(b'{"tables": {'), SUGGEST),
    "baseline, 1 GB": ("b.json", sparse(b'{"known": {'), ["check", "--baseline", "b.json"]),
}  # fmt: skip


def run(case: Case, project: Path) -> dict[str, object]:
    """Run one command in a fresh copy of the example, and say what it took."""
    place, make, arguments = case
    path = project / place
    path.parent.mkdir(parents=True, exist_ok=True)
    make(path)
    if place == MANIFEST:  # the catalog is another project's then
        (project / CATALOG).unlink()
    size = path.stat().st_size
    started = time.monotonic()
    env = os.environ | {"EMBEDDING_CACHE_DIR": str(project.parent / "cache"), "PYTHONPATH": str(ROOT)}
    log = project.parent / "log"
    with log.open("wb") as file:
        process = subprocess.Popen([*RUN, *arguments], cwd=project, env=env, stdout=file, stderr=file)
        timer = time.monotonic() + SECONDS
        while True:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > timer:
                process.kill()
            time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(status)
    said = log.read_text("utf-8", "replace")
    return {
        "MB in": round(size / 1e6), "seconds": round(time.monotonic() - started, 1), "MiB": used.ru_maxrss // 1024,
        "exit code": process.returncode, "said": said.partition("\n")[0][:160], "bug": "this is a bug" in said,
    }  # fmt: skip


def main() -> int:
    """Run what the command line asks for; 1 when a limit was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="?", default="", help="cases whose names begin so")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    bad = 0
    for name, case in CASES.items():
        if not name.startswith(options.only):
            continue
        with tempfile.TemporaryDirectory() as folder:
            project = Path(shutil.copytree(ROOT / "example_project", Path(folder) / "shop", ignore=MADE))
            result = run(case, project)
        fine = int(str(result["seconds"]).split(".")[0]) < SECONDS and int(str(result["MiB"])) < MIB
        fine = fine and result["exit code"] in (0, 1, 2, 3) and not result.pop("bug")
        bad += not fine
        print(json.dumps({"test": name, **result, "crashes": int(not fine)}), flush=True)
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
