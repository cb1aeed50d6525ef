"""A copy of the vectors in Chroma, here or on a server: it names near rows, which are then compared exactly.

The copy holds vectors under the digests of their texts: no names, no texts, no sample values. Whatever goes wrong with
it means that exact search serves. ``chroma.copy`` says what it holds, and for one that is here also has its files.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.arrays import Array, DamagedError, Parts, save
from dbt_schema_embed.errors import printable
from dbt_schema_embed.index.chroma_server import ChromaError, Server, Shared

if TYPE_CHECKING:
    from dbt_schema_embed.index.chroma_child import Child

    Asked = Server | Child

CROSSOVER = 150_000
"""Distinct texts from which a server is asked: below, an exact product is faster than its answer (bench_index.py)."""

HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 200}
"""At 100, Chroma's own ef_construction, recall@10 over 20,000 real names is 0.998; at 200 it is 0.999."""

RESET_SECONDS = 60.0
"""How long a copy that failed is left alone."""

_PROBES, _LOST = 64, 1
_BATCH = 1_000


class Chroma:
    """The copy of the index in ``folder``. ``always``: it is asked at every size."""

    def __init__(self, folder: Path, shared: Shared | None, notes: list[str], *, always: bool) -> None:
        self._path, self._shared, self._notes, self._always = folder / "chroma.copy", shared, notes, always
        self._where = shared.shown if shared else "here"
        self._asked: tuple[dict[str, str], Asked] | None = None
        self._rest = 0.0

    def update(self, parts: Parts) -> None:
        """Hold what the index holds. A server is sent what it lacks; here it is made anew. A note says what went wrong.

        Raises:
            MissingExtraError: it is to be here, and chromadb is not installed.
            WriteError: the disk is full or read-only.
        """
        wanted = self._wanted(parts)
        if not parts.shape("digests")[0] or self._held() == wanted:
            return
        self.close()
        try:
            with TemporaryDirectory(prefix="schema-embed-", ignore_cleanup_errors=True) as place:
                with contextlib.closing(self._opened(Path(place))) as asked:
                    _filled(asked, wanted["name"], parts)
                save(self._path, wanted, _files(Path(place)))
            _probe(self._serving(wanted), parts)  # a fresh opening: what was lost is seen by no other means
        except (ChromaError, DamagedError, OSError) as problem:
            self._failed(problem)

    def query(self, parts: Parts, vectors: NDArray[np.float32], k: int) -> list[NDArray[np.int64]] | None:
        """For each of ``vectors`` some rows, its ``k`` nearest among them; None: compare exactly."""
        digests = parts["digests"]
        small = len(digests) < CROSSOVER and not self._always
        if small or time.monotonic() < self._rest or not vectors.any(axis=1).all():
            return None
        wanted = self._wanted(parts)
        if (self._asked or (self._held(),))[0] != wanted:
            return None
        n = min(2 * k + 10, len(digests))  # vectors of older states need room
        found = []
        try:
            for ids in _near(self._serving(wanted), vectors, n):
                found.append(np.flatnonzero(np.isin(digests[:, 0], _firsts(ids))))
                if len(found[-1]) < k and len(ids) >= n:
                    return None  # vectors that other machines hold stand between
                if len(found[-1]) < k:
                    raise _LostError("it does not hold every vector any more")
        except (ChromaError, DamagedError, OSError) as problem:
            self._failed(problem)
            return None
        return found

    def close(self) -> None:
        """Let go of the child process."""
        if self._asked:
            self._asked[1].close()
        self._asked = None

    def _wanted(self, parts: Parts) -> dict[str, str]:
        """What the copy is to be: where, in which collection, of which texts."""
        basis = parts["basis"].tobytes() if parts.shape("basis") != (0,) else b""
        kind = json.dumps([parts.meta.get("identity"), parts.meta.get("project")]).encode() + basis
        name = "schema-embed-" + hashlib.blake2b(kind, digest_size=12).hexdigest()
        held = hashlib.blake2b(parts["digests"].tobytes(), digest_size=16).hexdigest()
        return {"where": self._where, "name": name, "held": held}

    def _held(self) -> dict[str, Any] | None:
        try:
            with contextlib.closing(Parts(self._path)) as copy:
                return copy.meta
        except (FileNotFoundError, DamagedError):
            return None

    def _serving(self, wanted: dict[str, str]) -> "Asked":
        if self._asked is None or self._asked[0] != wanted:
            self.close()
            asked = self._opened(None)
            self._asked = wanted, asked
            _create(asked, wanted["name"])
        return self._asked[1]

    def _opened(self, fresh: Path | None) -> "Asked":
        """A server, or Chroma here over an empty folder or else over a copy of what was written."""
        if self._shared:
            return Server(self._shared)
        from dbt_schema_embed.index.chroma_child import Child

        return Child(fresh or self._path)

    def _failed(self, problem: Exception) -> None:
        self.close()
        self._rest = time.monotonic() + RESET_SECONDS
        if self._shared is None or isinstance(problem, _LostError):
            with contextlib.suppress(OSError):
                self._path.unlink()  # the next `index` makes it anew
        who = f"the Chroma server {self._where}" if self._shared else "Chroma's copy of the index"
        self._notes.append(f"{who} was left out: {printable(getattr(problem, 'strerror', None) or problem)}")


class _LostError(ChromaError):
    """Vectors are gone."""


def _create(asked: "Asked", name: str) -> None:
    """Open the collection, made if need be, unless it is not as we make them."""
    said = asked.ask("create", {"name": name, "get_or_create": True, "configuration": {"hnsw": HNSW}}, 0)
    if names := sorted(embedding_functions_in(said)):
        raise ChromaError(f"its collection names an embedding function: {printable(names[0], 60)}")
    settings = said.get("configuration_json")
    hnsw = settings.get("hnsw") if isinstance(settings, dict) else None
    if not isinstance(hnsw, dict) or hnsw.get("space") != "cosine":
        raise ChromaError("its collection is not one of ours")


def _filled(asked: "Asked", name: str, parts: Parts) -> None:
    """Put there what is missing."""
    _create(asked, name)
    for ids, vectors in _batches(parts, np.arange(parts.shape("digests")[0])):
        there = set(_texts(asked.ask("get", {"ids": ids, "include": []}, len(ids)).get("ids")))
        missing = [at for at, i in enumerate(ids) if i not in there]
        if missing:
            content = {"ids": [ids[at] for at in missing], "embeddings": vectors[missing].tolist()}
            asked.ask("add", content, 0)


def _batches(parts: Parts, rows: NDArray[np.int64]) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    """Ids and vectors of rows; those without direction are left out, for nothing is near them."""
    digests = parts["digests"].astype(">u8")
    for start in range(0, len(rows), _BATCH):
        some = rows[start : start + _BATCH]
        vectors = parts.rows("vectors", some).astype(np.float32)
        directed = vectors.any(axis=1)
        if directed.any():
            yield [digest.tobytes().hex() for digest in digests[some[directed]]], vectors[directed]


def _probe(asked: "Asked", parts: Parts) -> None:
    """Ask for some rows by their own vectors."""
    count = parts.shape("digests")[0]
    for ids, vectors in _batches(parts, np.random.default_rng().permutation(count)[:_PROBES]):
        lost = sum(i not in near for i, near in zip(ids, _near(asked, vectors, min(10, count)), strict=True))
        if lost > _LOST:
            raise ChromaError(f"it did not find {lost} of {len(ids)} vectors again")


def _near(asked: "Asked", vectors: NDArray[np.float32], n: int) -> list[list[str]]:
    content = {"query_embeddings": vectors.tolist(), "n_results": n, "include": []}
    lists = asked.ask("query", content, n * len(vectors)).get("ids")
    if not isinstance(lists, list) or len(lists) != len(vectors):
        raise ChromaError("it gave an unreadable answer")
    return [_texts(some) for some in lists]


def _texts(ids: Any) -> list[str]:
    if not isinstance(ids, list):
        raise ChromaError("it gave an unreadable answer")
    return [str(i) for i in ids]


def _firsts(ids: list[str]) -> NDArray[np.uint64]:
    """The first halves of digests; what is none of ours is left out."""
    return np.array([int(i[:16], 16) for i in ids if len(i) == 32 and not i.strip("0123456789abcdef")], np.uint64)


def _files(folder: Path) -> dict[str, Array]:
    """The files below a folder as arrays."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: np.fromfile(path, "u1") for name, path in found.items()}


def embedding_functions_in(value: Any) -> set[str]:
    """The embedding functions that a collection's configuration or schema names, however deep.

    Chroma's client would load whatever such a name stands for (CVE-2026-45829, CVE-2026-45833).
    """
    found: set[str] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            function = item.get("embedding_function")
            if function not in (None, {"type": "legacy"}, {"type": "unknown"}):
                found.add(str(function.get("name") if isinstance(function, dict) else function))
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return found
