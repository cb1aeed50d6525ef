"""Measure exact search against Chroma, and what a million vectors need: the figures behind `chroma.CROSSOVER`.

    python benchmarks/bench_index.py --rows 20000 100000 --memory

Vectors are drawn in clusters, with near neighbours as column names have them. Times are the best of five, in
milliseconds; all figures of a line are from one run, so that their ratios hold on a busy machine too.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.index import Index
from dbt_schema_embed.observe.benching import machine

DIM = 384
QUERIES = (1, 10, 100, 1000)
MILLION = 1_000_000


def clustered(rows: int, seed: int = 0) -> NDArray[np.float32]:
    """``rows`` vectors of length 1 in clusters of about twenty."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(rows // 20 + 1, DIM)).astype(np.float32)
    vectors = centres[rng.integers(0, len(centres), rows)] + 0.5 * rng.normal(size=(rows, DIM)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def opened(folder: Path, approximate: bool) -> Index:
    """An index to measure."""
    return Index(folder, encoder_id="bench", dim=DIM, approximate=approximate)


def best(call: Callable[[], object]) -> float:
    """The shortest of five calls, in milliseconds."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return round(min(times) * 1000, 2)


def seconds(call: Callable[[], object]) -> float:
    """One call, in seconds."""
    began = time.perf_counter()
    call()
    return round(time.perf_counter() - began, 2)


def compare(rows: int) -> dict[str, object]:
    """Exact search and Chroma over the same rows."""
    vectors = clustered(rows)
    texts = [f"c{n:07d}" for n in range(rows)]
    rng = np.random.default_rng(1)
    queries = vectors[rng.integers(0, rows, max(QUERIES))] + 0.02 * rng.normal(size=(max(QUERIES), DIM))

    def vectors_of(some: Sequence[str]) -> NDArray[np.float32]:
        return vectors[[int(text[1:]) for text in some]]

    result: dict[str, object] = {"rows": rows}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "ours" / "index"
        exact, chroma = opened(folder, False), opened(folder, True)
        result["exact: build s"] = seconds(lambda: exact.update(texts, vectors_of))
        result["exact: nothing new s"] = seconds(lambda: exact.update(texts, vectors_of))
        changed = [*texts[1:], "new"]
        result["exact: one text new s"] = seconds(lambda: exact.update(changed, lambda some: np.ones((len(some), DIM))))
        exact.close()
        result["exact: open and first query s"] = seconds(lambda: exact.query(queries[:1], 10))
        result["chroma: build s"] = seconds(chroma.copied)
        chroma.close()
        result["chroma: open and first query s"] = seconds(lambda: chroma.query(queries[:1], 10))
        for count in QUERIES:
            some = queries[:count]
            result[f"exact: {count} queries ms"] = best(lambda some=some: exact.query(some, 10))  # type: ignore[misc]
            result[f"chroma: {count} queries ms"] = best(lambda some=some: chroma.query(some, 10))  # type: ignore[misc]
        pairs = zip(exact.query(queries, 10)[0].tolist(), chroma.query(queries, 10)[0].tolist(), strict=True)
        result["chroma: recall@10"] = round(float(np.mean([len(set(a) & set(b)) / 10 for a, b in pairs])), 4)
        result["notes"] = chroma.notes
        exact.close()
        chroma.close()
    return result


def million(folder: Path) -> None:
    """Write a million vectors."""
    index = opened(folder, False)
    index.update([f"c{n:07d}" for n in range(MILLION)], lambda some: clustered(len(some), int(some[0][1:])))
    index.close()


def peak() -> int:
    """The most memory this program has had, in MB. (ru_maxrss counts what the parent had when it forked.)"""
    status = Path("/proc/self/status").read_text("ascii")
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def searched(folder: Path) -> dict[str, object]:
    """Search a million vectors in this process, and say what memory that took."""
    before = peak()
    index = opened(folder, False)
    queries = clustered(100, 5)
    result: dict[str, object] = {"rows": MILLION}
    result["open and first query s"] = seconds(lambda: index.query(queries[:1], 10))
    result["1 query ms"] = best(lambda: index.query(queries[:1], 10))
    result["100 queries ms"] = best(lambda: index.query(queries, 10))
    result["peak memory MB"] = peak()
    result["of these before MB"] = before
    index.close()
    return result


def main() -> None:
    """Print one line of JSON for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[5_000, 20_000])
    parser.add_argument("--memory", action="store_true", help="a million vectors, float16, exact search")
    parser.add_argument("--search", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.search:
        print(json.dumps(searched(options.search)))
        return
    print(json.dumps(machine()))
    for rows in options.rows:
        print(json.dumps(compare(rows)), flush=True)
    if options.memory:
        with tempfile.TemporaryDirectory() as place:
            million(Path(place) / "ours" / "index")
            # a fresh process: writing needs more memory than searching
            subprocess.run([sys.executable, __file__, "--search", str(Path(place) / "ours" / "index")], check=True)


if __name__ == "__main__":
    main()
