"""Candidates from a Chroma server that several machines share, spoken to in plain HTTP.

The server holds vectors under the hash of their own bytes: no names, no texts, no sample values. Writers only ever add,
so several of them lose nothing, and a vector that is there already is the right one. Chroma's own client is not used:
it would build whatever embedding function the server names, and has no time limits.
"""

import base64
import contextlib
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import httpx
import numpy as np
import pybreaker
import tenacity
from numpy.typing import NDArray

from dbt_schema_embed.errors import printable
from dbt_schema_embed.index.approximate import BackendError
from dbt_schema_embed.index.chroma_worker import EF_SEARCH, embedding_functions_in
from dbt_schema_embed.index.shared import BUDGET, Shared
from dbt_schema_embed.index.store import Identity, Matrix, Store

QUERY_SECONDS = 0.001
"""Seconds allowed for one query in a batch: three times what an idle server needs, and as fast as searching here."""

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

    def collection(self, identity: Identity, basis: Matrix | None) -> str:
        """The id of the collection for vectors of that kind, made if need be.

        Raises:
            BackendError: the server cannot be used, or the collection names an embedding function.
        """
        told = repr((identity, self._shared.project, basis.tobytes() if basis is not None else b""))
        name = "schema-embed-" + hashlib.blake2b(told.encode(), digest_size=12).hexdigest()
        configuration = {"hnsw": {"space": "cosine", "ef_search": EF_SEARCH}}
        answer = self.post(_PATH, {"name": name, "get_or_create": True, "configuration": configuration})
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

    def post(self, path: str, content: dict[str, Any]) -> Any:
        """Post ``content`` as JSON and give the answer, within `BUDGET` seconds.

        Raises:
            BackendError: no answer, a refusal, or no JSON.
        """
        end = time.monotonic() + BUDGET
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS) | tenacity.stop_before_delay(BUDGET),
            wait=tenacity.wait_exponential_jitter(initial=0.05, max=0.4, jitter=0.1),
            retry=tenacity.retry_if_exception_type(_TransientError),
            reraise=True,
        )
        try:
            return retrying(self._once, path, json.dumps(content).encode(), end)
        except _TransientError as problem:
            raise BackendError(str(problem)) from None

    def close(self) -> None:
        """Close the connections."""
        if self._client:
            self._client.close()
            self._client = None

    def _once(self, path: str, content: bytes, end: float) -> Any:
        """One try. It runs in a thread of its own: looking a name up has no time limit, nor has a trickling answer."""
        results: list[Any] = []
        seconds = end - time.monotonic()
        client = self._client = self._client or httpx.Client(headers=self._headers)

        def run() -> None:
            try:
                results.append(_request(client, self._base + path, content, end))
            except Exception as problem:  # handed over to the caller's thread
                results.append(problem)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(max(seconds, 0))
        if not results:
            self._client = None  # the thread may still hold it
            raise _TransientError(f"it gave no answer in {BUDGET} s")
        if isinstance(results[0], Exception):
            raise results[0]
        return results[0]


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
        self._end = time.monotonic() + seconds
        self._batch = 50
        self._collection = server.collection(store.manifest.identity, store.basis)
        self._keys = _keys(store)
        self._rows = {key: row for row, key in enumerate(self._keys) if key}
        self._fill(store)
        self._probe(store)

    def query(self, queries: Matrix, n: int) -> tuple[NDArray[np.int64], Matrix]:
        """See `Backend.query`."""
        self._end = time.monotonic() + BUDGET + QUERY_SECONDS * len(queries)
        rows = np.full((len(queries), n), -1, np.int64)
        distances = np.full((len(queries), n), np.inf, np.float32)
        start = 0
        for part in self._batches(range(len(queries))):
            if time.monotonic() > self._end:
                raise BackendError("it is too slow")
            content = {"query_embeddings": queries[list(part)].tolist(), "n_results": n, "include": ["distances"]}
            answer = self._server.post(f"{self._collection}/query", content)
            for keys, values in _pairs(answer, len(part), n):
                # what is not in this store is somebody else's, from another branch or an older run
                known = [(self._rows[k], v) for k, v in zip(keys, values, strict=True) if k in self._rows]
                rows[start, : len(known)] = [r for r, _ in known]
                distances[start, : len(known)] = [v for _, v in known]
                start += 1
        return rows, distances

    def close(self) -> None:
        """See `Backend.close`."""
        self._server.close()

    def _fill(self, store: Store) -> None:
        """Put there what is missing.

        A mark in the generation's folder says that this was done before. It is no proof, for somebody may have emptied
        the server since, but then a sample is enough to see that.
        """
        mark = store.folder / "shared"
        told = f"{self._server.shown}{self._collection}"
        rows = list(self._rows.values())
        if mark.is_file() and mark.read_text("utf-8", "replace") == told:
            sample = np.random.default_rng().permutation(rows)[:_SAMPLE].tolist()
            if not self._missing(sample):
                return
        missing = self._missing(rows)
        put = 0
        for part in self._batches(missing):
            if time.monotonic() > self._end:
                raise BackendError(f"it holds {len(rows) - len(missing) + put} of {len(rows)} vectors so far")
            vectors = [base64.b64encode(v.astype("<f4").tobytes()).decode() for v in store.take(np.array(part))]
            content = {"ids": [self._keys[row] for row in part], "embeddings": vectors}
            self._server.post(f"{self._collection}/add", content)
            put += len(part)
        with contextlib.suppress(OSError):
            mark.write_text(told, "utf-8")

    def _missing(self, rows: list[int]) -> list[int]:
        """Those of ``rows`` that the server does not hold."""
        there: set[str] = set()
        for start in range(0, len(rows), _LARGEST):
            if time.monotonic() > self._end:
                raise BackendError("it is too slow")
            keys = [self._keys[row] for row in rows[start : start + _LARGEST]]
            answer = self._server.post(f"{self._collection}/get", {"ids": keys, "include": []})
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
