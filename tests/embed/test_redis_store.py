"""The Redis level: a real server, and servers that are down, hung, slow or lying."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from dbt_schema_embed.embed import redis_store
from dbt_schema_embed.embed.disk_store import DiskStore
from dbt_schema_embed.embed.memo import MemoEmbedder
from dbt_schema_embed.embed.redis_store import PREFIX, RedisStore
from dbt_schema_embed.embed.vector_bytes import to_bytes
from dbt_schema_embed.errors import ConfigError, MissingExtraError
from tests.embed.encoders import DIM, HashEncoder, hash_rows

ITEMS = {f"key {n}": bytes([n % 251]) * 1552 for n in range(1200)}
EXTRA_SECONDS = 5.0
"""With busy neighbours; alone it is less than 2."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    """A real server, on a socket of its own."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    folder = tmp_path_factory.mktemp("redis")
    process = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", "redis.sock", "--save", "", "--maxmemory", "64mb"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    process.url = f"unix://{folder}/redis.sock"  # type: ignore[attr-defined]
    try:
        for _ in range(100):
            if (folder / "redis.sock").exists():
                break
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(10)


@pytest.fixture
def url(server: subprocess.Popen[bytes]) -> str:
    """The server's URL; it is empty."""
    import redis

    address: str = server.url  # type: ignore[attr-defined]
    with redis.Redis.from_url(address) as client:
        client.flushall()
    return address


def memo(url: str, encoder: HashEncoder | None = None) -> tuple[MemoEmbedder, RedisStore]:
    """An embedder with nothing but Redis."""
    notes: list[str] = []
    store = RedisStore(url, notes=notes)
    return MemoEmbedder("hash@1", DIM, (encoder or HashEncoder()).load, [store], notes=notes), store


def test_what_one_writes_another_reads(url: str) -> None:
    """In bulk; unknown keys are left out; dropped ones are gone."""
    one, other = RedisStore(url), RedisStore(url)
    one.write(ITEMS)
    assert other.read([*ITEMS, "unknown"]) == ITEMS
    other.drop(["key 1", "key 2"])
    assert one.read(["key 1", "key 3"]) == {"key 3": ITEMS["key 3"]}
    one.close()
    other.close()


def test_entries_expire(url: str) -> None:
    """After their time to live; without one they stay."""
    import redis

    RedisStore(url, ttl=100).write({"short": b"1"})
    RedisStore(url).write({"long": b"1"})
    with redis.Redis.from_url(url) as client:
        assert 98 < client.ttl(f"{PREFIX}short") <= 100
        assert client.ttl(f"{PREFIX}long") == -1


def test_a_second_machine_encodes_nothing(url: str) -> None:
    """All it asks for is on the server."""
    texts = [f"text {n}" for n in range(50)]
    memo(url)[0].embed(texts)
    second, _ = memo(url)
    assert np.array_equal(second.embed(texts), hash_rows(texts))
    assert (second.stats.misses, second.stats.hits, second.notes) == (0, {"redis": 50}, [])


def test_wrong_vectors_on_the_server_are_not_used(url: str) -> None:
    """Truncated, not finite, of another length, of another key, no bytes of ours: dropped, encoded again, counted."""
    texts = [f"text {n}" for n in range(6)]
    first, store = memo(url)
    first.embed(texts)
    keys = [first.key(text) for text in texts]
    good = store.read(keys)
    store.write(
        {
            keys[0]: good[keys[0]][:20],
            keys[1]: to_bytes([keys[1]], np.full((1, DIM), np.nan, np.float32))[0],
            keys[2]: to_bytes([keys[2]], 2 * hash_rows(["x"]))[0],
            keys[3]: good[keys[4]],
            keys[4]: b"",
        }
    )
    second, _ = memo(url)
    assert np.array_equal(second.embed(texts), hash_rows(texts))
    assert (second.stats.dropped, second.stats.misses) == (5, 5)
    assert store.read(keys) == good


def test_a_hung_server_costs_little_and_comes_back(
    url: str, server: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left alone for a while, then asked again; it is named once."""
    monkeypatch.setattr(redis_store, "RESET_SECONDS", 0.5)
    embedder, _ = memo(url)
    embedder.embed(["warm"])
    server.send_signal(signal.SIGSTOP)
    try:
        start = time.perf_counter()
        for n in range(20):
            assert np.array_equal(embedder.embed([f"text {n}"]), hash_rows([f"text {n}"]))
        assert time.perf_counter() - start < EXTRA_SECONDS
    finally:
        server.send_signal(signal.SIGCONT)
    assert len(embedder.notes) == 1
    assert "is not used for now" in embedder.notes[0]
    time.sleep(0.6)
    embedder.embed(["warm"])
    assert embedder.stats.hits == {"redis": 1}
    assert len(embedder.notes) == 1


def test_the_rights_that_the_docs_name_are_enough(url: str, root: Path) -> None:
    import redis

    (rule,) = re.findall(r"^ACL SETUSER .*$", (root / "docs" / "sharing.md").read_text("utf-8"), re.MULTILINE)
    with redis.Redis.from_url(url) as client:
        client.execute_command(*rule.split())
    own = url.replace("unix://", "unix://dbt:password@")
    memo(own)[0].embed(["a"])
    second, store = memo(own)
    second.embed(["a"])
    store.drop([second.key("a")])
    assert (second.stats.hits, second.notes, store.read([second.key("a")])) == ({"redis": 1}, [], {})


def test_a_full_server_is_left_alone(url: str) -> None:
    """It refuses writes; the note says so and shows no value."""
    import redis

    with redis.Redis.from_url(url) as client:
        client.config_set("maxmemory", "1")
        embedder, _ = memo(url)
        assert np.array_equal(embedder.embed(["a"]), hash_rows(["a"]))
        client.config_set("maxmemory", "64mb")
    assert len(embedder.notes) == 1
    assert "maxmemory" in embedder.notes[0]
    assert "DSEv" not in embedder.notes[0]


Talk = Callable[[socket.socket], None]


@pytest.fixture
def fake_server() -> Iterator[Callable[[Talk], str]]:
    """Starts a server that talks as told to each client, and gives its URL."""
    listeners: list[socket.socket] = []
    stop = threading.Event()

    def serve(listener: socket.socket, talk: Talk) -> None:
        while not stop.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=converse, args=(client, talk), daemon=True).start()

    def converse(client: socket.socket, talk: Talk) -> None:
        with client:
            try:
                while not stop.is_set() and client.recv(1 << 16):
                    talk(client)
            except OSError:
                return  # the client had enough

    def started(talk: Talk) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=serve, args=(listener, talk), daemon=True).start()
        return f"redis://user:hunter2@127.0.0.1:{listener.getsockname()[1]}/0"

    yield started
    stop.set()
    for listener in listeners:
        listener.close()


def _trickling(client: socket.socket) -> None:
    client.sendall(b"*500\r\n")
    while True:
        client.sendall(b"$3\r\nabc\r\n")
        time.sleep(0.05)


def _silent(client: socket.socket) -> None:
    time.sleep(0.01)


def _hanging_up(client: socket.socket) -> None:
    client.close()


def _random(client: socket.socket) -> None:
    client.sendall(random.Random(7).randbytes(5000))


def _nested(client: socket.socket) -> None:
    client.sendall(b"*1\r\n" * 100_000)


def _enormous(client: socket.socket) -> None:
    client.sendall(b"$99999999999999\r\n")


def _agreeing(client: socket.socket) -> None:
    client.sendall(b"+OK\r\n")


def _refusing(client: socket.socket) -> None:
    client.sendall(b"-NOAUTH Authentication required.\r\n")


def _counting(client: socket.socket) -> None:
    client.sendall(b"%1\r\n+proto\r\n:3\r\n" + b"*3\r\n:1\r\n:2\r\n:3\r\n" * 20)


TALKS = [_trickling, _silent, _hanging_up, _random, _nested, _enormous, _agreeing, _refusing, _counting]


@pytest.mark.parametrize("talk", TALKS, ids=lambda f: f.__name__.strip("_"))
def test_no_server_can_stop_a_run(fake_server: Callable[[Talk], str], talk: Talk) -> None:
    """The vectors are right, it costs seconds at most, and the note holds no password."""
    memo("redis://127.0.0.1:9/0")[0].embed(["imports done"])
    embedder, store = memo(fake_server(talk))
    start = time.perf_counter()
    for n in range(5):
        texts = [f"text {n} {i}" for i in range(60)]
        assert np.array_equal(embedder.embed(texts), hash_rows(texts))
    assert time.perf_counter() - start < EXTRA_SECONDS
    assert len(embedder.notes) <= 1
    assert "hunter2" not in "".join(embedder.notes)
    store.close()


def test_a_slow_server_and_many_texts(fake_server: Callable[[Talk], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds over all keys and all calls of a run, however often the server is asked again."""
    monkeypatch.setattr(redis_store, "RESET_SECONDS", 0.01)
    store = RedisStore(fake_server(_trickling), notes=[])
    start = time.perf_counter()
    for n in range(20):
        store.read([f"{n} {i}" for i in range(20_000 if n == 0 else 10)])
        time.sleep(0.02)
    assert time.perf_counter() - start - 20 * 0.02 < EXTRA_SECONDS + 20 * 0.04  # and what answers usually take
    assert len(store._notes) == 1
    store.close()


def test_a_server_that_is_down() -> None:
    """The run goes on at once and says so once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    embedder, _ = memo(f"redis://127.0.0.1:{port}/0")
    for n in range(3):
        embedder.embed([f"text {n}"])
    assert len(embedder.notes) == 1
    assert embedder.notes[0].startswith(f"the Redis memo at 127.0.0.1:{port} is not used for now: ")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://localhost", "redis_url is not the URL of a Redis server"),
        ("localhost:6379", "redis_url is not the URL of a Redis server"),
        ("redis://", "redis_url is not the URL of a Redis server"),
        ("redis://localhost:port", "redis_url cannot be read: Port could not be cast to integer value as 'port'"),
    ],
)
def test_a_url_that_is_none(url: str, message: str) -> None:
    """Said before anything runs, and without repeating a password."""
    with pytest.raises(ConfigError) as problem:
        RedisStore(url)
    assert str(problem.value) == f"{message}\n  for example redis://localhost:6379/0"


def test_without_redis_py(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra to install is named."""
    monkeypatch.setattr("dbt_schema_embed.extras.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"dbt-schema-embed\[redis\]"):
        RedisStore("redis://localhost")


def test_nothing_is_imported_before_the_first_call(root: Path) -> None:
    """Nor does opening it need the server."""
    import sys

    code = (
        "import sys; from dbt_schema_embed.embed.redis_store import RedisStore; RedisStore('redis://localhost');"
        "sys.exit(bool({'redis', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=root, env={**os.environ}).returncode == 0


class FakeServer:
    """A server of several tenants, in this process."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.connection_pool = self

    def mget(self, keys: list[str]) -> list[bytes | None]:
        return [self.values.get(key) for key in keys]

    def pipeline(self, **_: object) -> "FakeServer":
        return self

    def __enter__(self) -> "FakeServer":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def set(self, key: str, value: bytes, **_: object) -> None:
        self.values[key] = value

    def execute(self, **_: object) -> list[object]:
        return []

    def unlink(self, *keys: str) -> None:
        for key in keys:
            self.values.pop(key, None)

    def close(self) -> None:
        pass


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """The server that every store of the test reaches."""
    server = FakeServer()
    monkeypatch.setattr("redis.Redis.from_url", lambda *_, **__: server)
    return server


def test_signed_values_are_only_ours(shared: FakeServer) -> None:
    notes: list[str] = []
    ours = RedisStore("redis://x", key="secret", notes=notes)
    items = dict(list(ITEMS.items())[:20])
    ours.write(items)
    assert RedisStore("redis://x", key="secret").read(list(items)) == items
    assert RedisStore("redis://x").read(list(items)) == {}  # who has no key has values of its own
    assert ours.check_every == 0
    names = list(shared.values)
    shared.values[names[0]], shared.values[names[1]] = shared.values[names[1]], shared.values[names[0]]  # swapped
    shared.values[names[2]] = shared.values[names[2]][:-1] + b"x"
    assert set(ours.read(list(items))) == set(list(items)[3:])
    assert notes == ["the Redis memo at x:6379 holds 3 vectors that are not signed with redis_key: they are not used"]
    assert RedisStore("redis://x", key="another").read(list(items)) == {}


@pytest.mark.parametrize("texts", [1, 20, 200])
def test_a_swapped_store_is_noticed_and_not_kept(
    shared: FakeServer, hash_encoder: HashEncoder, tmp_path: Path, texts: int
) -> None:
    """Length, type and checksum are right: anybody can compute them. The vectors are of other texts."""
    wanted = [f"text {n}" for n in range(texts)]

    def opened(folder: str, notes: list[str]) -> MemoEmbedder:
        levels = [DiskStore(tmp_path / folder), RedisStore("redis://x", notes=notes)]
        return MemoEmbedder("hash@1", DIM, hash_encoder.load, levels, notes=notes)

    honest = opened("first", [])
    expected = honest.embed(wanted)
    swapped = hash_rows([f"other {n}" for n in range(texts)])
    keys = [honest.key(text) for text in wanted]
    shared.values = {PREFIX + k: v for k, v in zip(keys, to_bytes(keys, swapped), strict=True)}
    notes: list[str] = []
    assert np.array_equal(opened("second", notes).embed(wanted), expected)
    assert notes == [
        "the redis memo holds vectors that are not the encoder's: none of them is used; going on without it"
    ]
    assert np.array_equal(
        MemoEmbedder("hash@1", DIM, hash_encoder.load, [DiskStore(tmp_path / "second")]).embed(wanted), expected
    )


def test_an_honest_store_costs_few_texts(shared: FakeServer, hash_encoder: HashEncoder) -> None:
    wanted = [f"text {n}" for n in range(100)]
    MemoEmbedder("hash@1", DIM, hash_encoder.load, [RedisStore("redis://x")]).embed(wanted)
    before = len(hash_encoder.encoded)
    embedder = MemoEmbedder("hash@1", DIM, hash_encoder.load, [RedisStore("redis://x")])
    embedder.embed(wanted)
    assert len(hash_encoder.encoded) - before == 5
    assert embedder.stats.hits == {"redis": 100}
