"""Look after the memo on disk: count it, empty it, carry it to another machine as one file.

    "DSEmemo1"   entries: key length uint8, value length uint32, key, value   end mark 0   SHA-256 of all before it

Numbers are little-endian, keys are ASCII. The file is not compressed: vectors hardly shrink, and nothing can then
unfold in memory.
"""

import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from dbt_schema_embed.embed.disk_store import FILE, SIZE_LIMIT, DiskStore
from dbt_schema_embed.errors import MemoError, WriteError
from dbt_schema_embed.files import replacing

FOLDER = "memo"
"""The memo's folder within the cache folder."""

_MAGIC = b"DSEmemo1"
_ENTRY = struct.Struct("<BI")
_LONGEST_VALUE = 16 + 4 * 65536  # header and 65,536 float32
_TOGETHER = 1000
_BLOCK = 2**20


def memo_stats(cache_dir: Path) -> dict[str, Any]:
    """What the memo in ``cache_dir`` holds: "path", "entries", "bytes" on disk, "size_limit" in bytes, "notes".

    Raises:
        MemoError: it cannot be read.
    """
    notes: list[str] = []
    store = DiskStore(cache_dir / FOLDER, notes=notes)
    entries = store.count()
    size = sum(path.stat().st_size for path in store.folder.glob(f"{FILE}*") if path.is_file())
    return {"path": str(store.folder), "entries": entries, "bytes": size, "size_limit": SIZE_LIMIT, "notes": notes}


def memo_clear(cache_dir: Path) -> int:
    """Empty the memo and say how many entries went.

    Raises:
        MemoError: another process keeps it locked.
    """
    store = DiskStore(cache_dir / FOLDER)
    entries = store.count()
    store.clear()
    return entries


def export_memo(cache_dir: Path, path: Path) -> int:
    """Write every entry of the memo to the file ``path``, whole or not at all; say how many.

    Raises:
        MemoError: the memo cannot be read.
        WriteError: the file cannot be written; an older one is untouched.
    """
    store = DiskStore(cache_dir / FOLDER)
    try:
        with replacing(path) as stream:
            return _write(store, stream)
    except OSError as problem:
        raise WriteError(f"{path} could not be written: {problem.strerror or problem}") from None


def import_memo(cache_dir: Path, path: Path, *, ttl: float | None = None) -> int:
    """Add the entries of a file that `export_memo` wrote; say how many. ``ttl``: seconds they live from now.

    The file's checksum is verified before the first entry is taken. Each vector is checked again when it is read.

    Raises:
        MemoError: the file is missing, damaged or not such a file, or the memo cannot be written.
    """
    store = DiskStore(cache_dir / FOLDER, ttl=ttl)
    entries = 0
    try:
        with path.open("rb") as stream:
            _verify(stream, path)
            stream.seek(len(_MAGIC))
            items: dict[str, bytes] = {}
            for key, value in _entries(stream, path):
                items[key] = value
                entries += 1
                if len(items) == _TOGETHER:
                    store.write(items)
                    items = {}
            if items:
                store.write(items)
    except OSError as problem:
        raise MemoError(f"{path} cannot be read: {problem.strerror or problem}") from None
    return entries


def _write(store: DiskStore, stream: IO[bytes]) -> int:
    digest = hashlib.sha256()
    entries = 0

    def put(data: bytes) -> None:
        digest.update(data)
        stream.write(data)

    put(_MAGIC)
    for page in store.pages(_TOGETHER):
        for key, value in page:
            name = key.encode()
            if 0 < len(name) < 256 and len(value) <= _LONGEST_VALUE:  # else it is not ours
                put(_ENTRY.pack(len(name), len(value)) + name + value)
                entries += 1
    put(b"\0")
    stream.write(digest.digest())
    return entries


def _verify(stream: IO[bytes], path: Path) -> None:
    """Read the whole file and compare its checksum."""
    size = os.fstat(stream.fileno()).st_size
    if stream.read(len(_MAGIC)) != _MAGIC:
        raise MemoError(f"{path} is not an exported memo")
    digest = hashlib.sha256(_MAGIC)
    left = size - len(_MAGIC) - digest.digest_size
    while left > 0:
        block = stream.read(min(left, _BLOCK))
        if not block:
            break
        digest.update(block)
        left -= len(block)
    if left != 0 or stream.read() != digest.digest():
        raise MemoError(f"{path} is damaged: its checksum is wrong", hint="export the memo again")


def _entries(stream: IO[bytes], path: Path) -> Iterator[tuple[str, bytes]]:
    """The entries up to the end mark. A right checksum does not make a right file: anybody can write one."""
    while (first := stream.read(1)) != b"\0":
        head = first + stream.read(_ENTRY.size - 1)
        key_length, value_length = _ENTRY.unpack(head) if len(head) == _ENTRY.size else (0, 0)
        key = stream.read(key_length)
        value = stream.read(value_length) if value_length <= _LONGEST_VALUE else b""
        if not key_length or len(key) != key_length or len(value) != value_length or not key.isascii():
            raise MemoError(f"{path} is damaged: it holds something that is no entry")
        yield key.decode("ascii"), value
