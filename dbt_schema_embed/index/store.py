"""One generation of the index on disk: written once, checked whole when opened, never changed.

vectors.f16   (rows, width) little-endian float16, each distinct vector once
starts.i64    (rows + 1): the items of row r are starts[r] to starts[r + 1]
digests.b16   (items): 16 bytes that tell one text from another
offsets.i64   (items + 1): where each id begins in ids.utf8
ids.utf8      the ids, those of one row sorted
basis.f32     (width, dim), only with reduced dimensions: what vectors and queries are projected by
chroma/       only when Chroma serves: the same rows, named by their number
manifest.json counts, encoder, and size and CRC-32 of each file above
"""

import mmap
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

FORMAT = 1
CACHED_BYTES = 256 * 2**20
"""A matrix up to this size as float32 is kept in memory; a larger one is read from the map, block by block."""

BLOCK_ROWS = 4096
_PIECE = 2**22
_NAME = re.compile(r"[\w-]+(\.[\w-]+)*(/[\w-]+(\.[\w-]+)*)*", re.ASCII)

Matrix = NDArray[np.float32]
Halves = NDArray[np.float16]


class DamagedError(Exception):
    """A generation that is not what was written. The message says what is wrong, in a few words."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What vectors must share to be compared."""

    encoder_id: str
    dim: int  # of the encoder's vectors
    text_version: int
    dimensions: int | None = None  # of the stored vectors; None: dim

    @property
    def width(self) -> int:
        """Numbers stored for one vector."""
        return self.dimensions or self.dim


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation says of itself."""

    identity: Identity
    rows: int
    items: int
    fitted_rows: int = 0  # rows the basis was fitted on; 0: no basis
    recall_loss: float | None = None  # of the basis: 1 - recall@10 against the full vectors
    files: dict[str, tuple[int, int]] = field(default_factory=dict)  # name -> size in bytes, CRC-32
    without_chroma: str = ""  # why Chroma was wanted and does not serve; it is not tried again on the same rows
    format: int = FORMAT

    def with_files(self, files: dict[str, tuple[int, int]], without_chroma: str = "") -> "Manifest":
        """The same with more files."""
        return replace(self, files=self.files | files, without_chroma=without_chroma)

    def to_json(self) -> bytes:
        """The bytes of manifest.json."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, content: bytes) -> "Manifest":
        """The manifest in ``content``.

        Raises:
            DamagedError: it is none, or one of another format.
        """
        try:
            manifest = msgspec.json.decode(content, type=cls)
        except (msgspec.DecodeError, RecursionError, ValueError):
            raise DamagedError("manifest.json is unreadable") from None
        if manifest.format != FORMAT:
            raise DamagedError(f"its format is {manifest.format}, not {FORMAT}")
        if not all(_NAME.fullmatch(name) for name in manifest.files):
            raise DamagedError("manifest.json names files outside its folder")
        if min(manifest.rows, manifest.items) < 0:
            raise DamagedError("manifest.json counts below zero")
        return manifest


def checksum(path: Path) -> tuple[int, int]:
    """Size in bytes and CRC-32 of a file, read piece by piece."""
    size = crc = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            crc = zlib.crc32(piece, crc)
            size += len(piece)
    return size, crc


def upcast(halves: Halves, out: Matrix) -> Matrix:
    """``halves`` as float32, written into ``out``; exact for every finite value, and seven times faster than astype.

    The bits of a float16 are those of a float32 two to the 112 times smaller, 13 places lower.
    """
    np.left_shift(halves.view("<i2"), 13, out=out.view("<i4"), casting="unsafe", dtype="i4")
    out.view("<u4")[...] &= np.uint32(0x8FFFFFFF)
    out *= np.float32(2.0**112)
    return out


class Store:
    """An open generation. Arrays are read-only maps of its files.

    Raises:
        DamagedError: a file is missing or is not what the manifest says.
    """

    def __init__(self, folder: Path, manifest_content: bytes) -> None:
        self.folder = folder
        self.manifest = Manifest.from_json(manifest_content)
        self.width = self.manifest.identity.width
        self._maps: list[mmap.mmap] = []
        rows, items = self.manifest.rows, self.manifest.items
        self._halves: Halves = self._map("vectors.f16", "<f2", rows * self.width).reshape(rows, self.width)
        self.starts: NDArray[np.int64] = self._map("starts.i64", "<i8", rows + 1)
        self.digests: NDArray[np.void] = self._map("digests.b16", "V16", items)
        self._offsets: NDArray[np.int64] = self._map("offsets.i64", "<i8", items + 1)
        text_size = self.manifest.files.get("ids.utf8", (0, 0))[0]
        self._text = self._map("ids.utf8", "u1", text_size).data
        self.basis: Matrix | None = None
        if self.manifest.identity.dimensions:
            dim = self.manifest.identity.dim
            self.basis = self._map("basis.f32", "<f4", self.width * dim).reshape(self.width, dim)
        self._check_tables(text_size)
        self._cache: Matrix | None = None
        self.live: NDArray[np.bool_] | None = None if (counts := np.diff(self.starts)).all() else counts > 0

    def _map(self, name: str, dtype: str, count: int) -> NDArray[Any]:
        path = self.folder / name
        expected = self.manifest.files.get(name)
        size = count * np.dtype(dtype).itemsize
        try:
            with path.open("rb") as file:
                actual = os.fstat(file.fileno()).st_size
                if expected is None or actual != size or actual != expected[0]:
                    raise DamagedError(f"{name} has {actual} bytes, not {size}")
                if not size:  # an empty file cannot be mapped
                    return np.empty(0, dtype)
                mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as problem:  # ValueError: cut shorter meanwhile
            raise DamagedError(f"{name}: {getattr(problem, 'strerror', None) or problem}") from None
        self._maps.append(mapped)
        crc = 0
        for start in range(0, size, _PIECE):
            crc = zlib.crc32(memoryview(mapped)[start : start + _PIECE], crc)
            self._forget(mapped, start, _PIECE)
        if crc != expected[1]:
            raise DamagedError(f"{name} is not what was written")
        return np.frombuffer(mapped, dtype)

    def _check_tables(self, text_size: int) -> None:
        """Offsets that a matching checksum cannot vouch for: a manifest made by somebody else."""
        for table, end in ((self.starts, self.manifest.items), (self._offsets, text_size)):
            if table[0] != 0 or table[-1] != end or (np.diff(table) < 0).any():
                raise DamagedError("its tables contradict each other")

    @staticmethod
    def _forget(mapped: mmap.mmap, start: int, length: int) -> None:
        """Let the pages go from this process's memory; the system's cache still has them."""
        if hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED, start, min(length, len(mapped) - start))

    def blocks(self) -> Iterator[tuple[int, Matrix]]:
        """The matrix as float32, as (number of the first row, rows). A block is overwritten by the next one."""
        rows = self.manifest.rows
        if self._cache is None and rows * self.width * 4 <= CACHED_BYTES:
            self._cache = np.empty((rows, self.width), np.float32)
            for start in range(0, rows, BLOCK_ROWS):
                upcast(self._halves[start : start + BLOCK_ROWS], self._cache[start : start + BLOCK_ROWS])
        if self._cache is not None:
            yield 0, self._cache
            return
        space = np.empty((BLOCK_ROWS, self.width), np.float32)
        for start in range(0, rows, BLOCK_ROWS):
            halves = self._halves[start : start + BLOCK_ROWS]
            yield start, upcast(halves, space[: len(halves)])
            # whole pages only: 4,096 rows of float16 are a multiple of 8 kB whatever the width
            self._forget(self._maps[0], start * self.width * 2, BLOCK_ROWS * self.width * 2)

    def halves(self, rows: NDArray[np.int64]) -> Halves:
        """``rows`` as stored."""
        return self._halves[rows]

    def take(self, rows: NDArray[np.int64]) -> Matrix:
        """The vectors of ``rows`` (any shape), with a last axis of ``width``."""
        if self._cache is not None:
            return self._cache[rows]
        picked = np.ascontiguousarray(self._halves[rows])
        return upcast(picked, np.empty(picked.shape, np.float32))

    def id(self, item: int) -> str:
        """The id of an item.

        Raises:
            DamagedError: it is no text.
        """
        start, stop = int(self._offsets[item]), int(self._offsets[item + 1])
        try:
            return bytes(self._text[start:stop]).decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise DamagedError("ids.utf8 is not text") from None

    def ids_of(self, row: int, limit: int) -> list[str]:
        """The ids of a row in order, at most ``limit``."""
        start = int(self.starts[row])
        return [self.id(item) for item in range(start, min(int(self.starts[row + 1]), start + limit))]

    def items(self) -> Iterator[tuple[str, bytes, int]]:
        """Every item as (id, digest, row)."""
        rows = np.repeat(np.arange(self.manifest.rows), np.diff(self.starts))
        for item in range(self.manifest.items):
            yield self.id(item), self.digests[item].tobytes(), int(rows[item])
