"""server.py: a shared server helps when it can, and costs less than two seconds when it cannot."""

import multiprocessing
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dbt_schema_embed.index import Changes, Index, Shared, open_index, server
from tests.index.conftest import DIM, Memo, brute_force, columns

Open = Callable[..., Index]
ROWS = 120
EXTRA = 2.0  # seconds a server that fails may cost


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answers(port: int) -> bool:
    """Whether a Chroma server answers there."""
    try:
        with socket.create_connection(("127.0.0.1", port), 0.2) as connection:
            connection.sendall(b"GET /api/v2/heartbeat HTTP/1.0\r\n\r\n")
            return b"200" in connection.recv(100)
    except OSError:
        return False


class Real:
    """`chroma run` on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        chroma = str(Path(sys.executable).with_name("chroma"))
        command = [chroma, "run", "--path", str(self.folder), "--host", "127.0.0.1", "--port", str(self.port)]
        null = subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdin=null, stdout=null, stderr=null, cwd=self.folder)
        for _ in range(300):
            if answers(self.port):
                return
            time.sleep(0.1)
        pytest.fail("chroma run did not start")

    def stop(self) -> None:
        """Kill it."""
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """A real server; each test takes a project name of its own."""
    running = Real(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture
def shared(real: Real, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Shared:
    """The real server, with more patience than people have: the machine that runs this may be busy."""
    monkeypatch.setattr(server, "BUDGET", 10.0)
    return Shared(real.url, project=request.node.name, seconds=60)


def served(index: Index) -> bool:
    """Whether the server gives the answers."""
    return index._search._shared is not None


def right(index: Index, memo: Memo) -> bool:
    """Whether the answers are those of brute force."""
    queries = memo.of(sorted(memo.items)[::17])
    return index.query(queries, 5)[0] == brute_force(memo, queries, 5)[0]


def test_answers_are_those_of_exact_search(opened: Open, shared: Shared) -> None:
    memo = Memo(columns(ROWS))
    index = opened(shared=shared)
    assert index.update(memo.items, memo) == Changes(added=ROWS)
    queries = np.concatenate([memo.of(list(memo.items)), np.random.default_rng(2).normal(size=(30, DIM))])
    assert index.query(queries, 10)[0] == brute_force(memo, queries, 10)[0]
    assert (index.notes, served(index)) == ([], True)
    memo.items["new"] = "new"
    del memo.items["model.shop.m0|c0"]
    index.update(memo.items, memo)
    assert right(index, memo)
    assert (index.notes, served(index)) == ([], True)


def test_a_run_that_only_reads(opened: Open, shared: Shared) -> None:
    memo = Memo(columns(ROWS))
    opened(shared=shared).update(memo.items, memo)
    reader = opened(shared=shared)
    assert right(reader, memo)
    assert (reader.notes, served(reader)) == ([], True)


def test_columns_of_other_branches_are_not_answered(opened: Open, shared: Shared, tmp_path: Path) -> None:
    ours, theirs = Memo(columns(30)), Memo({f"theirs{n}": f"text {n + 15}" for n in range(60)})
    other = opened(shared=shared, folder=tmp_path / "theirs")
    other.update(theirs.items, theirs)
    index = opened(shared=shared)
    index.update(ours.items, ours)
    assert right(index, ours)
    assert right(other, theirs)
    assert index.notes == other.notes == []


def test_projects_do_not_meet(opened: Open, shared: Shared, tmp_path: Path) -> None:
    memo = Memo(columns(30))
    index = opened(shared=shared)
    index.update(memo.items, memo)
    other = opened(shared=Shared(shared.url, project="another", seconds=60), folder=tmp_path / "theirs")
    other.update(memo.items, memo)
    assert index._search._shared._collection != other._search._shared._collection


def test_reduced_dimensions_on_a_server(opened: Open, shared: Shared) -> None:
    memo = Memo(columns(ROWS))
    index = opened(shared=shared, dimensions=8)
    index.update(memo.items, memo)
    assert index.query(memo.of(["model.shop.m1|c11"]), 1)[0] == [["model.shop.m1|c11"]]
    assert (index.notes, served(index)) == ([], True)


def test_the_server_holds_no_names(opened: Open, shared: Shared, real: Real) -> None:
    memo = Memo(columns(ROWS))
    opened(shared=shared).update(memo.items, memo)
    held = b"".join(p.read_bytes() for p in real.folder.rglob("*") if p.is_file())
    for secret in (b"model.shop", b"|c11", b"text 11"):
        assert secret not in held


def test_a_server_emptied_behind_our_back_is_filled_again(opened: Open, shared: Shared, tmp_path: Path) -> None:
    memo = Memo(columns(ROWS))
    index = opened(shared=shared)
    index.update(memo.items, memo)
    rows = index._search._shared
    rows._server.post(f"{rows._collection}/delete", {"ids": rows._keys[:50]})
    again = opened(shared=shared)
    assert right(again, memo)
    assert (again.notes, served(again)) == ([], True)
    assert again._search._shared._missing(list(range(ROWS))) == []


def write_some(url: str, folder: str, word: str, done: Any) -> None:
    """What one of several machines does; it says what the server has acknowledged."""
    memo = Memo({f"{word}{n}": f"text {word if n % 2 else ''}{n}" for n in range(ROWS)})
    index = open_index(
        Path(folder), encoder_id="e", dim=DIM, text_version=1, shared=Shared(url, project="several", seconds=120)
    )
    server.BUDGET = 60.0
    index.update(memo.items, memo)
    done.put((word, served(index), index.notes))
    index.close()


def test_several_writers_lose_nothing(opened: Open, real: Real, tmp_path: Path) -> None:
    """Half of their vectors are the same, half are each one's own."""
    context = multiprocessing.get_context("spawn")
    done = context.Queue()
    words = "abcd"
    workers = [context.Process(target=write_some, args=(real.url, str(tmp_path / w), w, done)) for w in words]
    for worker in workers:
        worker.start()
    results = [done.get(timeout=120) for _ in words]
    for worker in workers:
        worker.join(60)
    assert sorted(results) == [(w, True, []) for w in words]
    for word in words:
        memo = Memo({f"{word}{n}": f"text {word if n % 2 else ''}{n}" for n in range(ROWS)})
        index = opened(shared=Shared(real.url, project="several", seconds=60), folder=tmp_path / word)
        queries = memo.of(list(memo.items))
        assert index.query(queries, 1)[0] == [[i] for i in memo.items]
        assert index.notes == []
        assert index._search._shared._missing(list(range(ROWS))) == []


def test_a_server_killed_and_started_again(opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "server").mkdir()
    own = Real(tmp_path / "server")
    try:
        monkeypatch.setattr(server, "RESET_SECONDS", 0.2)
        memo = Memo(columns(ROWS))
        index = opened(shared=Shared(own.url, seconds=60))
        index.update(memo.items, memo)
        assert (index.notes, served(index)) == ([], True)
        own.stop()
        assert right(index, memo)
        assert len(index.notes) == 1
        assert f"the Chroma server {own.url} was left out" in index.notes[0]
        assert not served(index)
        own.start()
        time.sleep(0.3)
        assert right(index, memo)
        assert served(index)
        assert len(index.notes) == 1
        own.process.send_signal(signal.SIGSTOP)  # hangs: connections are taken, nothing is answered
        started = time.monotonic()
        assert right(index, memo)
        assert time.monotonic() - started < EXTRA
        assert len(index.notes) == 1
    finally:
        own.stop()
