"""Seconds that the one statement of schema_embed_profile takes on a DuckDB table of 1,000,000 rows and 100 columns.

    python benchmarks/bench_profile.py [--runs 5]

dbt runs the macro as people run it; statements and their times are read from its debug log. Prints every statement that
names the table: beside the one that reads it only DuckDB's `describe`, which reads no row.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

ROWS, COLUMNS = 1_000_000, 100
KINDS = (
    "'id_' || hash(n * {i})::varchar",
    "(hash(n + {i}) % 100000)::integer",
    "timestamp '2024-01-01' + to_seconds((hash(n * {i}) % 30000000)::bigint)",
    "hash(n + {i}) % 2 = 0",
    "((hash(n + {i}) % 1000000) / 100)::decimal(16, 2)",
)
STATEMENT = re.compile(r"On macro_schema_embed_profile: (.*?)SQL status: OK in ([0-9.]+) seconds", re.DOTALL)


def make(folder: Path) -> None:
    """The table, and a project that has it as a source."""
    columns = ", ".join(f"{KINDS[i % len(KINDS)].format(i=i + 7)} as column_{i}" for i in range(COLUMNS))
    with duckdb.connect(str(folder / "lake.duckdb")) as connection:
        connection.execute("create schema raw")
        connection.execute(f"create table raw.wide as select {columns} from range({ROWS}) t(n)")
    outputs = {"dev": {"type": "duckdb", "path": str(folder / "lake.duckdb")}}
    package = {"local": str(Path(__file__).resolve().parent.parent)}
    for name, content in (
        ("dbt_project.yml", {"name": "wide", "version": "1.0.0", "profile": "wide"}),
        ("profiles.yml", {"wide": {"target": "dev", "outputs": outputs}}),
        ("packages.yml", {"packages": [package]}),
        ("models/sources.yml", {"sources": [{"name": "raw", "tables": [{"name": "wide"}]}]}),
    ):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))


def dbt(folder: Path, *args: str) -> str:
    """What a dbt command prints."""
    command = [Path(sys.executable).with_name("dbt"), "--no-use-colors", *args]
    env = os.environ | {"DBT_PROFILES_DIR": str(folder), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return done.stdout


def main() -> None:
    """Make the table, profile it some times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    taken: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bench-profile-") as scratch:
        folder = Path(scratch)
        make(folder)
        dbt(folder, "deps")
        for _ in range(runs):
            log = dbt(folder, "--log-level", "debug", "run-operation", "schema_embed_profile")
            naming = [(sql, float(s)) for sql, s in STATEMENT.findall(log) if '"raw"."wide"' in sql]
            reading = [seconds for sql, seconds in naming if "(describe " not in sql]
            taken += reading
            print(f"{len(naming)} statements name the table, {len(reading)} reads it")
    print(f"{ROWS:,} rows, {COLUMNS} columns: min {min(taken):.2f} s, median {statistics.median(taken):.2f} s")


if __name__ == "__main__":
    main()
