"""The memo's level on disk: a diskcache folder that several processes share, read in bulk through its own sqlite file.

Reading goes past diskcache: one query fetches hundreds of values, nothing is unpickled because only raw text keys and
raw bytes are selected, readers never wait for writers, and opening takes no lock.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from filelock import FileLock, Timeout

from dbt_schema_embed.embed.forking import new_lock
from dbt_schema_embed.errors import MemoError
from dbt_schema_embed.files import others_may_write

if TYPE_CHECKING:
    from dbt_schema_embed.embed.bytes_cache import BytesCache

SIZE_LIMIT = 4 * 2**30
"""Bytes on disk beyond which the oldest entries go; about 1.7 million vectors of 384 float32."""

FILE = "cache.db"
"""diskcache's own file."""
Answer = TypeVar("Answer")

_IN = 900  # variables in one query; sqlite before 3.32 allows 999
_SCAN = 3  # asking for more than a third of the entries, reading all of them in order is faster
_MAPPED = 2**30  # bytes of the file read through memory: 1.5 times as fast as reading pages
_WAIT = 1.0
_BUSY = (5, 6)  # SQLITE_BUSY, SQLITE_LOCKED
_DAMAGE = (1, 11, 26)  # SQLITE_ERROR (another schema), SQLITE_CORRUPT, SQLITE_NOTADB
_PLAIN = (
    "raw = 1 AND mode = 1 AND filename IS NULL AND typeof(key) = 'text' AND typeof(value) = 'blob'"
    " AND (expire_time IS NULL OR expire_time > ?)"
)
"""Rows that nothing would have to be unpickled for, and that have not expired."""


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
        self._cache: BytesCache | None = None
        self._lock = new_lock()

    @property
    def path(self) -> Path:
        """The sqlite file."""
        return self.folder / FILE

    def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The values of those ``keys`` that are there and have not expired.

        Raises:
            MemoError: the store cannot be read now.
        """
        return self._mended(lambda: self._select(keys))

    def write(self, items: Mapping[str, bytes]) -> None:
        """Store ``items``, in transactions of a thousand.

        Raises:
            MemoError: the store stays locked for a second, the disk is full, or the folder cannot be written.
        """
        self._mended(lambda: self._open().write_all(items, self._ttl))

    def drop(self, keys: Sequence[str]) -> None:
        """Forget ``keys``; raises as `write` does."""
        self._mended(lambda: self._open().drop_all(keys))

    def count(self) -> int:
        """Entries that have not expired."""
        rows = self._mended(lambda: self._rows(f"SELECT count(*) FROM Cache WHERE {_PLAIN}", time.time()))  # noqa: S608
        return int(rows[0][0]) if rows else 0

    def pages(self, size: int = 1000) -> Iterator[list[tuple[str, bytes]]]:
        """Every entry that has not expired, ``size`` at a time."""
        query = f"SELECT rowid, key, value FROM Cache WHERE {_PLAIN} AND rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608
        row = 0
        while page := self._mended(partial(self._rows, query, time.time(), row, size)):
            row = page[-1][0]
            yield [(key, value) for _, key, value in page]

    def clear(self) -> None:
        """Forget everything, damaged stores put aside included; raises as `write` does."""
        if self.path.is_file():
            self._mended(lambda: self._open().empty())
        for path in self.folder.glob("cache.db*.damaged"):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the store. Its connections are closed after each use."""
        with self._lock:
            self._cache = None

    def _select(self, keys: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        if not self.path.is_file():
            return found
        now = time.time()
        with self._reader() as connection:
            if not _has_table(connection):
                return found
            if len(keys) * _SCAN > (connection.execute("SELECT max(rowid) FROM Cache").fetchone()[0] or 0):
                wanted = set(keys)
                rows = connection.execute(f"SELECT key, value FROM Cache WHERE {_PLAIN}", (now,))  # noqa: S608
                return {key: value for key, value in rows if key in wanted}
            for at in range(0, len(keys), _IN):
                some = keys[at : at + _IN]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, value FROM Cache WHERE {_PLAIN} AND key IN ({marks})"  # noqa: S608
                found.update(connection.execute(query, (now, *some)))
        return found

    def _rows(self, query: str, *values: float) -> list[Any]:
        """What a query for entries gives; nothing where there is no store yet."""
        if not self.path.is_file():
            return []
        with self._reader() as connection:
            return connection.execute(query, values).fetchall() if _has_table(connection) else []

    @contextlib.contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        # A journal is left where the store's making was cut short: who only reads cannot roll it back.
        mode = "rw" if self.path.with_name("cache.db-journal").exists() else "ro"
        address = f"file:{quote(str(self.path))}?mode={mode}"
        connection = sqlite3.connect(address, uri=True, timeout=_WAIT, isolation_level=None)
        try:
            connection.execute(f"PRAGMA mmap_size={_MAPPED}")
            yield connection
        finally:
            connection.close()

    def _open(self) -> "BytesCache":
        with self._lock:
            if self._cache is None:
                from dbt_schema_embed.embed.bytes_cache import BytesCache, foreign

                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if self.path.is_file():
                    with self._reader() as connection:
                        stranger = foreign(connection)
                    if stranger:
                        raise _DamagedError(f"it holds a foreign {stranger}")
                self._cache = BytesCache(self.folder, self._size_limit)
            return self._cache

    def _mended(self, action: Callable[[], Answer]) -> Answer:
        """Do ``action``; where the store turns out to be damaged, put it aside and do it again on an empty one.

        Raises:
            MemoError: it cannot be done; the folder is another user's, or writable for others: they would decide what
                vectors are.
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
            if code in _BUSY:
                raise MemoError(f"the memo in {self.folder} is locked by another process") from None
            if code in _DAMAGE:
                raise _DamagedError(str(problem)) from None
            raise MemoError(f"the memo in {self.folder} cannot be used: {problem}") from None
        except OSError as problem:
            raise MemoError(f"the memo in {self.folder} cannot be used: {problem}") from None

    def _put_aside(self, reason: str) -> None:
        """Rename a damaged store, unless another process has just done so."""
        self.close()
        try:
            with FileLock(str(self.folder / "repair.lock"), timeout=_WAIT):
                if self._sound():
                    return
                for path in sorted(self.folder.glob("cache.db*")):
                    if not path.name.endswith(".damaged"):
                        path.replace(path.with_name(path.name + ".damaged"))
        except (OSError, Timeout) as problem:
            raise MemoError(f"the memo in {self.folder} is damaged and could not be put aside: {problem}") from None
        self._notes.append(f"the memo in {self.folder} was damaged ({reason}); it was put aside and starts empty")

    def _sound(self) -> bool:
        from dbt_schema_embed.embed.bytes_cache import foreign

        try:
            with self._reader() as connection:
                connection.execute("SELECT key, raw, mode, filename, value, expire_time FROM Cache LIMIT 1").fetchall()
                return foreign(connection) is None and connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
        except sqlite3.Error:
            return False


def _has_table(connection: sqlite3.Connection) -> bool:
    """Whether the store has been made: another process may be about to."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'Cache'").fetchone() is not None


class _DamagedError(Exception):
    """The store is not one we made."""
