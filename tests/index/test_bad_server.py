"""server.py: a shared server that is down, hung, slow, refusing or lying costs two seconds and no answer."""

import http.server
import json
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.index import Shared
from tests.index.conftest import DIM, Memo, columns
from tests.index.test_server import EXTRA, ROWS, Open, free_port, right, served


class Fake(http.server.ThreadingHTTPServer):
    """A server that behaves like Chroma, as far as we use it, but for what a test changes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.rows: dict[str, np.ndarray] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.change: Callable[[str, Any], Any] = lambda _, answer: answer
        self.collection = {"id": "0" * 8 + "-0000" * 3 + "-" + "0" * 12, "configuration_json": {
            "hnsw": {"space": "cosine"}, "embedding_function": None}}  # fmt: skip

    def answer(self, what: str, data: dict[str, Any]) -> Any:
        """What Chroma would answer."""
        import base64

        if what == "collections":
            return self.collection
        if what == "get":
            return {"ids": [i for i in data["ids"] if i in self.rows]}
        if what == "add":
            for key, text in zip(data["ids"], data["embeddings"], strict=True):
                self.rows.setdefault(key, np.frombuffer(base64.b64decode(text), "<f4"))
            return {}
        keys = list(self.rows)
        matrix = np.array([self.rows[k] for k in keys])
        matrix = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
        ids, distances = [], []
        for query in np.array(data["query_embeddings"]):
            values = 1 - matrix @ query / (np.linalg.norm(query) or 1)
            order = np.argsort(values, kind="stable")[: data["n_results"]]
            ids.append([keys[i] for i in order])
            distances.append(values[order].tolist())
        return {"ids": ids, "distances": distances}


class Handler(http.server.BaseHTTPRequestHandler):
    """One request to a `Fake`."""

    server: Fake
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer, as the test wants it."""
        data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        what = self.path.rpartition("/")[2]
        self.server.seen.append((what, dict(self.headers)))
        answer = self.server.change(what, self.server.answer(what, data))
        if callable(answer):
            answer(self)
        else:
            self.reply(200, json.dumps(answer).encode())

    def reply(self, status: int, content: bytes, **headers: str) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A server of this test's own."""
    running = Fake()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def status(number: int, **headers: str) -> Callable[[str, Any], Any]:
    """Always answers with that status."""
    return lambda *_: lambda handler: handler.reply(number, b'{"error": "no"}', **headers)


def raw(content: bytes) -> Callable[[str, Any], Any]:
    """Always answers with those bytes."""
    return lambda *_: lambda handler: handler.reply(200, content)


def sleeping(seconds: float) -> Callable[[str, Any], Any]:
    """Answers rightly, but late."""

    def change(_: str, answer: Any) -> Any:
        time.sleep(seconds)
        return answer

    return change


def dripping(*_: object) -> Any:
    """Sends one byte after the other, for ever."""

    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        try:
            for _ in range(200):
                handler.wfile.write(b" ")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:  # the other side has gone
            handler.close_connection = True

    return drip


def flooding(*_: object) -> Any:
    """Sends more than anybody wants."""

    def flood(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.close_connection = True
        try:
            for _ in range(2000):
                handler.wfile.write(b"[" * 2**16)
        except OSError:
            pass

    return flood


def dropping(*_: object) -> Any:
    """Closes the connection without an answer."""

    def drop(handler: Handler) -> None:
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    return drop


def in_query(change: Callable[[Any], Any]) -> Callable[[str, Any], Any]:
    """Lies in the answers to queries."""
    return lambda what, answer: change(answer) if what == "query" else answer


def swapped(answer: Any) -> Any:
    return answer | {"ids": [ids[::-1] for ids in answer["ids"]]}


BAD: dict[str, tuple[Callable[[str, Any], Any], str]] = {
    "hung": (sleeping(30), "no answer in time|Timeout"),
    "slow": (sleeping(0.7), "too slow|no answer|Timeout|so far"),
    "dripping": (dripping, "no answer in time|too long|Timeout"),
    "flooding": (flooding, "too long|no answer in|Timeout"),
    "dropping": (dropping, "RemoteProtocolError|ReadError"),
    "refuses": (status(403), "it answered 403: {\"error\": \"no\"}"),
    "overloaded": (status(503), "it answered 503"),
    "failing": (status(500), "it answered 500"),
    "elsewhere": (status(302, Location="http://127.0.0.1:9/"), "it answered 302"),
    "a web page": (raw(b"<html>hello</html>"), "unreadable"),
    "empty": (raw(b""), "unreadable"),
    "deep": (raw(b"[" * 100_000), "unreadable"),
    "a number": (raw(b"1"), "unreadable"),
    "null": (raw(b"null"), "unreadable"),
    "no text": (raw(b"\xff\xfe\x00"), "unreadable"),
    "no ids": (lambda w, a: a if w == "collections" else {}, "unreadable"),
    "forgets": (lambda w, a: {"ids": [[]], "distances": [[]]} if w == "query" else a, "(unreadable|again)"),
    "NaN": (in_query(lambda a: a | {"distances": [[float("nan")] * len(d) for d in a["distances"]]}), "distances"),
    "null distances": (in_query(lambda a: a | {"distances": [[None] * len(d) for d in a["distances"]]}), "distances"),
    "huge numbers": (in_query(lambda a: a | {"distances": [[10**400] * len(d) for d in a["distances"]]}), "unreadable"),
    "wrong order": (in_query(swapped), "distances"),
    "too many": (in_query(lambda a: a | {"ids": a["ids"] * 2, "distances": a["distances"] * 2}), "unreadable"),
    "too few": (in_query(lambda a: {"ids": a["ids"][1:], "distances": a["distances"][1:]}), "unreadable"),
    "too long": (in_query(lambda a: {k: [v * 9 for v in a[k]] for k in ("ids", "distances")}), "unreadable"),
    "uneven": (in_query(lambda a: a | {"distances": [d[1:] for d in a["distances"]]}), "unreadable"),
    "text": (in_query(lambda a: a | {"distances": [["x"] * len(d) for d in a["distances"]]}), "unreadable"),
    "lists": (in_query(lambda a: a | {"ids": [[[]] * len(d) for d in a["ids"]]}), "again"),
    "strangers": (in_query(lambda a: a | {"ids": [["f" * 32] * len(d) for d in a["ids"]]}), "again"),
    "l2": (lambda w, a: a | {"configuration_json": {"hnsw": {"space": "l2"}}} if w == "collections" else a, "not one"),
    "odd id": (lambda w, a: a | {"id": "../../x"} if w == "collections" else a, "not one of ours"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_server_costs_two_seconds_at_most_and_no_answer(opened: Open, fake: Fake, kind: str) -> None:
    fake.change, note = BAD[kind]
    memo = Memo(columns(ROWS))
    index = opened(shared=Shared(fake.url))
    started = time.monotonic()
    index.update(memo.items, memo)
    assert right(index, memo)
    assert right(index, memo)
    assert time.monotonic() - started < EXTRA + 0.5  # half a second for the work itself
    assert len(index.notes) == 1, index.notes
    assert index.notes[0].startswith(f"the Chroma server {fake.url} was left out: ")
    assert re.search(note, index.notes[0]), index.notes[0]
    assert "\n" not in index.notes[0]


@pytest.mark.parametrize("kind", ["hung", "slow", "dripping", "dropping", "overloaded", "NaN"])
def test_a_server_that_fails_later(opened: Open, fake: Fake, kind: str) -> None:
    memo = Memo(columns(ROWS))
    index = opened(shared=Shared(fake.url))
    index.update(memo.items, memo)
    assert right(index, memo)
    assert (index.notes, served(index)) == ([], True)
    fake.change = BAD[kind][0]
    started = time.monotonic()
    for _ in range(3):
        assert right(index, memo)
    assert time.monotonic() - started < EXTRA
    assert len(index.notes) == 1


def test_half_of_the_vectors_never_found(opened: Open, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that lost rows after it gave them back once."""
    memo = Memo(columns(ROWS))
    index = opened(shared=Shared(fake.url))
    index.update(memo.items, memo)
    for key in list(fake.rows)[::2]:
        del fake.rows[key]
    assert right(index, memo)
    assert "missed" in index.notes[0]


@pytest.mark.parametrize("where", ["configuration_json", "schema"])
def test_a_server_that_names_an_embedding_function(opened: Open, fake: Fake, where: str) -> None:
    function = {"type": "known", "name": "sentence_transformer", "config": {"trust_remote_code": True}}
    deep = {"keys": {"#embedding": {"config": {"embedding_function": function}}}}
    fake.collection[where] = {"hnsw": {"space": "cosine"}, "embedding_function": function} if where[0] == "c" else deep
    memo = Memo(columns(ROWS))
    index = opened(shared=Shared(fake.url))
    before = set(sys.modules)
    index.update(memo.items, memo)
    assert right(index, memo)
    assert "names an embedding function: sentence_transformer" in index.notes[0]
    assert [what for what, _ in fake.seen] == ["collections"]
    assert not {m for m in set(sys.modules) - before if m.startswith(("chromadb", "sentence_transformers"))}


def test_a_passing_failure_is_tried_again(opened: Open, fake: Fake) -> None:
    failures = [status(503), dropping, status(502), status(429), dropping]
    fake.change = lambda what, answer: failures.pop()(what, answer) if failures and len(fake.seen) % 2 else answer
    memo = Memo(columns(ROWS))
    index = opened(shared=Shared(fake.url, seconds=20))
    index.update(memo.items, memo)
    assert right(index, memo)
    assert (index.notes, served(index), failures) == ([], True, [])


def test_a_server_that_is_down(opened: Open) -> None:
    memo = Memo(columns(ROWS))
    index = opened(shared=Shared(f"http://127.0.0.1:{free_port()}"))
    started = time.monotonic()
    index.update(memo.items, memo)
    assert right(index, memo)
    assert time.monotonic() - started < EXTRA
    assert "ConnectError" in index.notes[0]


def test_a_name_that_is_looked_up_for_ever(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(*_: object, **__: object) -> Any:
        time.sleep(30)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    memo = Memo(columns(ROWS))
    index = opened(shared=Shared("http://chroma.invalid:8000"))
    started = time.monotonic()
    index.update(memo.items, memo)
    assert right(index, memo)
    assert time.monotonic() - started < EXTRA
    assert len(index.notes) == 1


def test_a_slow_server_is_filled_little_by_little(opened: Open, fake: Fake) -> None:
    fake.change = lambda what, answer: sleeping(0.25)(what, answer) if what == "add" else answer
    memo = Memo(columns(400))
    rounds = 0
    while True:
        index = opened(shared=Shared(fake.url))
        index.update(memo.items, memo)
        assert right(index, memo)
        rounds += 1
        if served(index):
            break
        assert re.search(r"it holds \d+ of 400 vectors so far", index.notes[0])
        assert rounds < 10
    assert rounds > 1
    assert len(fake.rows) == 400


def test_the_token_is_sent_and_never_shown(opened: Open, fake: Fake) -> None:
    shared = Shared(fake.url.replace("//", "//user:password@") + "/", token="s3cret")
    assert "s3cret" not in repr(shared)
    assert "password" not in repr(shared)
    memo = Memo(columns(ROWS))
    index = opened(shared=shared)
    index.update(memo.items, memo)
    assert served(index)
    fake.change = status(401)
    assert right(index, memo)
    assert "s3cret" not in str(index.notes)
    assert "password" not in str(index.notes)
    assert all(h["X-Chroma-Token"] == "s3cret" for _, h in fake.seen)


def test_a_proxy_on_the_way_sees_the_token(opened: Open, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of the server is looked up by the proxy alone."""
    monkeypatch.setenv("HTTP_PROXY", fake.url)
    memo = Memo(columns(ROWS))
    index = opened(shared=Shared("http://chroma.invalid:8000/behind", token="s3cret"))
    index.update(memo.items, memo)
    assert right(index, memo)
    assert (index.notes, served(index)) == ([], True)
    assert {h["Authorization"] for _, h in fake.seen} == {"Bearer s3cret"}
    assert {h["Host"] for _, h in fake.seen} == {"chroma.invalid:8000"}


@pytest.mark.parametrize(
    "url", ["", "chroma", "ftp://x", "http://", "file:///etc/passwd", "http://x:port", "http://[::1", "http://x:0"]
)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(ConfigError, match="must be http://host:port"):
        Shared(url)


@pytest.mark.parametrize("token", ["a\r\nX: y", "é", "a\0"])
def test_tokens_that_no_header_can_carry(token: str) -> None:
    with pytest.raises(ConfigError, match="no header can carry") as caught:
        Shared("http://localhost:8000", token=token)
    assert token not in str(caught.value)


def test_exact_search_was_asked_for(opened: Open, fake: Fake) -> None:
    memo = Memo(columns(ROWS))
    index = opened(shared=Shared(fake.url), approximate=False)
    index.update(memo.items, memo)
    assert right(index, memo)
    assert fake.seen == []


def test_vectors_of_zeros_stay_here(opened: Open, fake: Fake) -> None:
    memo = Memo(columns(30))
    vectors = {i: memo.vector(t) for i, t in memo.items.items()}
    vectors["model.shop.m0|c3"] = np.zeros(DIM, np.float32)
    index = opened(shared=Shared(fake.url))
    index.update(memo.items, lambda ids: np.array([vectors[i] for i in ids]))
    ids, _ = index.query(np.concatenate([np.zeros((1, DIM)), memo.of(["model.shop.m0|c4"])]), 3)
    assert ids[0] == sorted(memo.items)[:3]
    assert ids[1][0] == "model.shop.m0|c4"
    assert (index.notes, served(index), len(fake.rows)) == ([], True, 29)


def test_nothing_to_share(opened: Open, fake: Fake) -> None:
    index = opened(shared=Shared(fake.url))
    index.update({}, Memo({}))
    assert index.query(np.ones((1, DIM)), 3)[0] == [[]]
    assert index.notes == []


def test_no_process_or_file_is_left(opened: Open, fake: Fake, tmp_path: Path) -> None:
    memo = Memo(columns(ROWS))
    index = opened(shared=Shared(fake.url))
    index.update(memo.items, memo)
    index.close()
    assert sorted(os.listdir(tmp_path / "index")) == ["current", "generations", "lock"]  # noqa: PTH208
