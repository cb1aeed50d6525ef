"""chroma_server.py: a server that is down, hung, slow, refusing or lying costs a second or two and no answer."""

import gzip
import http.server
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.index import Shared
from dbt_schema_embed.index import chroma_server as server
from tests.index.conftest import DIM, Memo, Open, right, some
from tests.index.test_chroma_server import EXTRA, ROWS, free_port, served


class Fake(http.server.ThreadingHTTPServer):
    """A server that behaves like Chroma, as far as we use it, but for what a test changes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.rows: dict[str, list[float]] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.change: Callable[[str, Any], Any] = lambda _, answer: answer
        self.collection = {"id": "0" * 8 + "-0000" * 3 + "-" + "0" * 12, "configuration_json": {
            "hnsw": {"space": "cosine"}, "embedding_function": None}}  # fmt: skip

    def answer(self, what: str, data: dict[str, Any]) -> Any:
        """What Chroma would answer."""
        if what == "collections":
            return self.collection
        if what == "get":
            return {"ids": [i for i in data["ids"] if i in self.rows]}
        if what == "add":
            self.rows |= dict(zip(data["ids"], data["embeddings"], strict=True))
            return {}
        keys, matrix = list(self.rows), np.array(list(self.rows.values()))
        order = np.argsort(-(np.array(data["query_embeddings"]) @ matrix.T), axis=1, kind="stable")
        return {"ids": [[keys[i] for i in row] for row in order[:, : data["n_results"]].tolist()]}


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
            self.send_header(name.replace("_", "-"), value)
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


Change = Callable[[str, Any], Any]


def reply(status: int, content: bytes = b'{"error": "no"}', **headers: str) -> Change:
    """Always answers with that."""
    return lambda *_: lambda handler: handler.reply(status, content, **headers)


def sleeping(_: str, answer: Any) -> Any:
    """Answers rightly, but late."""
    time.sleep(10)
    return answer


def dripping(*_: object) -> Any:
    """Sends one byte after the other, for ever."""

    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        handler.close_connection = True
        try:
            for _ in range(1000):
                handler.wfile.write(b" ")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:  # the other side has gone
            return

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
            return

    return flood


def dropping(*_: object) -> Any:
    """Closes the connection without an answer."""

    def drop(handler: Handler) -> None:
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    return drop


def ids(change: Callable[[Any], Any]) -> Change:
    """Lies about ids."""
    return lambda what, answer: answer | {"ids": change(answer["ids"])} if what == "query" else answer


BOMB = gzip.compress(gzip.compress(b" " * 2**24))
BAD: dict[str, tuple[Change, str]] = {
    "hung": (sleeping, "no answer in time|timed out|TimeoutError"),
    "dripping": (dripping, "no answer in time|too long|TimeoutError"),
    "flooding": (flooding, "too long|no answer in time"),
    "dropping": (dropping, "RemoteDisconnected|ConnectionReset"),
    "refuses": (reply(403), 'it answered 403: {"error": "no"}'),
    "overloaded": (reply(503), "it answered 503"),
    "says much": (reply(500, b"x" * 10**6), "it answered 500: x{100}"),
    "elsewhere": (reply(302, Location="http://127.0.0.1:9/"), "it answered 302"),
    "a bomb": (reply(200, BOMB, Content_Encoding="gzip, gzip"), "compressed, which was not asked for"),
    "an error in a bomb": (reply(500, BOMB, Content_Encoding="gzip"), "it answered 500"),
    "a web page": (reply(200, b"<html>hello</html>"), "unreadable"),
    "empty": (reply(200, b""), "unreadable"),
    "deep": (reply(200, b"[" * 100_000), "unreadable"),
    "a number": (reply(200, b"1"), "unreadable"),
    "null": (reply(200, b"null"), "unreadable"),
    "no text": (reply(200, b"\xff\xfe\x00"), "unreadable"),
    "no header": (lambda *_: lambda h: h.wfile.write(b"\xff" * 100 + b"\r\n\r\n"), "BadStatusLine|RemoteDisc|Timeout"),
    "no ids": (lambda what, answer: answer if what == "collections" else {}, "unreadable"),
    "another collection": (lambda *_: {"id": "../../x", "configuration_json": {}}, "not one of ours"),
    "another space": (lambda _, a: a | {"configuration_json": {"hnsw": {"space": "l2"}}}, "not one of ours"),
    "a function": (lambda _, a: a | {"schema": [{"embedding_function": "evil"}]}, "names an embedding function: evil"),
    "forgets": (ids(lambda lists: [[] for _ in lists]), "again|any more"),
    "too many lists": (ids(lambda lists: lists * 2), "unreadable"),
    "no lists": (ids(lambda lists: [1 for _ in lists]), "unreadable"),
    "others": (ids(lambda lists: [["g" * 32, "é" * 32, "", "0" * 32, None, 3] for _ in lists]), "again|any more"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_server_costs_seconds_at_most_and_no_answer(
    opened: Open, fake: Fake, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "FILLING_SECONDS", 0.9)
    texts = some(ROWS)
    change, note = BAD[kind]
    first = opened(shared=Shared(fake.url), approximate=True)
    fake.change = change
    began = time.monotonic()
    first.update(texts, Memo())
    first.copied()
    assert right(first, texts)
    assert time.monotonic() - began < EXTRA
    assert len(first.notes) == 1
    assert_note(first.notes[0], note, fake)
    fake.change = lambda _, answer: answer
    later = opened(shared=Shared(fake.url), approximate=True)
    later.copied()
    assert right(later, texts)
    assert (later.notes, served(later)) == ([], True)
    fake.change = change
    later.close()
    began = time.monotonic()
    assert right(later, texts)
    assert right(later, texts)
    assert time.monotonic() - began < EXTRA
    assert len(later.notes) == 1
    assert_note(later.notes[0], note, fake)


def assert_note(line: str, note: str, fake: Fake) -> None:
    """One line that names the server and says what it did."""
    assert line.startswith(f"the Chroma server {fake.url} was left out: ")
    assert re.search(note, line), line
    assert "\n" not in line


def test_a_server_that_is_down_and_a_name_looked_up_for_ever(
    opened: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = opened(shared=Shared(f"http://127.0.0.1:{free_port()}"), approximate=True)
    index.update(some(ROWS), Memo())
    index.copied()
    assert "ConnectionRefusedError" in index.notes[0]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(20))
    monkeypatch.setattr(server, "FILLING_SECONDS", 0.9)
    began = time.monotonic()
    other = opened(shared=Shared("http://nowhere.invalid:8000"), approximate=True)
    other.copied()
    assert right(other, some(ROWS))
    assert time.monotonic() - began < EXTRA
    assert "no answer in time" in other.notes[0]


def test_the_token_is_sent_and_never_shown(opened: Open, fake: Fake) -> None:
    shared = Shared(fake.url.replace("//", "//user:secret-1@"), token="secret-2")
    index = opened(shared=shared, approximate=True)
    index.update(some(ROWS), Memo())
    index.copied()
    assert fake.seen[0][1]["Authorization"] == "Bearer secret-2"
    assert fake.seen[0][1]["X-Chroma-Token"] == "secret-2"
    fake.change = reply(500)
    index.close()
    index.query(np.ones((1, DIM)), 1)
    assert "secret" not in repr(shared) + shared.shown + "".join(index.notes)
    fake.change = lambda _, answer: answer
    named = opened(shared=Shared(fake.url.replace("//", "//user:pass@")), approximate=True)
    fake.seen.clear()
    named._copy.close()  # type: ignore[union-attr]
    named.copied()
    assert all(headers.get("Authorization") == "Basic dXNlcjpwYXNz" for _, headers in fake.seen)


@pytest.mark.parametrize(
    "url", ["", "localhost:8000", "file:///etc/passwd", "ftp://host", "http://", "http://[::1", "http://host:99999"]
)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(ConfigError, match="must be http://host:port"):
        Shared(url)


@pytest.mark.parametrize("token", ["a\r\nX: y", "é", "a\0"])
def test_tokens_that_no_header_can_carry(token: str) -> None:
    with pytest.raises(ConfigError, match="no header can carry"):
        Shared("http://host", token)


def test_exact_search_was_asked_for(opened: Open, fake: Fake) -> None:
    index = opened(shared=Shared(fake.url), approximate=False)
    index.update(some(ROWS), Memo())
    index.copied()
    assert right(index, some(ROWS))
    assert fake.seen == []
