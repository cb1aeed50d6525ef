"""Named arrays in one file, which is replaced whole, mapped into memory or read by parts, and never believed unchecked.

    8 bytes of `_MAGIC`, the arrays one after the other, a directory in JSON, and 16 bytes: the directory's place, size
    and CRC-32. The directory has the place, type, shape of each array, and a CRC-32 for each `block_rows` of its rows.

No lock is needed: every writer writes all there is, and a reader holds the old file or the new one.
"""

import hashlib
import mmap
import os
import stat
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.errors import WriteError
from dbt_schema_embed.files import replacing

Array = NDArray[Any]

_MAGIC = b"DSEparts"
_FOOT = struct.Struct("<QII")
_TYPES = ("<f2", "<f4", "<i4", "<i8", "<u8", "|u1")
_BLOCK = 2**20  # bytes that are checked at a time: they stay in the processor's cache


class DamagedError(Exception):
    """A file that is not what was written. The message says what is wrong, in a few words."""


class _Part(msgspec.Struct, frozen=True):
    offset: int
    dtype: str
    shape: tuple[int, ...]
    crcs: list[int]

    @property
    def row_bytes(self) -> int:
        return int(np.prod(self.shape[1:], dtype=np.int64)) * np.dtype(self.dtype).itemsize


class _Directory(msgspec.Struct, frozen=True):
    meta: dict[str, Any]
    parts: dict[str, _Part]


def block_rows(row_bytes: int) -> int:
    """How many rows of an array share a checksum."""
    return max(1, _BLOCK // max(1, row_bytes))


def _opener(path: str, flags: int) -> int:
    """Follow no link, and wait for no pipe."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


class Parts:
    """An open file. Close it after use: arrays of it must not be used any more then.

    Raises:
        FileNotFoundError: there is none.
        DamagedError: it is no file of ours, or not what was written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = open(path, "rb", buffering=0, opener=_opener)  # noqa: SIM115  Path.open has no opener
        except FileNotFoundError:
            raise
        except OSError as problem:  # a link, a folder, nobody may read it
            raise DamagedError(problem.strerror or str(problem)) from None
        try:
            if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
                raise DamagedError("it is no regular file")
            self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
            directory, self.id = _directory(self._map)
        except BaseException as problem:
            self._file.close()
            if isinstance(problem, OSError | ValueError | RecursionError | struct.error):  # also an empty file
                raise DamagedError(str(problem)[:100]) from None
            raise
        self.meta, self._parts = directory.meta, directory.parts
        self._whole = {name: [False] * len(part.crcs) for name, part in self._parts.items()}

    def stands(self, path: Path) -> bool:
        """Whether ``path`` is this file still."""
        try:
            now, then = path.lstat(), os.fstat(self._file.fileno())
        except OSError:
            return False
        return os.path.samestat(now, then) and now.st_mtime_ns == then.st_mtime_ns

    def names(self) -> list[str]:
        """The names of the arrays."""
        return list(self._parts)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an array; (0,) where there is none of that name."""
        return self._parts[name].shape if name in self._parts else (0,)

    def check(self) -> None:
        """Read all of it.

        Raises:
            DamagedError: something is not what was written.
        """
        for name in self._parts:
            for _ in self.blocks(name):
                pass

    def __getitem__(self, name: str) -> Array:
        """The array, checked and read-only."""
        for number in range(len(self._whole.get(name, ()))):
            self._checked(name, number, None)
        return self._array(name)

    def rows(self, name: str, wanted: NDArray[np.int64]) -> Array:
        """Some rows of an array, in the order ``wanted``; only what they stand in is checked."""
        step = block_rows(self._parts[name].row_bytes)
        if len(wanted) and not 0 <= int(wanted.min()) <= int(wanted.max()) < self.shape(name)[0]:
            raise DamagedError(f"{name} has no such row")
        for number in np.flatnonzero(np.bincount(wanted // step)).tolist():
            self._checked(name, number, None)
        picked = self._array(name)[wanted]
        if len(wanted) > step and hasattr(mmap, "MADV_DONTNEED"):  # the system's cache still has the pages
            self._map.madvise(mmap.MADV_DONTNEED)
        return picked

    def blocks(self, name: str) -> Iterator[tuple[int, Array]]:
        """The array in pieces, as (number of the first row, rows), read rather than mapped: memory stays small.

        A piece is overwritten by the next one.
        """
        part = self._parts[name]
        step = block_rows(part.row_bytes)
        space = memoryview(bytearray(step * part.row_bytes))
        for number, start in enumerate(range(0, part.shape[0], step)):
            count = min(step, part.shape[0] - start)
            piece = space[: count * part.row_bytes]
            self._file.seek(part.offset + start * part.row_bytes)
            if self._file.readinto(piece) != len(piece):
                raise DamagedError(f"{name} is cut off")
            self._checked(name, number, piece)
            yield start, np.frombuffer(piece, part.dtype).reshape(count, *part.shape[1:])

    def close(self) -> None:
        """Let the file go. Maps that are still in use go with their arrays."""
        self._file.close()

    def _array(self, name: str) -> Array:
        part = self._parts.get(name)
        if part is None:
            raise DamagedError(f"it has no {name}")
        count = int(np.prod(part.shape, dtype=np.int64))
        return np.frombuffer(self._map, part.dtype, count, part.offset).reshape(part.shape)

    def _checked(self, name: str, number: int, piece: memoryview | None) -> None:
        if self._whole[name][number]:
            return
        part = self._parts[name]
        size = block_rows(part.row_bytes) * part.row_bytes
        start, end = part.offset + number * size, part.offset + part.shape[0] * part.row_bytes
        found = zlib.crc32(memoryview(self._map)[start : min(start + size, end)] if piece is None else piece)
        if found != part.crcs[number]:
            raise DamagedError(f"{name} is not what was written")
        self._whole[name][number] = True


def _directory(content: mmap.mmap) -> tuple[_Directory, str]:
    """The directory and what tells this file from others. Everything it says of places lies within the file."""
    end = len(content) - _FOOT.size
    offset, size, crc = _FOOT.unpack_from(content, end)
    text = content[offset : offset + size] if offset + size == end else b""
    if content[:8] != _MAGIC or not text or zlib.crc32(text) != crc:
        raise DamagedError("it is cut off or overwritten")
    found = msgspec.json.decode(text, type=_Directory)
    for name, part in found.parts.items():
        fits = (
            part.dtype in _TYPES and 1 <= len(part.shape) <= 2 and min(part.shape) >= 0 and part.offset >= len(_MAGIC)
        )
        if not fits or part.offset + part.shape[0] * part.row_bytes > offset or max(part.shape) > len(content):
            raise DamagedError(f"its directory is wrong about {name}")
        if len(part.crcs) != -(-part.shape[0] // block_rows(part.row_bytes)):
            raise DamagedError(f"its directory is wrong about {name}")
    return found, hashlib.blake2b(text, digest_size=8).hexdigest()


def save(path: Path, meta: Mapping[str, Any], parts: Mapping[str, Array | Iterable[Array]]) -> str:
    """Write a file and give its `Parts.id`. A part may come in pieces, each of whole `block_rows` but the last one.

    Raises:
        WriteError: the disk is full or read-only; a link stands where our folder should. The old file stays.
    """
    try:
        for folder in (path.parent.parent, path.parent):
            if folder.is_symlink():
                raise WriteError(f"{folder} is a link: nothing is written there", hint="remove it")
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(_MAGIC)
            written = {name: _written(file, part) for name, part in parts.items()}
            text = msgspec.json.encode(_Directory(dict(meta), written))
            foot = _FOOT.pack(file.tell(), len(text), zlib.crc32(text))
            file.write(text + foot)
    except OSError as problem:
        raise WriteError(f"{path} could not be written: {problem.strerror or problem}") from None
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def _written(file: Any, part: Array | Iterable[Array]) -> _Part:
    file.write(b"\0" * (-file.tell() % 64))
    offset, count, crcs = file.tell(), 0, []
    first: Array | None = None
    for piece in [part] if isinstance(part, np.ndarray) else part:
        first = piece[:0] if first is None else first
        step = block_rows(piece[:1].nbytes if len(piece) else 1)
        for start in range(0, len(piece), step):
            block = np.ascontiguousarray(piece[start : start + step]).data.cast("B")
            crcs.append(zlib.crc32(block))
            file.write(block)
        count += len(piece)
    kind = np.empty(0, np.uint8) if first is None else first
    return _Part(offset, kind.dtype.str, (count, *kind.shape[1:]), crcs)


class Texts:
    """Texts in two arrays of a file: where each begins, and their bytes.

    Raises:
        DamagedError: no array says where texts begin.
    """

    def __init__(self, parts: Parts, name: str) -> None:
        self._starts, self._bytes = parts[f"{name}_starts"], parts[f"{name}_bytes"]
        if self._starts.ndim != 1 or not len(self._starts):
            raise DamagedError("its tables contradict each other")

    @staticmethod
    def arrays(name: str, texts: Iterable[str]) -> dict[str, Array]:
        """The two arrays."""
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        starts = np.zeros(len(encoded) + 1, "<i8")
        np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=starts[1:])
        return {f"{name}_starts": starts, f"{name}_bytes": np.frombuffer(b"".join(encoded), "u1")}

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> str:
        """A text; raises IndexError where there is none."""
        if not 0 <= number < len(self):
            raise IndexError(f"there is no text {number:,}")
        start, stop = self._starts[number : number + 2].tolist()
        return bytes(self._bytes[start:stop]).decode("utf-8", "surrogatepass")

    def all(self) -> list[str]:
        """Every text."""
        content, starts = bytes(self._bytes), self._starts.tolist()
        return [content[a:b].decode("utf-8", "surrogatepass") for a, b in pairwise(starts)]
