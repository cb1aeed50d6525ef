"""What Ray costs: python benchmarks/bench_ray.py [--texts 30000] [--rounds 3]

The same texts, in turns: a plain process of one thread and of two, then one and two Ray workers of a core each, on a
cluster of their own on this machine. Rates are by the clock, and by the CPU seconds of all processes of Ray and of the
one that asks, which other work on the machine changes less. Those of Ray are of the last three quarters of its chunks;
what the whole took beyond that, the cluster, its workers and their encoders, is said as start-up. Compares the vectors,
too. Needs Linux and the extra ray.
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from bench_growth import FIRST, LAST, SECOND
from numpy.typing import NDArray

from dbt_schema_embed.embed import open_embedder
from dbt_schema_embed.embed.batches import Limits
from dbt_schema_embed.embed.ray_workers import RayEncoder
from dbt_schema_embed.embed.stats import EmbedStats

MODEL = "all-MiniLM-L6-v2"


class Run(NamedTuple):
    """Texts a second, and a CPU second; seconds of start-up; the vectors."""

    rate: float
    by_cpu: float
    start: float
    rows: NDArray[np.float32]


def cpu() -> float:
    """CPU seconds of this process and of all that it has started and that still run."""
    ticks, parents = {}, {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(place.parent.name)] = int(words[1])
        ticks[int(place.parent.name)] = int(words[11]) + int(words[12])

    def ours(pid: int) -> bool:
        return pid == os.getpid() or (pid in parents and ours(parents[pid]))

    return sum(n for pid, n in ticks.items() if ours(pid)) / os.sysconf("SC_CLK_TCK")


def run(found: Iterable[NDArray[np.float32]]) -> Run:
    """What `found` takes. The last chunk does not count by CPU: its worker may have ended."""
    began, rows, marks = time.perf_counter(), [], []
    for some in found:
        rows.append(some)
        marks.append((time.perf_counter() - began, cpu(), sum(map(len, rows))))
    first, last = marks[len(marks) // 4], marks[-2]
    rate, by_cpu = ((last[2] - first[2]) / (last[i] - first[i]) for i in (0, 1))
    return Run(rate, by_cpu, marks[-1][0] - marks[-1][2] / rate, np.concatenate(rows))


def plain(texts: list[str], threads: int, cache: Path) -> Iterator[NDArray[np.float32]]:
    """The vectors by this process, as many at a time as a worker is given."""
    embedder = open_embedder(MODEL, cache_dir=cache, use_memo=False, max_workers=threads)
    for at in range(0, len(texts), 2048):
        yield embedder.embed(texts[at : at + 2048])


def on_ray(texts: list[str], workers: int, cache: Path) -> Iterator[NDArray[np.float32]]:
    """The vectors by Ray."""
    encoder_id = open_embedder(MODEL, cache_dir=cache).encoder_id
    encoder = RayEncoder("local", encoder_id, {"model_name": MODEL, "cache_dir": cache}, most=workers)
    return encoder.encode(texts, Limits(), EmbedStats())


def main() -> None:
    """Print a table, and what the vectors differ by."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    names = [f"{a} {b} {c}" for a in FIRST for b in SECOND for c in LAST]
    texts = [f"{name} {n}" for n, name in enumerate(random.Random(1).choices(names, k=options.texts))]
    runs: dict[str, list[Run]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for count in (1, 2):
                for what, way in (("threads", plain), ("Ray workers", on_ray)):
                    runs.setdefault(f"{count} {what}", []).append(run(way(texts, count, Path(folder))))
    print(f"{options.texts:,} texts, median of {options.rounds}, load {os.getloadavg()[1]:.1f}")
    print("| | texts a second | against as many threads | texts a CPU second | against as many threads |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for what, some in runs.items():
        pairs = list(zip(some, runs[f"{what[0]} threads"], strict=True))
        rate, by_cpu = (median(one[i] for one in some) for i in (0, 1))
        ratio, cpu_ratio = (median(one[i] / other[i] for one, other in pairs) for i in (0, 1))
        print(f"| {what} | {rate:,.0f} | {ratio:.2f} | {by_cpu:,.0f} | {cpu_ratio:.2f} |")
    every = [one for what, some in runs.items() if "Ray" in what for one in some]
    apart = max(float(np.abs(one.rows - runs["1 threads"][0].rows).max()) for one in every)
    starts = sorted(one.start for one in every)
    print(f"start-up {median(starts):.1f} s ({starts[0]:.1f} to {starts[-1]:.1f}); vectors differ by {apart:.0e}")


if __name__ == "__main__":
    main()
