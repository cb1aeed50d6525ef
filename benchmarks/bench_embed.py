"""Measure the embedding engine: python benchmarks/bench_embed.py [--json FILE] [MANIFEST ...]

The texts are the columns of the manifests given, else of the real projects in ../shared/cases, else generated ones.
"""

import argparse
import json
import platform
import random
import sys
from dataclasses import asdict
from itertools import product
from pathlib import Path

from dbt_schema_embed.embed.bench import ROUNDS, Figure, measure
from dbt_schema_embed.embed.runners import workers_for
from dbt_schema_embed.embed.text import words

CASES = Path(__file__).resolve().parents[2] / "shared" / "cases" / "dbt"


def column_names(manifests: list[Path]) -> list[str]:
    """Every distinct column name of the manifests, as words."""
    names = set()
    for path in manifests:
        manifest = json.loads(path.read_text("utf-8"))
        for section in ("nodes", "sources"):
            for node in manifest.get(section, {}).values():
                names |= {words(column) for column in node.get("columns") or {}}
    return sorted(names - {""})


def generated() -> list[str]:
    """Names as plausible as they need be."""
    things = ("customer", "order", "invoice", "charge", "ticket", "session", "campaign", "account", "product", "refund")
    facts = ("id", "name", "status", "created at", "is deleted", "total amount", "currency code", "first seen date")
    return [f"{thing} {fact}" for thing, fact in product(things, facts)]


def table(figures: list[Figure]) -> str:
    """Markdown."""
    lines = ["| figure | value | goal | |", "| --- | ---: | --- | --- |"]
    for f in figures:
        value = f"{f.value:.4f}" if f.unit == "" else f"{f.value:,.2f}{'' if f.unit == 'x' else ' ' + f.unit}"
        lines.append(f"| {f.name} | {value} | {f.goal} | {f.note} |")
    return "\n".join(lines)


def machine() -> str:
    """One line about where this ran."""
    model = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "")
    return f"{workers_for(None)} cores, {model or platform.processor()}, Python {platform.python_version()}"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text("utf-8").splitlines()
    except OSError:
        return []


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifests", nargs="*", type=Path)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--texts", type=int, default=600, help="distinct texts to encode in a round")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--workers", type=int, help="cores that each contender may use; all by default")
    options = parser.parse_args()
    names = column_names(options.manifests or sorted(CASES.glob("*/target/manifest.json"))) or generated()
    random.Random(0).shuffle(names)
    figures = measure(names[: options.texts], rounds=options.rounds, max_workers=options.workers)
    print(
        machine(),
        f"{options.workers or workers_for(None)} used, {min(len(names), options.texts)} texts",
        sep=", ",
        end="\n\n",
    )
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps([asdict(f) for f in figures], indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
