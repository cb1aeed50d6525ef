"""The memo on disk: shared by processes, safe from pickles, mended when damaged, never waiting for long."""

import contextlib
import multiprocessing
import os
import pickle
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from dbt_schema_embed.embed.bytes_cache import BytesCache, BytesDisk
from dbt_schema_embed.embed.disk_store import DiskStore, _DamagedError
from dbt_schema_embed.errors import MemoError

ITEMS = {f"key {n}": bytes([n % 251]) * 1552 for n in range(4000)}


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    """An empty one."""
    return DiskStore(tmp_path / "memo", notes=[])


@contextlib.contextmanager
def raw(store: DiskStore) -> Iterator[sqlite3.Connection]:
    """The store's sqlite file, behind its back."""
    with contextlib.closing(sqlite3.connect(store.path, timeout=0)) as connection:
        yield connection
        connection.commit()


def test_what_is_written_is_read(store: DiskStore) -> None:
    """By this one and by the next one opened; unknown keys are left out; expected more than one query's keys."""
    assert store.read(["key 1"]) == {}
    store.write(ITEMS)
    again = DiskStore(store.folder)
    assert again.read([*ITEMS, "unknown"]) == ITEMS
    some = [f"key {n}" for n in range(1000, 2100)]  # less than a third: asked for by key, in two queries
    assert again.read([*some, "unknown"]) == {key: ITEMS[key] for key in some}
    assert again.count() == len(ITEMS)
    assert dict(entry for page in again.pages() for entry in page) == ITEMS


def test_a_value_is_replaced_dropped_and_cleared(store: DiskStore) -> None:
    """Each at once for every reader; the file gives its space back."""
    store.write(ITEMS)
    store.write({"key 1": b"new"})
    store.drop(["key 2", "unknown"])
    assert store.read(["key 1", "key 2", "key 3"]) == {"key 1": b"new", "key 3": ITEMS["key 3"]}
    store.clear()
    assert store.count() == 0
    assert store.path.stat().st_size < 200_000


def test_entries_expire(store: DiskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """After their time to live they are neither read nor counted."""
    short = DiskStore(store.folder, ttl=60)
    short.write({"short": b"1"})
    store.write({"long": b"2"})
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    assert store.read(["short", "long"]) == {"long": b"2"}
    assert store.count() == 1
    assert list(store.pages()) == [[("long", b"2")]]


def test_the_oldest_go_beyond_the_size_limit(tmp_path: Path) -> None:
    """The newest stay."""
    store = DiskStore(tmp_path / "memo", size_limit=2**20)
    for at in range(0, 4000, 500):
        store.write(dict(list(ITEMS.items())[at : at + 500]))
    assert store.path.stat().st_size < 1.5 * 2**20
    assert 100 < store.count() < 1000
    assert store.read(["key 0", "key 3999"]) == {"key 3999": ITEMS["key 3999"]}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_the_folder_is_private(store: DiskStore) -> None:
    """Made with mode 0700."""
    store.write({"key": b"value"})
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


class Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self._path),)


def test_a_planted_pickle_is_never_opened(store: DiskStore, tmp_path: Path) -> None:
    """Neither as a value nor as a key, on any way through the store."""
    store.write(ITEMS)
    bomb = pickle.dumps(Bomb(tmp_path / "hit"))
    with raw(store) as connection:
        for mode, filename in ((4, None), (1, None), (4, "../../planted"), (2, "../../planted")):
            connection.execute(
                "INSERT OR REPLACE INTO Cache(key, raw, mode, filename, value, store_time) VALUES (?, 1, ?, ?, ?, 1)",
                (f"bomb {mode} {filename}", mode, filename, bomb),
            )
        connection.execute("INSERT INTO Cache(key, raw, mode, value, store_time) VALUES (?, 0, 1, ?, 1)", (bomb, bomb))
    (tmp_path / "planted").write_bytes(bomb)
    keys = ["bomb 4 None", "bomb 4 ../../planted", "bomb 2 ../../planted", "key 1"]
    assert store.read(keys) == {"key 1": ITEMS["key 1"]}
    assert sum(map(len, store.pages())) == len(ITEMS) + 1  # the one whose value claims to be plain bytes
    store.drop(keys)
    tight = DiskStore(store.folder, size_limit=1)
    tight.write({"last": b"1"})
    store.clear()
    assert not (tmp_path / "hit").exists()
    assert (tmp_path / "planted").exists()  # diskcache itself would delete the file that a row names


def test_the_disk_refuses_all_but_text_and_bytes(tmp_path: Path) -> None:
    """In both directions, so that no later call can pickle or unpickle."""
    disk = BytesDisk(str(tmp_path))
    for key in (b"bytes", 1, 1.5, ("a",), None):
        with pytest.raises(TypeError):
            disk.put(key)
    for value in ("text", 1, 1.5, None, [1]):
        with pytest.raises(TypeError):
            disk.store(value, False)
    with pytest.raises(TypeError):
        disk.store(b"x", True)
    for mode, filename, value in ((4, None, b"x"), (2, "f", None), (1, "f", b"x"), (1, None, "text")):
        with pytest.raises(TypeError):
            disk.fetch(mode, filename, value, False)
    for key, plain in ((b"x", False), (b"x", True), ("x", False)):
        with pytest.raises(TypeError):
            disk.get(key, plain)


def _garbage(path: Path) -> None:
    path.write_bytes(os.urandom(50_000))


def _truncated(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size // 2)


def _head(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.write(os.urandom(100))


def _middle(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as stream:
        for at in range(4096, size, 4096):
            stream.seek(at)
            stream.write(os.urandom(8))


def _tail(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(os.urandom(10_000))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _missing(path: Path) -> None:
    path.unlink()


def _older(path: Path) -> None:
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE Cache (key, value)")


def _trigger(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TRIGGER evil AFTER INSERT ON Cache BEGIN DELETE FROM Cache; END")


def _setting(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO Settings VALUES ('sqlite_x; --', 1)")


DAMAGE = [_garbage, _truncated, _head, _middle, _tail, _empty, _missing, _older, _trigger, _setting]


@pytest.mark.parametrize("opened", [False, True], ids=["closed", "opened"])
@pytest.mark.parametrize("damage", DAMAGE, ids=lambda f: f.__name__.strip("_"))
def test_any_damage_is_mended(tmp_path: Path, damage: Callable[[Path], None], opened: bool) -> None:
    """Reading gives what a value's own checksum then judges; writing works again; it is put aside and said once.

    Strange triggers and settings are looked for when a store is opened.
    """
    store = DiskStore(tmp_path / "memo", notes=[])
    store.write(ITEMS)
    if opened and damage in (_trigger, _setting):
        return
    damage(store.path)
    if not opened:
        store = DiskStore(tmp_path / "memo", notes=[])
    for keys in (list(ITEMS), ["key 7"]):
        assert all(len(value) == len(ITEMS[key]) for key, value in store.read(keys).items())
    fresh = {f"new {n}": b"v" * 1552 for n in range(1500)}
    store.write(fresh)
    assert store.read(list(fresh)) == fresh
    again = DiskStore(store.folder, notes=[])
    assert again.read(list(fresh)) == fresh
    aside = list(store.folder.glob("*.damaged"))
    assert len(store._notes) == (1 if aside else 0)
    assert again._notes == []
    store.clear()
    assert not list(store.folder.glob("*.damaged"))


@pytest.fixture
def unfinished(tmp_path: Path) -> tuple[Path, Path]:
    """Two states of a memo whose last writes stand in sqlite's log still, as a killed process leaves them."""
    folders = tmp_path / "before", tmp_path / "after"
    store = DiskStore(tmp_path / "memo")
    store.write(dict(list(ITEMS.items())[:2000]))
    with raw(store) as holder:
        holder.execute("SELECT 1 FROM Cache").fetchone()
        for folder, half in zip(folders, ({"log 1": b"1"}, {"log 2": b"2" * 9000}), strict=True):
            store.write(half)
            shutil.copytree(store.folder, folder)
    assert all((folder / f"cache.db-{name}").stat().st_size for folder in folders for name in ("wal", "shm"))
    return folders


@pytest.mark.parametrize("how", ["whole", "missing", "empty", "truncated", "garbage head", "garbage tail", "older"])
@pytest.mark.parametrize("name", ["cache.db-wal", "cache.db-shm"])
def test_a_damaged_log_costs_its_own_writes_at_most(unfinished: tuple[Path, Path], name: str, how: str) -> None:
    """What was in the store before stays and no value is wrong; the next write works."""
    older, folder = unfinished
    path = folder / name
    content = path.read_bytes()
    path.unlink()
    changed = {
        "whole": content, "missing": None, "empty": b"", "truncated": content[: len(content) // 2],
        "garbage head": os.urandom(64) + content[64:], "garbage tail": content[:-512] + os.urandom(512),
        "older": (older / name).read_bytes(),
    }[how]  # fmt: skip
    if changed is not None:
        path.write_bytes(changed)
    notes: list[str] = []
    found = DiskStore(folder, notes=notes).read([*ITEMS, "log 1", "log 2"])
    assert {key: found[key] for key in found if key in ITEMS} == dict(list(ITEMS.items())[:2000])
    assert {"log 1": b"1", "log 2": b"2" * 9000}.items() >= {k: v for k, v in found.items() if k not in ITEMS}.items()
    if how == "whole" or name == "cache.db-shm":
        assert len(found) == 2002
    DiskStore(folder, notes=notes).write({"new": b"3"})
    assert DiskStore(folder, notes=notes).read(["new", "key 1"]) == {"new": b"3", "key 1": ITEMS["key 1"]}
    assert notes == []


def test_a_locked_store_costs_a_second(store: DiskStore) -> None:
    """Reading goes on meanwhile; writing, and opening it to write, gives up in time."""
    store.write(ITEMS)
    with raw(store) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        fresh = DiskStore(store.folder)
        for action in (lambda: store.write({"a": b"1"}), lambda: fresh.write({"a": b"1"}), lambda: fresh.drop(["a"])):
            start = time.perf_counter()
            assert fresh.read(["key 1"]) == {"key 1": ITEMS["key 1"]}
            assert time.perf_counter() - start < 0.5
            with pytest.raises(MemoError, match="locked by another process"):
                action()
            assert time.perf_counter() - start < 3
        other.execute("ROLLBACK")
    fresh.write({"a": b"1"})
    assert store.read(["a"]) == {"a": b"1"}


def test_a_damaged_store_that_cannot_be_put_aside(store: DiskStore) -> None:
    """Somebody else repairs it for longer than we wait: the run goes on without a memo."""
    store.write(ITEMS)
    _garbage(store.path)
    with FileLock(str(store.folder / "repair.lock")), pytest.raises(MemoError, match="could not be put aside"):
        DiskStore(store.folder).read(["key 1"])


def test_a_store_that_another_process_has_mended(store: DiskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not put aside again."""
    store.write(ITEMS)
    monkeypatch.setattr(store, "_explained", _failing_once(store._explained))
    assert store.read(["key 1"]) == {"key 1": ITEMS["key 1"]}
    assert not list(store.folder.glob("*.damaged"))
    assert store._notes == []


def _failing_once(action: Callable[..., dict[str, bytes]]) -> Callable[..., dict[str, bytes]]:
    calls: list[int] = []

    def run(*arguments: object) -> dict[str, bytes]:
        calls.append(1)
        if len(calls) == 1:
            raise _DamagedError("as it looked then")
        return action(*arguments)

    return run


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """Is a MemoError that names it."""
    (tmp_path / "memo").write_text("in the way")
    with pytest.raises(MemoError, match="cannot be used"):
        DiskStore(tmp_path / "memo").write({"a": b"1"})


def _writer(folder: Path, number: int, notes: "multiprocessing.Queue[list[str]]") -> None:
    store = DiskStore(folder, notes=[])
    for turn in range(5):
        store.write({f"{number} {turn} {n}": f"{number} {turn} {n}".encode() * 50 for n in range(300)})
        store.read([f"{other} {turn} {n}" for other in range(8) for n in range(300)])
    notes.put(store._notes)


def test_eight_processes_at_once(tmp_path: Path) -> None:
    """All write and read one new store; nothing is lost and nobody complains."""
    context = multiprocessing.get_context("spawn")
    notes: multiprocessing.Queue[list[str]] = context.Queue()
    processes = [context.Process(target=_writer, args=(tmp_path / "memo", n, notes)) for n in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 8
    assert [notes.get(timeout=5) for _ in processes] == [[]] * 8
    store = DiskStore(tmp_path / "memo")
    keys = [f"{number} {turn} {n}" for number in range(8) for turn in range(5) for n in range(300)]
    assert store.read(keys) == {key: key.encode() * 50 for key in keys}


def test_opening_waits_no_longer_than_promised(store: DiskStore) -> None:
    """Plain diskcache waits until the other transaction ends, up to 60 s."""
    store.write({"a": b"1"})
    with raw(store) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        start = time.perf_counter()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            BytesCache(store.folder, 2**30)
        assert 0.5 < time.perf_counter() - start < 3
        other.execute("ROLLBACK")


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="folders have no owners there")
@pytest.mark.parametrize("mode", [0o777, 0o720, 0o702])
def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path, mode: int) -> None:
    store = DiskStore(tmp_path / "memo")
    store.write({"a": b"1"})
    (tmp_path / "memo").chmod(mode)
    for call in (lambda: store.read(["a"]), lambda: store.write({"b": b"2"}), store.count):
        with pytest.raises(MemoError, match="can be written by other users: chmod 700 it"):
            call()
    (tmp_path / "memo").chmod(0o700)
    assert store.read(["a"]) == {"a": b"1"}


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="folders have no owners there")
def test_a_folder_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DiskStore(tmp_path / "memo")
    store.write({"a": b"1"})
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(MemoError, match="belongs to another user: set EMBEDDING_CACHE_DIR"):
        store.read(["a"])


def test_a_trigger_of_a_known_name_that_does_more(tmp_path: Path) -> None:
    notes: list[str] = []
    store = DiskStore(tmp_path / "memo", notes=notes)
    store.write({"a": b"1"})
    with contextlib.closing(sqlite3.connect(store.path)) as connection:
        connection.execute("DROP TRIGGER Settings_count_insert")
        connection.execute(
            "CREATE TRIGGER Settings_count_insert AFTER INSERT ON Cache FOR EACH ROW BEGIN "
            "UPDATE Cache SET value = x'00'; END"
        )
        connection.commit()
    again = DiskStore(tmp_path / "memo", notes=notes)
    again.write({"b": b"2"})
    assert again.read(["a", "b"]) == {"b": b"2"}
    assert "it holds a foreign trigger Settings_count_insert" in notes[0]
