"""diskcache held to text keys and raw bytes. Imported only where the memo is written: reading needs no diskcache.

diskcache pickles whatever is neither text nor bytes and unpickles what a stored row asks for (CVE-2025-69872); it also
deletes the file that a stored row names. This subclass does none of it, in any direction.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import diskcache
from diskcache.core import DEFAULT_SETTINGS, METADATA, MODE_RAW

from dbt_schema_embed.errors import MemoError

WAIT_SECONDS = 1.0
"""Longest wait for another process's transaction. Plain diskcache waits up to 60 s while opening."""

_TRANSACTION = 1000  # entries in one transaction: 50 ms, so that other processes wait little
_OBJECTS = {"Cache", "Settings", "Cache_key_raw", "Cache_expire_time", "Cache_store_time", "Cache_tag_rowid"}
_COUNTS = {
    "count_insert": ("INSERT", "count", "+ 1"),
    "count_delete": ("DELETE", "count", "- 1"),
    "size_insert": ("INSERT", "size", "+ NEW.size"),
    "size_update": ("UPDATE", "size", "+ NEW.size - OLD.size"),
    "size_delete": ("DELETE", "size", "- OLD.size"),
}
_TRIGGER = (
    "CREATE TRIGGER Settings_{} AFTER {} ON Cache FOR EACH ROW BEGIN "
    'UPDATE Settings SET value = value {} WHERE key = "{}"; END'
)
_TRIGGERS = {f"Settings_{name}": _TRIGGER.format(name, *(_COUNTS[name][i] for i in (0, 2, 1))) for name in _COUNTS}
"""What each trigger must say: one of a known name could do anything."""


class BytesDisk(diskcache.Disk):  # type: ignore[misc]
    """Keys are text, values are bytes, both stored raw within sqlite; anything else is a TypeError."""

    def put(self, key: Any) -> tuple[str, bool]:
        """The database form of ``key``."""
        if type(key) is not str:
            raise TypeError(f"a memo key is text, not {type(key).__name__}")
        return key, True

    def get(self, key: Any, raw: bool) -> str:
        """The key in a database row; one that asks for unpickling is refused."""
        if not raw or type(key) is not str:
            raise TypeError("the memo holds a key that is not plain text")
        return key

    def store(self, value: Any, read: bool, key: Any = None) -> tuple[int, int, None, sqlite3.Binary]:  # noqa: ARG002
        """The database form of ``value``."""
        if read or type(value) is not bytes:
            raise TypeError(f"a memo value is bytes, not {type(value).__name__}")
        return 0, MODE_RAW, None, sqlite3.Binary(value)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> bytes:
        """The value in a database row; one that asks for unpickling or for a file is refused."""
        if mode != MODE_RAW or filename is not None or read or type(value) is not bytes:
            raise TypeError("the memo holds a value that is not plain bytes")
        return value

    def remove(self, file_path: str) -> None:
        """Delete nothing: no value of ours lies in a file of its own."""


class BytesCache(diskcache.Cache):  # type: ignore[misc]
    """A diskcache that opens within `WAIT_SECONDS`, or raises sqlite3.OperationalError ("database is locked")."""

    def __init__(self, folder: Path, size_limit: int) -> None:
        self._give_up = time.monotonic() + WAIT_SECONDS
        # Every setting is given: those in the file are not believed. Culling is ours, once a chunk.
        settings = DEFAULT_SETTINGS | {"size_limit": size_limit, "cull_limit": 0}
        try:
            super().__init__(str(folder), timeout=WAIT_SECONDS, disk=BytesDisk, **settings)
        except BaseException:
            self.close()
            raise

    def write_all(self, items: Mapping[str, bytes], ttl: float | None) -> None:
        """Store ``items``; then remove expired entries and the oldest ones beyond the size limit.

        Raises:
            MemoError: the store stays locked, see `_exclusively`.
        """

        def store(some: list[tuple[str, bytes]]) -> None:
            for key, value in some:
                self.set(key, value, expire=ttl)

        pairs = list(items.items())
        with contextlib.closing(self):  # this thread's connection: the thread may end without saying so
            for at in range(0, len(pairs), _TRANSACTION):
                self._exclusively(partial(store, pairs[at : at + _TRANSACTION]))
            with contextlib.suppress(diskcache.Timeout):  # the next writer culls
                self.cull()

    def drop_all(self, keys: Sequence[str]) -> None:
        """Forget ``keys``; raises as `write_all` does."""

        def drop() -> None:
            for key in keys:
                self.delete(key)

        with contextlib.closing(self):
            self._exclusively(drop)

    def empty(self) -> None:
        """Forget everything and give the space back; raises as `write_all` does."""
        with contextlib.closing(self):
            # diskcache's clear() takes a transaction for each hundred rows
            self._exclusively(lambda: self._sql("DELETE FROM Cache"))

    def _exclusively(self, action: Callable[[], object]) -> None:
        """Do ``action`` in a transaction of its own, in turn with other processes.

        Raises:
            MemoError: nobody finished a transaction for `WAIT_SECONDS`, or others did so for thirty times as long.
        """
        for _ in range(30):
            before = self._version()
            try:
                with self.transact():
                    action()
                return
            except diskcache.Timeout:
                if self._version() == before:
                    break
        raise MemoError(f"the memo in {self.directory} is locked by another process")

    def _version(self) -> int:
        """Changes whenever another process commits: then the store is busy, not blocked."""
        with contextlib.suppress(sqlite3.OperationalError):  # another process is just making the store
            return int(self._sql("PRAGMA data_version").fetchone()[0])
        return 0

    @property
    def _sql_retry(self) -> Any:
        run = self._sql

        def bounded(*statement: Any) -> Any:
            before = self._version()
            while True:
                try:
                    return run(*statement)
                except sqlite3.OperationalError as problem:
                    if str(problem) != "database is locked":
                        raise
                    if (now := self._version()) != before:
                        before, self._give_up = now, time.monotonic() + WAIT_SECONDS
                    elif time.monotonic() > self._give_up:
                        raise
                    time.sleep(0.005)

        return bounded


def foreign(connection: sqlite3.Connection) -> str | None:
    """The first table, trigger or setting in the file that diskcache did not make, or None."""
    known = {("table", n) for n in _OBJECTS} | {("index", n) for n in _OBJECTS} | {("trigger", n) for n in _TRIGGERS}
    for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_master"):
        if kind == "trigger" and " ".join(str(sql).split()) != _TRIGGERS.get(name):
            return f"trigger {name}"
        if (kind, name) not in known and not (kind == "index" and str(name).startswith("sqlite_autoindex_")):
            return f"{kind} {name}"
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'Settings'").fetchone():
        for (key,) in connection.execute("SELECT key FROM Settings"):
            if key not in DEFAULT_SETTINGS and key not in METADATA:
                return f"setting {key}"
    return None
