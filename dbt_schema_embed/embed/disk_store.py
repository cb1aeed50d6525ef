"""The memo's level on disk: one table in one sqlite file, which several processes share.

Readers never wait for writers, nothing is ever unpickled, and a file that is not as we make it is not used.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from filelock import FileLock, Timeout

from dbt_schema_embed.errors import MemoError
from dbt_schema_embed.files import others_may_write

SIZE_LIMIT = 4 * 2**30
"""Bytes on disk beyond which the oldest entries go; about 1.7 million vectors of 384 float32."""

FILE, _FRESH = "vectors.db", "vectors.new"
Answer = TypeVar("Answer")

_SCHEMA = {
    ("table", "vectors"): "CREATE TABLE vectors"
    " (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value BLOB NOT NULL, expires REAL)",
    ("index", "expiring"): "CREATE INDEX expiring ON vectors (expires) WHERE expires IS NOT NULL",
}
_OURS = _SCHEMA | {("index", "sqlite_autoindex_vectors_1"): None}
_PLAIN = "typeof(key) = 'text' AND typeof(value) = 'blob' AND (expires IS NULL OR expires > ?)"
_IN = 900  # variables in one query; sqlite before 3.32 allows 999
_SCAN = 3  # asking for more than a third of the entries, reading all of them in order is faster
_MAPPED = 2**30  # bytes of the file read through memory: 1.5 times as fast as reading pages
_WAIT = 1.0  # seconds for another process's transaction
_TURNS = 30  # transactions of others that go before one of ours
_TRANSACTION = 1000  # entries in one transaction: 50 ms, so that other processes wait little
_BUSY = (5, 6)  # SQLITE_BUSY, SQLITE_LOCKED
_DAMAGE = (1, 11, 26)  # SQLITE_ERROR (another schema), SQLITE_CORRUPT, SQLITE_NOTADB


class DiskStore:
    """Bytes by text key, in ``folder``. Threads and processes may share it.

    A damaged store is put aside and an empty one takes its place; ``notes`` gets one line about it.
    """

    name = "disk"

    def __init__(
        self, folder: Path, *, ttl: float | None = None, size_limit: int = SIZE_LIMIT, notes: list[str] | None = None
    ) -> None:
        self.folder = folder
        self._ttl = ttl
        self._size_limit = size_limit
        self._notes = notes if notes is not None else []

    @property
    def path(self) -> Path:
        """The sqlite file."""
        return self.folder / FILE

    def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The values of those ``keys`` that are there and have not expired.

        Raises:
            MemoError: the store cannot be read now.
        """
        return self._mended(lambda: self._select(keys)) or {}

    def write(self, items: Mapping[str, bytes]) -> None:
        """Store ``items``, in transactions of a thousand; then expired entries go, and the oldest beyond the limit.

        Raises:
            MemoError: the store stays locked for a second, the disk is full, or the folder cannot be written.
        """
        self._mended(lambda: self._write(list(items.items())))

    def drop(self, keys: Sequence[str]) -> None:
        """Forget ``keys``; raises as `write` does."""
        self._mended(lambda: self._change("DELETE FROM vectors WHERE key = ?", [(key,) for key in keys]))

    def count(self) -> int:
        """Entries that have not expired."""
        found = self._mended(lambda: self._query(f"SELECT count(*) FROM vectors WHERE {_PLAIN}", time.time()))  # noqa: S608
        return int(found[0][0]) if found else 0

    def pages(self, size: int = 1000) -> Iterator[list[tuple[str, bytes]]]:
        """Every entry that has not expired, ``size`` at a time."""
        query = f"SELECT id, key, value FROM vectors WHERE {_PLAIN} AND id > ? ORDER BY id LIMIT ?"  # noqa: S608
        row = 0
        while page := self._mended(partial(self._query, query, time.time(), row, size)):
            row = page[-1][0]
            yield [(key, value) for _, key, value in page]

    def clear(self) -> None:
        """Forget everything, damaged stores put aside included; raises as `write` does."""
        if self.path.is_file():
            self._mended(lambda: self._change("DELETE FROM vectors", [()]))
        for path in (*self.folder.glob(f"{FILE}*.damaged"), *self.folder.glob("cache.db*")):  # the memo before this one
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is kept open."""

    def _select(self, keys: Sequence[str]) -> dict[str, bytes] | None:
        if not self.path.is_file():
            return None
        now, found = time.time(), dict[str, bytes]()
        query = f"SELECT key, value FROM vectors WHERE {_PLAIN}"  # noqa: S608
        with self._connected("ro") as connection:
            if len(keys) * _SCAN > (connection.execute("SELECT max(id) FROM vectors").fetchone()[0] or 0):
                wanted = set(keys)
                return {key: value for key, value in connection.execute(query, (now,)) if key in wanted}
            for at in range(0, len(keys), _IN):
                some = keys[at : at + _IN]
                found.update(connection.execute(f"{query} AND key IN ({','.join('?' * len(some))})", (now, *some)))
        return found

    def _query(self, query: str, *values: float) -> list[tuple[int, str, bytes]]:
        if not self.path.is_file():
            return []
        with self._connected("ro") as connection:
            return connection.execute(query, values).fetchall()

    def _write(self, items: Sequence[tuple[str, bytes]]) -> None:
        expires = None if self._ttl is None else time.time() + self._ttl
        rows = [(key, value, expires) for key, value in items]
        self._change("INSERT OR REPLACE INTO vectors (key, value, expires) VALUES (?, ?, ?)", rows)
        with contextlib.suppress(MemoError):  # the next writer does it
            self._change("DELETE FROM vectors WHERE expires < ?", [(time.time(),)])
            with self._connected("ro") as connection:
                pages, size = (connection.execute(f"PRAGMA {of}").fetchone()[0] for of in ("page_count", "page_size"))
                if (excess := pages * size - self._size_limit) <= 0:
                    return
                count = connection.execute("SELECT count(*) FROM vectors").fetchone()[0]
            oldest = -(-count * excess // (pages * size))
            self._change("DELETE FROM vectors WHERE id IN (SELECT id FROM vectors ORDER BY id LIMIT ?)", [(oldest,)])

    def _change(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Execute ``statement`` for every row, in transactions of a thousand; the file is made if there is none."""
        self._make()
        with self._connected("rw") as connection:
            connection.execute("PRAGMA synchronous = NORMAL")
            for at in range(0, len(rows), _TRANSACTION):
                self._begin(connection)
                connection.executemany(statement, rows[at : at + _TRANSACTION])
                connection.execute("COMMIT")

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Begin a transaction, in turn with other processes.

        Raises:
            sqlite3.OperationalError: nobody finished one for `_WAIT` seconds, or `_TURNS` others did.
        """
        for turn in range(_TURNS):
            before = _version(connection)
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError:
                if _version(connection) == before or turn == _TURNS - 1:
                    raise

    def _make(self) -> None:
        """Make the file, whole before it has its name."""
        if self.path.is_file():
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone():
            if self.path.is_file():
                return
            fresh = self.folder / _FRESH
            for left in self.folder.glob(f"{_FRESH}*"):  # by a maker that was killed
                left.unlink()
            with contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
                for statement in ("PRAGMA auto_vacuum = FULL", *_SCHEMA.values(), "PRAGMA journal_mode = WAL"):
                    connection.execute(statement)
            fresh.replace(self.path)

    @contextlib.contextmanager
    def _connected(self, mode: str) -> Iterator[sqlite3.Connection]:
        address = f"file:{quote(str(self.path))}?mode={mode}"
        connection = sqlite3.connect(address, uri=True, timeout=_WAIT, isolation_level=None)
        try:
            connection.execute(f"PRAGMA mmap_size = {_MAPPED}")
            found = {
                (kind, name): sql for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_master")
            }
            if found != _OURS:
                foreign = [" ".join(key) for key, sql in sorted(found.items()) if sql != _OURS.get(key, "")]
                raise _DamagedError(f"it holds a foreign {foreign[0]}" if foreign else "it lacks its table")
            yield connection
        finally:
            connection.close()

    def _mended(self, action: Callable[[], Answer]) -> Answer:
        """Do ``action``; where the store turns out to be damaged, put it aside and do it again on an empty one.

        Raises:
            MemoError: it cannot be done; the folder is another user's, who would decide what vectors are.
        """
        if said := others_may_write(self.folder):
            raise MemoError(f"the memo in {self.folder} {said}")
        try:
            return self._explained(action)
        except _DamagedError as problem:
            self._put_aside(str(problem))
        try:
            return self._explained(action)
        except _DamagedError as problem:
            raise MemoError(f"the memo in {self.folder} cannot be used: {problem}") from None

    def _explained(self, action: Callable[[], Answer]) -> Answer:
        """Do ``action``; what sqlite and the disk raise becomes `_DamagedError` or a MemoError."""
        try:
            return action()
        except sqlite3.Error as problem:
            code = (getattr(problem, "sqlite_errorcode", None) or 0) & 0xFF
            if code in _DAMAGE:
                raise _DamagedError(str(problem)) from None
            said = "is locked by another process" if code in _BUSY else f"cannot be used: {problem}"
            raise MemoError(f"the memo in {self.folder} {said}") from None
        except OSError as problem:
            raise MemoError(f"the memo in {self.folder} cannot be used: {problem}") from None

    def _put_aside(self, reason: str) -> None:
        """Rename a damaged store, unless another process has just done so."""
        try:
            with self._alone():
                if self._sound():
                    return
                for path in sorted(self.folder.glob(f"{FILE}*")):
                    if path.suffix not in (".damaged", ".lock"):
                        path.replace(path.with_name(path.name + ".damaged"))
        except (OSError, MemoError) as problem:
            raise MemoError(f"the memo in {self.folder} is damaged and could not be put aside: {problem}") from None
        self._notes.append(f"the memo in {self.folder} was damaged ({reason}); it was put aside and starts empty")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process makes the file or puts it aside meanwhile."""
        try:
            with FileLock(f"{self.path}.lock", timeout=_WAIT):
                yield
        except Timeout:
            raise MemoError(f"the memo in {self.folder} is locked by another process") from None

    def _sound(self) -> bool:
        try:
            with self._connected("ro") as connection:
                return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
        except (sqlite3.Error, _DamagedError):
            return False


def _version(connection: sqlite3.Connection) -> int:
    """Changes whenever another process commits: then the store is busy, not blocked."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


class _DamagedError(Exception):
    """The store is not one we made."""
