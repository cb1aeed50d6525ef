"""What smaller vectors cost in recall on real names: python benchmarks/bench_quantised.py FOLDER [FOLDER ...]

FOLDER holds dbt projects, <project>/target/manifest.json, whose columns are indexed as `search` does it. Queries are
500 of the names, without their tables. Recall@10: the share of the ten nearest by float32 among the ten found.
int8 keeps 127 times each number; binary keeps its sign, and compares what it finds near with the int8 vectors.
Scan rates are of one thread, in the same run, in vectors of 384 a second.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.embed import open_embedder
from dbt_schema_embed.embed.text import search_texts
from dbt_schema_embed.errors import SchemaEmbedError
from dbt_schema_embed.index.vectors import largest, upcast
from dbt_schema_embed.read.project import read_project

K = 10
QUERIES = 500


def names(folders: list[Path]) -> list[str]:
    """Every distinct text of the projects, sorted."""
    found: set[str] = set()
    for manifest in (path for folder in folders for path in sorted(folder.glob("*/target/manifest.json"))):
        try:
            project = read_project(manifest.parent.parent, values=False, lineage_of=())
        except SchemaEmbedError as problem:
            print(f"left out: {problem.message}")
            continue
        found |= {text for relation in project.relations for pair in search_texts(relation) for text in pair if text}
    return sorted(found)


def best(similar: NDArray[np.float32], k: int = K) -> list[NDArray[np.int64]]:
    """The ``k`` best of each row."""
    return [largest(row, k) for row in similar]


def recall(found: list[NDArray[np.int64]], truth: list[NDArray[np.int64]]) -> float:
    """Mean share of the truth that was found."""
    return float(np.mean([len(np.intersect1d(a, b)) / len(b) for a, b in zip(found, truth, strict=True)]))


def binary(rows: NDArray[np.float32]) -> NDArray[np.uint64]:
    """(n, 6): the signs of 384 numbers."""
    return np.packbits(rows > 0, axis=1).view(np.uint64)


def rescored(rows: NDArray[np.float32], queries: NDArray[np.float32], some: int) -> list[NDArray[np.int64]]:
    """Of the ``some`` nearest by signs, the ten best by int8."""
    codes, asked, kept = binary(rows), binary(queries), int8(rows)
    scales = np.abs(rows).max(axis=1)
    found = []
    for query, code in zip(queries, asked, strict=True):
        near = largest(-np.bitwise_count(codes ^ code).sum(axis=1, dtype=np.int32), some)
        found.append(near[largest(kept[near].astype(np.float32) @ query * scales[near], K)])
    return found


def int8(rows: NDArray[np.float32]) -> NDArray[np.int8]:
    """127 times each number, by the largest of its row: that is the scale to multiply by again."""
    return np.round(rows / np.abs(rows).max(axis=1, keepdims=True) * 127).astype(np.int8)


def measures(rows: NDArray[np.float32], queries: NDArray[np.float32]) -> Iterator[tuple[str, int, float]]:
    """(what, bytes a vector, recall@10)."""
    truth = best(queries @ rows.T)
    yield "float16", 768, recall(best(queries @ rows.astype(np.float16).astype(np.float32).T), truth)
    scales = np.abs(rows).max(axis=1) / 127
    yield "int8", 388, recall(best(queries @ int8(rows).astype(np.float32).T * scales), truth)
    for some in (10, 50, 100, 200, 400):
        yield f"binary, {some} rescored by int8", 48 + 388, recall(rescored(rows, queries, some), truth)


def rates(rows: NDArray[np.float32], query: NDArray[np.float32]) -> Iterator[tuple[str, float]]:
    """(how, vectors a second): reading all of them once for one query, the best of five."""
    many = np.tile(rows, (max(1, 200_000 // len(rows)), 1))
    halves, bytes_, codes, code = many.astype(np.float16), int8(many), binary(many), binary(query[None])[0]
    ways: dict[str, Callable[[int, int], object]] = {
        "exact, float16": lambda a, b: np.einsum("ij,j->i", upcast(halves[a:b]), query),
        "exact, int8": lambda a, b: np.einsum("ij,j->i", bytes_[a:b].astype(np.float32), query),
        "binary": lambda a, b: np.bitwise_count(codes[a:b] ^ code).sum(axis=1, dtype=np.int32),
    }
    for name, way in ways.items():
        times = []
        for _ in range(5):
            began = time.process_time()
            for start in range(0, len(many), 1365):
                way(start, start + 1365)
            times.append(time.process_time() - began)
        yield name, len(many) / min(times)


def main() -> None:
    """Print two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    texts = names(parser.parse_args().folders)
    with tempfile.TemporaryDirectory() as cache:
        embedder = open_embedder(cache_dir=Path(cache))
        rows = embedder.embed(texts)
        picked = np.random.default_rng(0).permutation(len(texts))[:QUERIES]
        queries = embedder.embed([texts[i].partition(": ")[2] or texts[i] for i in picked])
        embedder.close()
    print(f"{len(texts):,} distinct texts, {len(queries)} queries\n\n| kept as | bytes a vector | recall@10 |")
    print("| --- | ---: | ---: |")
    for what, size, share in measures(rows, queries):
        print(f"| {what} | {size} | {share:.3f} |", flush=True)
    print("\n| scan, one thread | vectors a second of CPU |\n| --- | ---: |")
    for what, rate in rates(rows, queries[0]):
        print(f"| {what} | {rate:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
