"""The child process in which Chroma runs; `chroma.py` starts it and talks to it.

A process of its own, because Chroma's native code can crash on a damaged file, because its import reads the ``.env`` of
the current folder and lets that name modules to load, and because the embedding functions it knows must be forgotten
before a collection made by somebody else is touched: none of which may happen in the caller's process.

    python -P -m dbt_schema_embed.index.chroma_worker build <generation> <width> <rows> <first> <probe all: 0 or 1>
    python -P -m dbt_schema_embed.index.chroma_worker verify <generation> <width> <rows>
    python -P -m dbt_schema_embed.index.chroma_worker serve <generation> <width>

All print one line of JSON when done or ready: ``{"error": ""}``. `verify` and `serve` read from standard input one line
of JSON with the files of the store, their sizes and checksums. `serve` then reads requests (count, n: int64; count *
width float32), and answers each with count * n int64 rows (-1: none) and count * n float32 distances.
"""

import contextlib
import json
import os
import secrets
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.index.store import checksum

READY = b'{"error": ""}\n'
BATCH = 5_000  # Chroma's own limit is 5,461
COLLECTION = "columns"
HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 200}
"""At 100, Chroma's own ef_construction, recall@10 over 20,000 real names is 0.998; at 200 it is 0.999."""

PROBES = 200
LOST = 0.001
"""Share of the probed rows that may stay unfound by their own vector: what an approximate graph may miss."""


NEAR = 1e-4


class RefusedError(Exception):
    """A collection that is not as this package makes them."""


def main(arguments: list[str]) -> None:
    """Do what the command line says; see the module's docstring."""
    command, generation, *numbers = arguments
    folder = Path(generation)
    os.chdir(folder)  # no .env of anybody's project
    channel = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever else prints stays out of the channel
    try:
        if command == "build":
            width, rows, first, every = map(int, numbers)
            _build(folder, width, rows, first)
            _probe(folder, folder / "chroma", width, rows, bool(every))
            channel.write(READY)
            return
        with _clone(folder, json.loads(sys.stdin.buffer.readline())) as store:
            if command == "verify":
                _probe(folder, store, int(numbers[0]), int(numbers[1]), True)
                channel.write(READY)
            else:
                _serve(_collection(_client(store)), int(numbers[0]), sys.stdin.buffer, channel)
    except Exception as problem:  # whatever Chroma raises: the caller does without it and says why
        channel.write(json.dumps({"error": f"{type(problem).__name__}: {problem}"[:300]}).encode() + b"\n")


def _client(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings
    from chromadb.utils import embedding_functions

    # A collection can name an embedding function that loads code from elsewhere (CVE-2026-45829, CVE-2026-45833).
    embedding_functions.known_embedding_functions.clear()
    embedding_functions.sparse_known_embedding_functions.clear()
    settings = Settings(_env_file=None, anonymized_telemetry=False)
    return chromadb.PersistentClient(str(folder), settings=settings)


def _collection(client: Any) -> Any:
    collection = client.get_collection(COLLECTION, embedding_function=None)
    model = collection._model
    for where in (model.configuration_json, getattr(model, "serialized_schema", None)):
        if names := sorted(embedding_functions_in(where)):
            raise RefusedError(f"the collection names an embedding function: {', '.join(names)[:100]}")
    if model.configuration_json["hnsw"]["space"] != "cosine":
        raise RefusedError("the collection's space is not cosine")
    return collection


def embedding_functions_in(value: Any) -> set[str]:
    """The embedding functions that a collection's configuration or schema names, however deep."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            function = item.get("embedding_function")
            if function is not None and not _nameless(function):
                found.add(str(function.get("name") if isinstance(function, dict) else function))
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return found


def _nameless(function: Any) -> bool:
    """Whether it is what Chroma writes when no embedding function was given."""
    return isinstance(function, dict) and set(function) == {"type"} and function["type"] in ("legacy", "unknown")


def _rows(folder: Path, width: int, start: int, stop: int) -> NDArray[np.float32]:
    halves = np.fromfile(folder / "vectors.f16", "<f2", (stop - start) * width, offset=start * width * 2)
    return halves.reshape(-1, width).astype(np.float32)


def _picked(folder: Path, width: int, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.concatenate([_rows(folder, width, n, n + 1) for n in numbers.tolist()])


def _build(folder: Path, width: int, rows: int, first: int) -> None:
    """Add the rows from ``first`` on to the generation's Chroma store, which is made if ``first`` is 0."""
    client = _client(folder / "chroma")
    if first == 0:
        # sync_threshold 1: every row goes into the files at once; readers would else write what is left into theirs
        configuration = {"hnsw": HNSW | {"sync_threshold": 1}}
        client.create_collection(COLLECTION, embedding_function=None, configuration=configuration)
    collection = _collection(client)
    for start in range(first, rows, BATCH):
        vectors = _rows(folder, width, start, min(start + BATCH, rows))
        some = vectors.any(axis=1)  # a row of zeros has no direction: nothing is near it
        if some.any():
            collection.add(ids=[str(start + i) for i in np.flatnonzero(some)], embeddings=vectors[some])
    _close(client)


def _close(client: Any) -> None:
    client.close()
    client.clear_system_cache()  # else the same path would answer from memory


def _probe(folder: Path, store: Path, width: int, rows: int, every: bool) -> None:
    """Reopen the store and ask for rows by their own vectors: what was lost is seen by no other means."""
    client = _client(store)
    collection = _collection(client)
    numbers = np.arange(rows)
    if not every and rows > 2 * PROBES:
        numbers = np.sort(np.random.default_rng().permutation(rows)[:PROBES])
        numbers = np.union1d(numbers, np.arange(rows - PROBES, rows))
    lost = asked = 0
    for start in range(0, len(numbers), BATCH):
        part = numbers[start : start + BATCH]
        vectors = _picked(folder, width, part)
        part, vectors = part[vectors.any(axis=1)], vectors[vectors.any(axis=1)]
        if len(part):
            found = _query(collection, vectors, 1)[0][:, 0]
            # a row so near that it is as good an answer is no loss
            alike = (_picked(folder, width, np.clip(found, 0, rows - 1)) * vectors).sum(axis=1) > 1 - NEAR
            lost += int(((found != part) & ~((found >= 0) & alike)).sum())
            asked += len(part)
    _close(client)
    if lost > LOST * asked + 1:
        raise RefusedError(f"{lost} of {asked} vectors were not found again")


def _query(collection: Any, vectors: NDArray[np.float32], n: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    answer = collection.query(query_embeddings=vectors, n_results=n, include=["distances"])
    rows = np.full((len(vectors), n), -1, np.int64)
    distances = np.full((len(vectors), n), np.inf, np.float32)
    for number, (ids, values) in enumerate(zip(answer["ids"], answer["distances"], strict=True)):
        rows[number, : len(ids)] = [int(i) for i in ids]
        distances[number, : len(ids)] = values
    return rows, distances


@contextlib.contextmanager
def _clone(generation: Path, files: dict[str, list[int]]) -> Iterator[Path]:
    """A copy to open, checked: opening writes into the database, and the files of a generation never change."""
    clone = generation / "readers" / secrets.token_hex(8)
    try:
        for name, expected in files.items():
            target = clone / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(generation / name, target)
            if list(checksum(target)) != expected:
                raise RefusedError(f"{name} is not what was written")
        yield clone / "chroma"
    finally:
        shutil.rmtree(clone, ignore_errors=True)


def _serve(collection: Any, width: int, requests: BinaryIO, answers: BinaryIO) -> None:
    answers.write(READY)
    while header := requests.read(16):
        count, n = struct.unpack("<qq", header)
        vectors = np.frombuffer(requests.read(count * width * 4), "<f4").reshape(count, width)
        rows, distances = _query(collection, vectors, n)
        _write_all(answers, rows.astype("<i8").tobytes() + distances.astype("<f4").tobytes())


def _write_all(file: BinaryIO, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]


if __name__ == "__main__":
    main(sys.argv[1:])
