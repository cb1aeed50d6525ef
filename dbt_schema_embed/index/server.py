"""Candidates from a Chroma server that several machines share, spoken to in plain HTTP.

The server holds vectors under the hash of their own bytes: no names, no texts, no sample values. Writers only ever add,
so several of them lose nothing, and a vector that is there already is the right one. Chroma's own client is not used:
it would build whatever embedding function the server names, and has no time limits.
"""

import base64
import contextlib
import hashlib
import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
import pybreaker
import tenacity
from numpy.typing import NDArray

from dbt_schema_embed.errors import printable
from dbt_schema_embed.index.approximate import BackendError
from dbt_schema_embed.index.chroma_worker import HNSW, embedding_functions_in
from dbt_schema_embed.index.shared import BUDGET, Shared
from dbt_schema_embed.index.store import Identity, Matrix, Store

CALL_SECONDS, QUERY_SECONDS = 0.02, 0.001
"""Seconds a call and each query in it usually take at most; an idle server needs a third. What goes beyond that is
bounded by `BUDGET`, over all calls together."""

RESET_SECONDS = 60.0
"""How long a server that failed is left alone."""

ATTEMPTS = 3
_ANSWER_BYTES = 64 * 2**20
_EXPECTED = 0.15  # seconds a request should take: batches grow and shrink towards it
_LARGEST = 1_000
_SAMPLE = 1_000
_PROBES = 32
_PATH = "/api/v2/tenants/default_tenant/databases/default_database/collections"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


T = TypeVar("T")


class _TransientError(Exception):
    """Worth another try."""


class Server:
    """The connection to a server, with its circuit breaker."""

    def __init__(self, shared: Shared) -> None:
        self.shown = shared.shown
        self._shared = shared
        self._base = shared.url.rstrip("/")
        bearer = {"Authorization": f"Bearer {shared.token}", "X-Chroma-Token": shared.token or ""}
        self._headers = bearer if shared.token else {}
        self._client: httpx.Client | None = None
        self._breaker = pybreaker.CircuitBreaker(fail_max=1, reset_timeout=RESET_SECONDS, throw_new_error_on_trip=False)

    def trusted(self, call: Callable[[], T]) -> T:
        """What ``call`` gives; when that fails, the server is left alone for `RESET_SECONDS`.

        Raises:
            BackendError: ``call`` raised it, or the server is left alone.
        """
        try:
            return self._breaker.call(call)
        except pybreaker.CircuitBreakerError:
            raise BackendError("it failed a moment ago") from None

    def attach(self, store: Store) -> "SharedRows":
        """The rows of ``store`` on this server; see `SharedRows`."""
        return SharedRows(self, store, self._shared.seconds)

    def forget(self, store: Store) -> None:
        """Forget that the server was seen to hold every row of ``store``."""
        with contextlib.suppress(OSError):
            _mark(store).unlink()

    def collection(self, identity: Identity, basis: Matrix | None) -> str:
        """The id of the collection for vectors of that kind, made if need be.

        Raises:
            BackendError: the server cannot be used, or the collection names an embedding function.
        """
        told = repr((identity, self._shared.project, basis.tobytes() if basis is not None else b""))
        name = "schema-embed-" + hashlib.blake2b(told.encode(), digest_size=12).hexdigest()
        answer = self.post(_PATH, {"name": name, "get_or_create": True, "configuration": {"hnsw": HNSW}})
        if names := embedding_functions_in(answer):
            raise BackendError(f"its collection names an embedding function: {printable(sorted(names)[0], 60)}")
        try:
            space = answer["configuration_json"]["hnsw"]["space"]
            number = str(answer["id"])
        except (KeyError, TypeError):
            raise BackendError("it gave an unreadable answer") from None
        if space != "cosine" or not _UUID.fullmatch(number):
            raise BackendError("its collection is not one of ours")
        return f"{_PATH}/{number}"

    def post(self, path: str, content: dict[str, Any], limit: float = math.inf) -> Any:
        """Post ``content`` as JSON and give the answer, within `BUDGET` seconds and before the clock shows ``limit``.

        Raises:
            BackendError: no answer, a refusal, or no JSON.
        """
        end = min(time.monotonic() + BUDGET, limit)
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS) | tenacity.stop_before_delay(end - time.monotonic()),
            wait=tenacity.wait_random_exponential(multiplier=0.05, max=0.4),
            retry=tenacity.retry_if_exception_type(_TransientError),
            reraise=True,
        )
        try:
            return retrying(self._once, path, json.dumps(content).encode(), end)
        except _TransientError as problem:
            raise BackendError(str(problem)) from None

    def close(self) -> None:
        """Close the connections; the next request opens one."""
        if self._client:
            self._client.close()
            self._client = None

    def _once(self, path: str, content: bytes, end: float) -> Any:
        """One try. It runs in a thread of its own: looking a name up has no time limit, nor has a trickling answer."""
        client = self._client = self._client or httpx.Client(headers=self._headers)
        task = _Task(lambda: _request(client, self._base + path, content, end), late=client.close)
        threading.Thread(target=task.run, daemon=True).start()
        if not task.done.wait(max(end - time.monotonic(), 0)) and task.abandon():
            self._client = None
            raise _TransientError("it gave no answer in time")
        if isinstance(task.result, Exception):
            raise task.result
        return task.result


class _Task:
    """Something done in another thread, which may come too late: then ``late`` is called there."""

    def __init__(self, call: Callable[[], Any], late: Callable[[], None]) -> None:
        self.done = threading.Event()
        self.result: Any = None
        self._call, self._late = call, late
        self._lock = threading.Lock()
        self._abandoned = False

    def run(self) -> None:
        """Do it."""
        try:
            self.result = self._call()
        except Exception as problem:  # handed over to the thread that waits
            self.result = problem
        with self._lock:
            self.done.set()
            if self._abandoned:
                self._late()

    def abandon(self) -> bool:
        """Wait no longer; False: it is done after all."""
        with self._lock:
            self._abandoned = not self.done.is_set()
            return self._abandoned


def _request(client: httpx.Client, url: str, content: bytes, end: float) -> Any:
    seconds = max(end - time.monotonic(), 0.01)
    headers = {"Content-Type": "application/json"}
    try:
        with client.stream("POST", url, content=content, headers=headers, timeout=seconds) as answer:
            received = bytearray()
            for piece in answer.iter_bytes():
                received += piece
                if len(received) > _ANSWER_BYTES or time.monotonic() > end:
                    raise BackendError("its answer is too long")
    except httpx.HTTPError as problem:
        raise _TransientError(f"{type(problem).__name__}: {printable(problem, 100)}") from None
    except (httpx.InvalidURL, UnicodeError) as problem:
        raise BackendError(f"its URL cannot be used: {printable(problem, 100)}") from None
    if answer.status_code in (429, 502, 503, 504):
        raise _TransientError(f"it answered {answer.status_code}")
    if not answer.is_success:
        raise BackendError(f"it answered {answer.status_code}: {printable(received[:200].decode(errors='replace'))}")
    try:
        return json.loads(received)
    except (ValueError, RecursionError):
        raise BackendError("it gave an unreadable answer") from None


class SharedRows:
    """A `Backend` for one store: its rows on the server. Making it puts there what is missing, for ``seconds`` at most.

    Raises:
        BackendError: the server cannot be used, does not hold every row yet, or does not give back what was put there.
    """

    def __init__(self, server: Server, store: Store, seconds: float = BUDGET) -> None:
        self._server = server
        self._limit = time.monotonic() + seconds
        self._credit = BUDGET
        self._batch = 50
        self._collection = server.collection(store.manifest.identity, store.basis)
        self._keys = _keys(store)
        self._rows = {key: row for row, key in enumerate(self._keys) if key}
        self._fill(store)
        self._probe(store)

    def query(self, queries: Matrix, n: int) -> tuple[NDArray[np.int64], Matrix]:
        """See `Backend.query`. What calls take beyond the usual is counted over all of them."""
        began, usual = time.monotonic(), CALL_SECONDS + QUERY_SECONDS * len(queries)
        self._limit = began + usual + self._credit
        answer = self._query(queries, n)
        self._credit = min(self._credit + usual - (time.monotonic() - began), BUDGET)
        return answer

    def _query(self, queries: Matrix, n: int) -> tuple[NDArray[np.int64], Matrix]:
        rows = np.full((len(queries), n), -1, np.int64)
        distances = np.full((len(queries), n), np.inf, np.float32)
        start = 0
        for part in self._batches(range(len(queries))):
            content = {"query_embeddings": queries[list(part)].tolist(), "n_results": n, "include": ["distances"]}
            answer = self._post("query", content)
            for keys, values in _pairs(answer, len(part), n):
                # what is not in this store is somebody else's, from another branch or an older run
                known = [(self._rows[k], v) for k, v in zip(keys, values, strict=True) if k in self._rows]
                rows[start, : len(known)] = [r for r, _ in known]
                distances[start, : len(known)] = [v for _, v in known]
                start += 1
        return rows, distances

    def _post(self, what: str, content: dict[str, Any]) -> Any:
        if time.monotonic() > self._limit:
            raise BackendError("it is too slow")
        return self._server.post(f"{self._collection}/{what}", content, self._limit)

    def _fill(self, store: Store) -> None:
        """Put there what is missing.

        A mark in the generation's folder says that this was done before. It is no proof, for somebody may have emptied
        the server since, but then a sample is enough to see that.
        """
        mark = f"{self._server.shown}{self._collection}"
        rows = list(self._rows.values())
        if _marked(store) == mark:
            sample = np.random.default_rng().permutation(rows)[:_SAMPLE].tolist()
            if not self._missing(sample):
                return
        missing = self._missing(rows)
        there = len(rows) - len(missing)
        for part in self._batches(missing):
            vectors = [base64.b64encode(v.astype("<f4").tobytes()).decode() for v in store.take(np.array(part))]
            try:
                self._post("add", {"ids": [self._keys[row] for row in part], "embeddings": vectors})
            except BackendError:
                if time.monotonic() < self._limit:
                    raise
                raise BackendError(f"it holds {there} of {len(rows)} vectors so far") from None
            there += len(part)
        with contextlib.suppress(OSError):
            _mark(store).write_text(mark, "utf-8")

    def _missing(self, rows: list[int]) -> list[int]:
        """Those of ``rows`` that the server does not hold."""
        there: set[str] = set()
        for start in range(0, len(rows), _LARGEST):
            keys = [self._keys[row] for row in rows[start : start + _LARGEST]]
            answer = self._post("get", {"ids": keys, "include": []})
            try:
                there.update(str(key) for key in answer["ids"])
            except (KeyError, TypeError):
                raise BackendError("it gave an unreadable answer") from None
        return [row for row in rows if self._keys[row] not in there]

    def _probe(self, store: Store) -> None:
        """Ask for some rows by their own vectors."""
        rows = np.random.default_rng().permutation(list(self._rows.values()))[:_PROBES].astype(np.int64)
        if not len(rows):
            return
        found, _ = self.query(store.take(rows), min(10, store.manifest.rows))
        lost = int((found != rows[:, None]).all(axis=1).sum())
        if lost > 1:
            raise BackendError(f"it did not find {lost} of {len(rows)} vectors again")

    def _batches(self, items: Sequence[int]) -> Iterator[Sequence[int]]:
        """``items`` in pieces whose size follows the server's pace: a busy one is no dead one."""
        start = 0
        while start < len(items):
            part = items[start : start + self._batch]
            began = time.monotonic()
            yield part
            start += len(part)
            pace = _EXPECTED / max(time.monotonic() - began, 0.001)
            self._batch = int(min(max(self._batch * min(max(pace, 0.25), 2), 4), _LARGEST))


def _mark(store: Store) -> Path:
    return store.folder / "shared"


def _marked(store: Store) -> str:
    try:
        return _mark(store).read_text("utf-8", "replace")
    except OSError:
        return ""


def _keys(store: Store) -> list[str]:
    """A name for each row: the hash of its bytes; none for a row of zeros, which nothing is near to."""
    keys: list[str] = []
    for start in range(0, store.manifest.rows, _LARGEST):
        halves = store.halves(np.arange(start, min(start + _LARGEST, store.manifest.rows)))
        some = np.any(halves, axis=1).tolist()
        keys += [
            hashlib.blake2b(row.tobytes(), digest_size=16).hexdigest() if directed else ""
            for row, directed in zip(halves, some, strict=True)
        ]
    return keys


def _pairs(answer: Any, count: int, n: int) -> Iterator[tuple[list[str], list[float]]]:
    """The ids and distances of each query, checked for shape and type."""
    try:
        ids, distances = answer["ids"], answer["distances"]
        if len(ids) != count or len(distances) != count:
            raise BackendError("it gave an unreadable answer")
        for keys, values in zip(ids, distances, strict=True):
            if len(keys) != len(values) or len(keys) > n:
                raise BackendError("it gave an unreadable answer")
            yield [str(key) for key in keys], [float("nan") if v is None else float(v) for v in values]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise BackendError("it gave an unreadable answer") from None
