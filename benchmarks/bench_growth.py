"""What `index` costs as a project grows: python benchmarks/bench_growth.py [--columns 1000 10000 100000]

Made projects whose tables share most of their column names, as real ones do: one distinct name for three columns or so.
Each line is a process of its own with the encoder seen before: first with nothing in the memo and no index, then
unchanged, then with a hundredth of the tables new.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

COLUMNS = 20
TABLES = ("account", "campaign", "charge", "contract", "customer", "employee", "event", "invoice", "order", "shipment")
FIRST = """
    billing current default external first gross initial last local net original parent previous primary related
    shipping source target total unit
""".split()  # noqa: SIM905  quotes around forty words help nobody
SECOND = """
    account address amount batch bonus branch budget campaign card category channel client contact currency
    customer device discount document event invoice item language ledger location market member order owner
    payment period plan price product project quantity region sales segment session store
""".split()  # noqa: SIM905  quotes around forty words help nobody
LAST = """
    code count date description flag group id key label level name note number percent rank rate reason
    reference score sequence size source start state status sum tag time title total type unit url user value
    version year zone
""".split()  # noqa: SIM905  quotes around forty words help nobody


def make(folder: Path, columns: int, new: int = 0) -> None:
    """Write a manifest of ``columns`` columns in source tables of 20; ``new`` further tables have new names too."""
    names = ["_".join(parts) for parts in product(FIRST, SECOND, LAST)]
    random.Random(1).shuffle(names)
    pool, draw = names[: max(COLUMNS, columns * 3 // 10)], random.Random(2)
    sources: dict[str, Any] = {}
    for number in range(columns // COLUMNS + new):
        named = draw.sample(pool, COLUMNS)
        if number >= columns // COLUMNS:
            named = [f"{name}_new{number}" for name in named]
        table = f"{TABLES[number % len(TABLES)]}_{number // len(TABLES)}"
        sources[f"source.made.vendor.{table}"] = {
            "resource_type": "source", "name": table, "source_name": "vendor", "package_name": "made",
            "original_file_path": "models/sources.yml", "columns": {name: {"name": name} for name in named},
        }  # fmt: skip
    manifest = {"metadata": {"adapter_type": "duckdb", "project_name": "made"}, "nodes": {}, "sources": sources}
    (folder / "target").mkdir(parents=True, exist_ok=True)
    (folder / "target" / "manifest.json").write_text(json.dumps(manifest))
    (folder / "dbt_project.yml").write_text("name: made\nversion: 1.0.0\n")


def index(folder: Path, cache: Path) -> dict[str, float]:
    """One `index`: wall seconds, peak memory of its processes in MB, texts that had to be encoded."""
    metrics = folder / "metrics.json"
    code = "from dbt_schema_embed.cli import main; main()"
    flags = ["index", "--project-dir", folder, "--set", f"cache_dir={cache}", "--metrics", metrics]
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *flags], check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    said = json.loads(metrics.read_text())
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # of the largest child so far
    return {"seconds": seconds, "peak": peak, "encoded": said["encoded"]}


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    print("| columns | run | wall | texts encoded | texts a second | peak memory |")
    print("| ---: | --- | ---: | ---: | ---: | ---: |")
    for columns in parser.parse_args().columns:
        with tempfile.TemporaryDirectory() as scratch:
            folder, cache = Path(scratch) / "made", Path(scratch) / "cache"
            make(Path(scratch) / "seen", COLUMNS)
            index(Path(scratch) / "seen", cache)
            for run, new in (("cold", 0), ("unchanged", 0), ("a hundredth new", max(1, columns // COLUMNS // 100))):
                make(folder, columns, new)
                found = index(folder, cache)
                rate = found["encoded"] / found["seconds"]
                print(
                    f"| {columns:,} | {run} | {found['seconds']:.1f} s | {found['encoded']:,.0f} | {rate:,.0f} "
                    f"| {found['peak']:,.0f} MB |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
