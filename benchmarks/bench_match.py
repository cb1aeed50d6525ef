"""Ranking without encoding: 1,000 source columns against 10,000 model columns, vectors at hand.

    python benchmarks/bench_match.py [--columns 1000] [--targets 10000]

Names are drawn from database words, vectors are random per distinct text: only the work is real, not the answers.
Prints wall and CPU seconds and the peak memory of the process above its imports.
"""

import argparse
import random
import resource
import time

import numpy as np

from dbt_schema_embed.match import suggest
from dbt_schema_embed.match.knowledge import knowledge
from dbt_schema_embed.match.lexicon import SYNONYMS
from dbt_schema_embed.records import Column, Embedded, Project, Relation

WIDTH, DIM = 40, 384
TYPES = ("integer", "text", "timestamp", "boolean", "numeric")


def relation(kind: str, number: int, rng: random.Random) -> Relation:
    """A table of WIDTH columns."""
    vocabulary = sorted(w for w in SYNONYMS if len(w) > 3)
    names = {"_".join(rng.sample(vocabulary, rng.randint(1, 4))): None for _ in range(WIDTH * 2)}
    columns = tuple(Column(n, rng.choice(TYPES), position=i) for i, n in enumerate(list(names)[:WIDTH]))
    name = "_".join(rng.sample(vocabulary, 2))
    if kind == "source":
        return Relation(f"source.shop.app.{name}_{number}", name, "source", columns, source_name="app")
    return Relation(f"model.shop.stg_app__{name}_{number}", f"stg_app__{name}_{number}", "model", columns)


def embedded(r: Relation, rng: np.random.Generator) -> Embedded:
    """Random unit vectors."""

    def rows(n: int) -> np.ndarray:
        x = rng.normal(size=(n, DIM)).astype(np.float32)
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    n = len(r.columns)
    facets = {"name": rows(n), "in_table": rows(n), "description": np.zeros((n, DIM), np.float32)}
    return Embedded(r, facets, rows(1)[0])


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, default=1000)
    parser.add_argument("--targets", type=int, default=10_000)
    args = parser.parse_args()
    rng, vectors = random.Random(0), np.random.default_rng(0)
    sources = [embedded(relation("source", i, rng), vectors) for i in range(args.columns // WIDTH)]
    models = [embedded(relation("model", i, rng), vectors) for i in range(args.targets // WIDTH)]
    project = Project("shop", "duckdb", tuple(e.relation for e in (*models, *sources)))
    knowledge().senses("")  # opened from its packed form in a few milliseconds where a cache folder is given
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    rows = suggest(sources, models, project=project)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{len(rows)} source columns, {args.targets} targets: {wall:.2f} s wall, {cpu:.2f} s CPU, {peak:.0f} MB more")


if __name__ == "__main__":
    main()
