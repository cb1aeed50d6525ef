"""chroma_server.py: a shared server helps when it can, and costs a second and no answer when it cannot."""

import multiprocessing
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from dbt_schema_embed.index import Index, Shared, chroma
from dbt_schema_embed.index import chroma_server as server
from tests.index.conftest import DIM, Memo, Open, right, some

pytestmark = pytest.mark.skipif(find_spec("chromadb") is None, reason="chromadb is not installed")
ROWS = 120
EXTRA = 5.0
"""Seconds that a server which fails may cost, with busy neighbours; alone it is less than 2."""


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
        program = str(Path(sys.executable).with_name("chroma"))
        command = [program, "run", "--path", str(self.folder), "--host", "127.0.0.1", "--port", str(self.port)]
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
def shared(real: Real, monkeypatch: pytest.MonkeyPatch) -> Shared:
    """The real server, with more patience than people have: the machine that runs this may be busy."""
    monkeypatch.setattr(server, "BUDGET", 10.0)
    return Shared(real.url)


@pytest.fixture
def project(request: pytest.FixtureRequest) -> dict[str, str]:
    """A project of this test's own."""
    return {"project": request.node.name}


def served(index: Index) -> bool:
    """Whether the server gave the last answer."""
    return index._copy is not None and index._copy._asked is not None


def filled(index: Index, texts: list[str], project: dict[str, str]) -> None:
    """Index ``texts``, here and on the server."""
    index.update(texts, Memo(), meta=project)
    index.copied()
    index.close()


def test_answers_are_those_of_exact_search(
    opened: Open, shared: Shared, project: dict[str, str], tmp_path: Path
) -> None:
    index = opened(shared=shared, approximate=True)
    filled(index, some(ROWS), project)
    assert right(index, some(ROWS))
    assert (index.notes, served(index)) == ([], True)
    fewer = [*some(ROWS)[5:], "new"]
    index.close()
    index.update(fewer, Memo(), meta=project)
    assert right(index, fewer)
    assert not served(index)
    index.copied()
    assert right(index, fewer)
    assert (index.notes, served(index)) == ([], True)
    branch = opened(shared=shared, approximate=True, folder=tmp_path / "branch" / "index")
    filled(branch, some(30), project)
    assert right(branch, some(30))  # what only the other branch has is not answered
    other = opened(shared=shared, approximate=True, folder=tmp_path / "other" / "index", dimensions=8)
    filled(other, some(30), project)
    assert other.query(Memo().of(["text 3"]), 1)[0].tolist() == [[3]]
    assert other.notes == []


def test_small_indexes_do_not_ask_it(
    opened: Open, shared: Shared, project: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = opened(shared=shared)
    filled(index, some(ROWS), project)
    assert right(index, some(ROWS))
    assert not served(index)
    monkeypatch.setattr(chroma, "CROSSOVER", ROWS)
    assert right(index, some(ROWS))
    assert (index.notes, served(index)) == ([], True)


def test_the_server_holds_no_names(opened: Open, shared: Shared, real: Real, project: dict[str, str]) -> None:
    filled(opened(shared=shared), some(ROWS), project)
    held = b"".join(path.read_bytes() for path in real.folder.rglob("*") if path.is_file())
    assert b"schema-embed-" in held
    assert b"text 5" not in held
    assert project["project"].encode() not in held


def write_one(url: str, where: str, project: str, first: int) -> None:
    """What one of several machines does."""
    server.BUDGET = 30.0
    index = Index(Path(where), encoder_id="e", dim=DIM, shared=Shared(url), approximate=True)
    texts = [f"text {n}" for n in range(first, first + 60)]
    filled(index, texts, {"project": project})
    assert right(index, texts)
    assert index.notes == [], index.notes
    index.close()


def test_several_machines_lose_nothing(real: Real, project: dict[str, str], tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    machines = [
        context.Process(target=write_one, args=(real.url, str(tmp_path / str(n) / "index"), project["project"], 30 * n))
        for n in range(4)
    ]
    for machine in machines:
        machine.start()
    for machine in machines:
        machine.join()
        assert machine.exitcode == 0


def test_a_server_killed_and_emptied(
    opened: Open, tmp_path: Path, project: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "BUDGET", 10.0)
    monkeypatch.setattr(chroma, "RESET_SECONDS", 0.0)
    (tmp_path / "one").mkdir()
    running = Real(tmp_path / "one")
    try:
        index = opened(shared=Shared(running.url), approximate=True)
        filled(index, some(ROWS), project)
        running.stop()
        assert right(index, some(ROWS))
        assert "was left out: ConnectionRefusedError" in index.notes.pop()
        running.start()
        assert right(index, some(ROWS))
        assert served(index)
        running.stop()
        (tmp_path / "two").mkdir()
        running.folder = tmp_path / "two"
        running.start()
        index.close()
        assert right(index, some(ROWS))
        assert "does not hold every vector any more" in index.notes.pop()
        index.copied()
        assert right(index, some(ROWS))
        assert (index.notes, served(index)) == ([], True)
    finally:
        running.stop()
