"""Index engines at size: python benchmarks/bench_engines.py [--vectors 1000000] [--engines exact,lancedb,hnsw]

Fabricated rows of 384 numbers and length 1: points around 20,000 centres, as names lie around words. 100 queries are
such points too; the truth is the ten nearest by float32. Of each engine: seconds of wall and CPU to build, the same for
a query, one after another, recall@10, bytes on disk and memory at the peak. Each runs in a process of its own. LanceDB
(lancedb) and HNSW (hnswlib) are no requirements of this package: install them beside it.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIM, CENTRES, QUERIES, K, SPREAD = 384, 20_000, 100, 10, 0.6
PIECE = 50_000
Rows = NDArray[np.float32]
Ask = Callable[[Rows], list[int]]


def points(count: int, seed: int) -> Iterator[Rows]:
    """Rows of length 1, some at a time, around the same centres."""
    centres = np.random.default_rng(0).normal(size=(CENTRES, DIM)).astype(np.float32)
    random = np.random.default_rng(seed)
    for at in range(0, count, PIECE):
        size = min(PIECE, count - at)
        apart = SPREAD * random.normal(size=(size, DIM)).astype(np.float32)
        rows = centres[random.integers(CENTRES, size=size)] + apart
        yield rows / np.linalg.norm(rows, axis=1, keepdims=True)


def truth(count: int, queries: Rows) -> list[list[int]]:
    """The ten nearest of each query."""
    best: list[list[tuple[float, int]]] = [[] for _ in queries]
    for number, rows in enumerate(points(count, 1)):
        cosines = queries @ rows.T
        near = np.argpartition(-cosines, K, axis=1)[:, :K]
        for own, row, at in zip(best, cosines, near, strict=True):
            own += zip(row[at].tolist(), (at + number * PIECE).tolist(), strict=True)
            own[:] = sorted(own, reverse=True)[:K]
    return [[place for _, place in own] for own in best]


def exact(count: int, folder: Path) -> Iterator[tuple[str, Ask]]:
    """Our own file."""
    from dbt_schema_embed.index import Index

    index = Index(folder, encoder_id="fabricated", dim=DIM, approximate=False)
    pieces = points(count, 1)
    index.update([str(n) for n in range(count)], Pieces(pieces))
    yield "ours, float16, exact", lambda query: index.query(query[None], K)[0][0].tolist()


class Pieces:
    """Rows for texts that are asked for in order."""

    def __init__(self, pieces: Iterator[Rows]) -> None:
        self.pieces, self.left = pieces, np.zeros((0, DIM), np.float32)

    def __call__(self, texts: Any) -> Rows:
        while len(self.left) < len(texts):
            self.left = np.concatenate([self.left, next(self.pieces)])
        rows, self.left = self.left[: len(texts)], self.left[len(texts) :]
        return rows


def lancedb(count: int, folder: Path) -> Iterator[tuple[str, Ask]]:
    """Product quantisation in lists, rescored by the vectors as they are."""
    import lancedb
    import pyarrow as pa

    kind = pa.schema([pa.field("id", pa.int64()), pa.field("vector", pa.list_(pa.float32(), DIM))])

    def batches() -> Iterator[pa.RecordBatch]:
        for number, rows in enumerate(points(count, 1)):
            ids = np.arange(number * PIECE, number * PIECE + len(rows))
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), DIM)
            yield pa.record_batch([pa.array(ids), vectors], schema=kind)

    table = lancedb.connect(folder).create_table("columns", batches(), schema=kind)
    table.create_index("cosine", num_partitions=max(8, count // 4096), num_sub_vectors=DIM // 8)
    for probes, refine in ((20, 10), (50, 20), (100, 40)):

        def ask(query: Rows, probes: int = probes, refine: int = refine) -> list[int]:
            found = table.search(query).distance_type("cosine").nprobes(probes).refine_factor(refine).limit(K)
            return found.select(["id", "_distance"]).to_arrow()["id"].to_pylist()

        yield f"LanceDB, IVF_PQ, {probes} lists, {refine * K} rescored", ask


def hnsw(count: int, folder: Path) -> Iterator[tuple[str, Ask]]:
    """A graph in memory, as Chroma has one."""
    import hnswlib

    index = hnswlib.Index("ip", DIM)
    index.init_index(count, ef_construction=100, M=16)
    for rows in points(count, 1):
        index.add_items(rows)
    index.save_index(str(folder / "graph"))
    for near in (100, 400):

        def ask(query: Rows, near: int = near) -> list[int]:
            index.set_ef(near)
            return index.knn_query(query[None], K, num_threads=1)[0][0].tolist()

        yield f"HNSW, M 16, ef {near}", ask


def measure(engine: str, count: int) -> None:
    """Print rows of the table."""
    queries = next(points(QUERIES, 2))
    right = truth(count, queries)
    with tempfile.TemporaryDirectory() as place:
        marks = [(time.perf_counter(), time.process_time())]
        for name, ask in globals()[engine](count, Path(place)):
            marks.append((time.perf_counter(), time.process_time()))
            ask(queries[0])
            began, cpu = time.perf_counter(), time.process_time()
            found = [ask(query) for query in queries]
            took, cpu = (time.perf_counter() - began) / QUERIES, (time.process_time() - cpu) / QUERIES
            share = np.mean([len({*a} & {*b}) / K for a, b in zip(found, right, strict=True)])
            size = sum(path.stat().st_size for path in Path(place).rglob("*") if path.is_file())
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
            built, worked = (marks[1][i] - marks[0][i] for i in (0, 1))
            print(
                f"| {name} | {built:,.0f} s | {worked:,.0f} s | {took * 1e3:,.1f} ms | {cpu * 1e3:,.1f} ms "
                f"| {share:.3f} | {size / count:,.0f} | {peak:,.0f} MB |",
                flush=True,
            )


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--engines", default="exact,lancedb,hnsw")
    options = parser.parse_args()
    print(f"{options.vectors:,} vectors, load {os.getloadavg()[1]:.1f}\n")
    print("| engine | built in | CPU | a query | CPU | recall@10 | bytes a vector | peak |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for engine in options.engines.split(","):
        code = f"import bench_engines; bench_engines.measure({json.dumps(engine)}, {options.vectors})"
        subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=True)


if __name__ == "__main__":
    main()
