"""Measure this room on this machine: ratios in one run, each side taking its turn, the fastest round of each counting.

Absolute figures move with whatever else a machine does; ratios of turns taken side by side hold.
"""

import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.embed import loading
from dbt_schema_embed.embed.batches import Limits
from dbt_schema_embed.embed.disk_store import DiskStore
from dbt_schema_embed.embed.encoder import Encoder
from dbt_schema_embed.embed.encoder_files import EncoderFiles, read_files
from dbt_schema_embed.embed.onnx_bytes import model, node, tensor, value
from dbt_schema_embed.embed.opening import open_embedder
from dbt_schema_embed.embed.relations import embed_relations
from dbt_schema_embed.embed.runners import workers_for
from dbt_schema_embed.embed.stats import EmbedStats
from dbt_schema_embed.embed.vector_bytes import to_bytes
from dbt_schema_embed.embed.weights import identity
from dbt_schema_embed.records import Relation

ROUNDS = 5
_ENTRIES = 10_000
_REST = 0.1  # seconds: the threads of whoever ran before spin on for a while
_STARTS = 3
_ONE_BY_ONE = 40  # texts encoded one call each
_JOINED = 500


Contenders = Mapping[str, Callable[[], object]]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure."""

    name: str
    value: float
    unit: str  # "x": a ratio
    goal: str = ""  # for example ">= 1.7"
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Setup:
    texts: Sequence[str]
    files: EncoderFiles
    encoders: Mapping[str, Encoder]  # by precision
    cache_dir: Path
    rounds: int
    workers: int

    def by_turns(self, contenders: Contenders) -> dict[str, float]:
        """The fastest round of each, in seconds; they take turns, after one round that does not count."""
        clock = time.process_time if self.workers == 1 else time.perf_counter
        best = dict.fromkeys(contenders, float("inf"))
        for number in range(self.rounds + 1):
            for name, run in contenders.items():
                time.sleep(_REST)
                start = clock()
                run()
                if number:
                    best[name] = min(best[name], clock() - start)
        return best


def measure(
    texts: Sequence[str],
    *,
    model_name: str = "all-MiniLM-L6-v2",
    rounds: int = ROUNDS,
    max_workers: int | None = None,
) -> list[Figure]:
    """Every figure of this room, for distinct ``texts`` (some hundreds: encoding them takes seconds a round).

    ``max_workers`` holds for every contender. With 1, CPU time counts instead of wall time: other work on the machine
    then blurs nothing, and nobody waits for a core.
    """
    workers = workers_for(max_workers)
    with tempfile.TemporaryDirectory() as folder:
        cache_dir = Path(folder)
        files = read_files(model_name)
        encoders = {kind: _encoder(files, cache_dir, kind, workers) for kind in ("float32", "int8")}
        setup = _Setup(texts, files, encoders, cache_dir, rounds, workers)
        return [*_speed(setup), *_int8(setup), *_memo(setup), *_start_up(model_name, cache_dir)]


def _speed(setup: _Setup) -> list[Figure]:
    """Against the matrix-product limit, and against sentence-transformers."""
    texts, encoder = setup.texts, setup.encoders["float32"]
    stats = EmbedStats()
    rows = _all(encoder, texts, stats)
    pipeline = loading.pipeline(setup.files, "cpu", "float32", setup.workers)

    def theirs(some: Sequence[str], batch: int) -> NDArray[np.float32]:
        found = pipeline.encode(list(some), batch_size=batch, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, np.float32)

    few = texts[:_ONE_BY_ONE]
    batches = {f"batches of {size}": partial(theirs, texts, size) for size in (16, 32, 64, 128, 256)}
    products = _products(setup.workers)
    contenders: dict[str, Callable[[], object]] = {**batches, **products, "ours": partial(_all, encoder, texts)}
    contenders["one call"] = lambda: [theirs([text], 1) for text in few]
    seconds = setup.by_turns(contenders)
    best, product = min(batches, key=seconds.__getitem__), min(products, key=seconds.__getitem__)
    rate = len(texts) / seconds["ours"]
    flops = stats.tokens * _flops(setup.files) / seconds["ours"]
    limits = {name: _PRODUCT_FLOPS / seconds[name] for name in products}
    cosine = np.einsum("ij,ij->i", rows, theirs(texts, 64)).min()
    return [
        Figure("texts a second", rate, "1/s", note=f"{encoder.name}, {stats.tokens / len(texts):.1f} tokens a text"),
        Figure("of the matrix-product limit", flops / limits[product], "x", ">= 0.85",
               f"{limits[product] / 1e9:.0f} GFLOP/s by {product}, the best of {', '.join(products)}"),
        Figure("of torch's matrix-product limit", flops / limits["torch"], "x", "",
               f"{limits['torch'] / 1e9:.0f} GFLOP/s"),
        Figure("against sentence-transformers", seconds[best] / seconds["ours"], "x", ">= 1.7", f"its best, {best}"),
        Figure("against one call a text", seconds["one call"] / len(few) * rate, "x", ">= 15"),
        Figure("least cosine to sentence-transformers", float(cosine), "", ">= 0.9999", f"{len(texts)} texts"),
    ]  # fmt: skip


def measure_relations(
    relations: Sequence[Relation], *, model_name: str, max_workers: int | None = None
) -> list[Figure]:
    """Columns a second with nothing in the memo, against encoding a text of name, table, type and description each.

    The other side encodes at most `_JOINED` columns, and is taken to go on at that rate.
    """
    workers = workers_for(max_workers)
    joined = [" ".join((r.name, c.name, c.type or "", c.description)).strip() for r in relations for c in r.columns]
    some = joined[:: max(1, len(joined) // _JOINED)]
    with tempfile.TemporaryDirectory() as folder:
        pipeline = loading.pipeline(read_files(model_name), "cpu", "float32", workers)
        with closing(open_embedder(model_name, cache_dir=Path(folder), use_memo=False, max_workers=workers)) as ours:
            seconds = {"ours": float("inf"), "joined": float("inf")}
            for turn in range(3):
                for name, run in (
                    ("ours", lambda: embed_relations(relations, ours)),
                    ("joined", lambda: pipeline.encode(some, batch_size=64, show_progress_bar=False)),
                ):
                    start = time.perf_counter()
                    run()
                    if turn:  # the first loads weights
                        seconds[name] = min(seconds[name], time.perf_counter() - start)
    rate, other = len(joined) / seconds["ours"], len(some) / seconds["joined"]
    return [
        Figure("columns a second, empty memo", rate, "1/s", note=f"{len(joined)} columns"),
        Figure("against encoding each column's joined text", rate / other, "x", ">= 6", f"{other:,.0f} a second"),
    ]  # fmt: skip


def _int8(setup: _Setup) -> list[Figure]:
    seconds = setup.by_turns({kind: partial(_all, one, setup.texts) for kind, one in setup.encoders.items()})
    cosine = np.einsum("ij,ij->i", *(_all(encoder, setup.texts) for encoder in setup.encoders.values()))
    return [
        Figure("int8 against float32", seconds["float32"] / seconds["int8"], "x", ">= 1.2"),
        Figure("int8 mean cosine to float32", float(cosine.mean()), "", ">= 0.995", f"least {cosine.min():.4f}"),
    ]


def _memo(setup: _Setup) -> list[Figure]:
    """Bulk reads and writes against diskcache one by one, over real vectors under 10,000 keys."""
    import diskcache

    some = _all(setup.encoders["float32"], setup.texts)
    rows = some[np.arange(_ENTRIES) % len(some)]
    keys = [hashlib.sha1(str(n).encode(), usedforsecurity=False).hexdigest() for n in range(_ENTRIES)]
    items = dict(zip(keys, to_bytes(keys, rows), strict=True))
    store = DiskStore(setup.cache_dir / "bench")
    store.write(items)
    few = dict(list(items.items())[: _ENTRIES // 10])

    with diskcache.Cache(str(store.folder)) as plain:
        seconds = setup.by_turns(
            {
                "read": lambda: store.read(keys),
                "get": lambda: [plain.get(key) for key in keys],
                "read some": lambda: store.read(list(few)),
                "get some": lambda: [plain.get(key) for key in few],
                "write": lambda: store.write(few),
                "set": lambda: [plain.set(key, value) for key, value in few.items()],
            }
        )
    return [
        Figure("memo, bulk read against get", seconds["get"] / seconds["read"], "x", ">= 3",
               f"{_ENTRIES / seconds['read']:,.0f} a second"),
        Figure("memo, bulk read of a tenth against get", seconds["get some"] / seconds["read some"], "x"),
        Figure("memo, bulk write against set", seconds["set"] / seconds["write"], "x", "",
               f"{len(few) / seconds['write']:,.0f} a second"),
    ]  # fmt: skip


def _start_up(model_name: str, cache_dir: Path) -> list[Figure]:
    """CPU seconds of a whole fresh process: first vector encoded, then all of it in the memo."""
    code = (
        "from pathlib import Path; from dbt_schema_embed.embed import open_embedder;"
        f"open_embedder({model_name!r}, cache_dir=Path({str(cache_dir / 'start')!r})).embed(['customer id', %r])"
    )
    first = [_cpu_seconds(code % f"new {n}") for n in range(_STARTS)]
    known = [_cpu_seconds(code % "new 0") for _ in range(_STARTS)]
    bare = [_cpu_seconds("pass") for _ in range(_STARTS)]
    return [
        Figure("first vector of a process", min(first) - min(bare), "s", "<= 1", "CPU beyond the bare interpreter"),
        Figure("all in the memo", min(known) - min(bare), "s", "", "CPU beyond the bare interpreter"),
    ]


def _cpu_seconds(code: str) -> float:
    """CPU time of a Python process that runs ``code``."""
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


_PRODUCT = (4096, 384, 1536)
_PRODUCT_TIMES = 32  # as long as a round of encoding: a processor's first moments are its fastest
_PRODUCT_FLOPS = 2.0 * 4096 * 384 * 1536 * _PRODUCT_TIMES


def _products(workers: int) -> dict[str, Callable[[], object]]:
    """A float32 matrix product of the encoder's widest shape, by each library that is here, on every core."""
    import torch

    n, k, m = _PRODUCT
    left, right = (np.random.default_rng(0).random(shape, np.float32) for shape in ((n, k), (k, m)))
    left_torch, right_torch = torch.from_numpy(left), torch.from_numpy(right)
    session = _product_session(right, workers)
    times = range(_PRODUCT_TIMES)
    return {
        "numpy": lambda: [left @ right for _ in times],
        "torch": lambda: [left_torch @ right_torch for _ in times],
        "onnxruntime": lambda: [session.run(None, {"left": left}) for _ in times],
    }


def _product_session(right: NDArray[np.float32], workers: int) -> Any:
    import onnxruntime

    k, m = right.shape
    product = node("MatMul", ["left", "right"], ["product"])
    left, out = value("left", "float32", ["n", k]), value("product", "float32", ["n", m])
    graph = model([product], [tensor("right", right)], left, out)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = workers
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _flops(files: EncoderFiles) -> float:
    """Floating-point operations a token: the matrix products with weights, two for each number of a weight."""
    config = files.config
    hidden, wide = config["hidden_size"], config["intermediate_size"]
    return 2.0 * float(config["num_hidden_layers"] * (4 * hidden * hidden + 2 * hidden * wide))


def _encoder(files: EncoderFiles, cache_dir: Path, precision: str, workers: int) -> Encoder:
    name = identity(files, cache_dir)
    wanted = loading.Wanted(files, name, cache_dir, workers, use_gpu=False, precision=precision)
    return loading.load(wanted, EmbedStats(), [])


def _all(encoder: Encoder, texts: Sequence[str], stats: EmbedStats | None = None) -> NDArray[np.float32]:
    return np.concatenate(list(encoder.encode(texts, Limits(), stats or EmbedStats())))
