"""What a command costs as a project grows: python benchmarks/bench_growth.py [--columns 1000 10000 100000]

Made projects whose tables share most of their column names, as real ones do: one distinct name for three columns or so.
Each line is a process of its own with the encoder seen before: first with nothing in the memo and no index, then
unchanged, then with a manifest written anew that says the same, then with a hundredth of the tables new; then searches:
the first after a change, the same words again, other words. Then, in a project whose second half are models: `suggest`
for one table, twice, for another, and for all, twice, `check`, `report`, twice; and `match` of two tables of as many
columns, 10,000 at most.
``--only``: runs whose names begin with one of some words. ``--fake``: vectors are made of hashes and no encoder is
loaded, so that only the rest is timed. CPU is that of the process and its children; the last column compares the wall
with that of the first size.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, product
from pathlib import Path
from typing import Any

COLUMNS = 20
TYPES = ("varchar", "integer", "timestamp")
SETTLED = 2.1
"""Seconds after which a file is told from a later one; see read/unchanged.py."""

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


def make_models(folder: Path, columns: int) -> None:
    """Write a manifest of ``columns`` columns, half in source tables of 20, half in their models; every second model is
    planned, the others have SQL. Six in ten columns keep their name, three get another one, the tenth is dropped."""
    make(folder, columns // 2)
    path = folder / "target" / "manifest.json"
    manifest, draw = json.loads(path.read_text()), random.Random(3)
    for number, (source, table) in enumerate(manifest["sources"].items()):
        table["relation_name"] = f'"db"."vendor"."{table["name"]}"'
        pairs = {}
        for name in table["columns"]:
            luck = draw.random()
            renamed = f"{table['name'].rpartition('_')[0]}_{name.split('_', 1)[1]}"
            if luck < 0.9:
                pairs[name] = name if luck < 0.6 else renamed
        model = f"stg_vendor__{table['name']}"
        sql = f"select {', '.join(f'{a} as {b}' for a, b in pairs.items())} from {table['relation_name']}"
        built = {"raw_code": sql, "compiled_code": sql, "depends_on": {"nodes": [source]}} if number % 2 else {}
        manifest["nodes"][f"model.made.{model}"] = {
            "resource_type": "model", "name": model, "package_name": "made",
            "original_file_path": f"models/{model}.sql",
            "relation_name": f'"db"."stg"."{model}"', **built,
            "columns": {b: table["columns"][a] | {"name": b} for a, b in pairs.items()},
        }  # fmt: skip
    path.write_text(json.dumps(manifest))


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
        columns_of = {name: {"name": name, "data_type": TYPES[len(name) % 3]} for name in named}
        sources[f"source.made.vendor.{table}"] = {
            "resource_type": "source", "name": table, "source_name": "vendor", "package_name": "made",
            "original_file_path": "models/sources.yml", "columns": columns_of,
        }  # fmt: skip
    manifest = {"metadata": {"adapter_type": "duckdb", "project_name": "made"}, "nodes": {}, "sources": sources}
    (folder / "target").mkdir(parents=True, exist_ok=True)
    (folder / "target" / "manifest.json").write_text(json.dumps(manifest))
    (folder / "dbt_project.yml").write_text("name: made\nversion: 1.0.0\n")


Took = dict[str, float]

FAKED = """
import hashlib, sys
import numpy as np
from dbt_schema_embed.embed.memo import MemoEmbedder

def fake(self, texts, **_):
    if isinstance(texts, str):
        raise TypeError
    seeds = np.frombuffer(b"".join(hashlib.blake2b(t.encode(), digest_size=48).digest() for t in texts), "i1")
    rows = np.tile(seeds.reshape(len(texts), 48).astype(np.float32), (1, self.dim // 48))
    rows += np.arange(self.dim, dtype=np.float32) % 7
    self.stats.misses += len(texts)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)

MemoEmbedder.embed = fake
"""


def run(folder: Path, cache: Path, fake: bool, *asked: str) -> dict[str, float]:
    """One command: wall and CPU seconds, peak memory of its processes in MB, texts that had to be encoded."""
    metrics = folder / "metrics.json"
    metrics.write_text('{"encoded": 0}')
    code = f"{FAKED if fake else ''}\nfrom dbt_schema_embed.cli import main; main()"
    flags = [*asked, "--set", f"cache_dir={cache}"]
    flags += ["--metrics", str(metrics)] if asked[0] in ("index", "search", "suggest") else []
    flags += [] if asked[0] == "match" else ["--project-dir", str(folder)]
    # a process between: ru_maxrss is that of the largest child so far, and counts what a parent had when it forked
    command = [sys.executable, "-c", MEASURE, sys.executable, "-c", code, *flags]
    measured = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    said: dict[str, float] = json.loads(measured.splitlines()[-1])
    return said | {"encoded": json.loads(metrics.read_text())["encoded"]}


MEASURE = """
import json, resource, subprocess, sys, time
started = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
wall = time.perf_counter() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"wall": wall, "peak": used.ru_maxrss / 1024, "cpu": used.ru_utime + used.ru_stime}))
"""


def runs(folder: Path, cache: Path, columns: int, fake: bool) -> Iterator[tuple[str, dict[str, float]]]:
    """Each run in order, with what it took."""
    tables = max(1, columns // COLUMNS // 100)
    for name, new in (
        ("cold", 0),
        ("unchanged", -1),
        ("written anew", 0),
        ("1 % new", tables),
    ):
        if new >= 0:
            make(folder, columns, new)
            time.sleep(SETTLED)
        yield f"index, {name}", run(folder, cache, fake, "index")
    make(folder, columns, tables + 1)
    time.sleep(SETTLED)
    for name, words in (("first", "customer e-mail"), ("again", "customer e-mail"), ("other words", "order total")):
        yield f"search, {name}", run(folder, cache, fake, "search", words)
    yield "search --type", run(folder, cache, fake, "search", "order total", "--type", "varchar")


def runs_with_models(folder: Path, cache: Path, columns: int, fake: bool) -> Iterator[tuple[str, Callable[[], Took]]]:
    """Each run on a project with models, in order."""
    make_models(folder, columns)
    time.sleep(SETTLED)
    for name, words in (
        ("suggest, one table, first", ("suggest", "--select", "vendor.account_0")),
        ("suggest, one table, again", ("suggest", "--select", "vendor.account_0")),
        ("suggest, another table", ("suggest", "--select", "vendor.charge_0")),
        ("check", ("check",)),
        ("suggest, all", ("suggest", "--format", "json")),
        ("suggest, all, again", ("suggest", "--format", "json")),
        ("report", ("report",)),
        ("report, again", ("report",)),
    ):
        yield name, partial(run, folder, cache, fake, *words)
    sides = folder / "left.csv", folder / "right.csv"
    names = ["_".join(parts) for parts in product(FIRST, SECOND, LAST)]
    random.Random(1).shuffle(names)
    size = min(columns, 10_000)
    for side, start in zip(sides, (0, size // 10), strict=True):
        side.write_text(",".join(names[start : start + size]) + "\n")
    yield f"match, {size:,} by {size:,}", partial(run, folder, cache, fake, "match", *map(str, sides), "--top-k", "3")


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--fake", action="store_true", help="no encoder: time only the rest")
    parser.add_argument("--only", nargs="+", default=[], help="runs whose names begin with one of these")
    options = parser.parse_args()
    first: dict[str, float] = {}
    print(f"| columns | run | wall | CPU | texts encoded | peak memory | ratio to {options.columns[0]:,} |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for columns in options.columns:
        with tempfile.TemporaryDirectory() as scratch:
            folder, cache = Path(scratch) / "made", Path(scratch) / "cache"
            make(Path(scratch) / "seen", COLUMNS)
            run(Path(scratch) / "seen", cache, options.fake, "index")
            some = tuple(options.only)
            alone = ((n, partial(dict, t)) for n, t in runs(folder, cache, columns, options.fake))
            models = runs_with_models(Path(scratch) / "models", cache, columns, options.fake)
            for name, ask in chain(alone if not some or "index" in some else (), models):
                if some and not name.startswith(some):
                    continue
                took = ask()
                ratio = took["wall"] / first.setdefault(name, took["wall"])
                print(
                    f"| {columns:,} | {name} | {took['wall']:.2f} s | {took['cpu']:.2f} s | {took['encoded']:,.0f} "
                    f"| {took['peak']:,.0f} MB | {ratio:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
