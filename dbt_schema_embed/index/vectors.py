"""The index of one project: a vector for each distinct text, in one file, compared exactly. Disposable.

Arrays of the file (see parts.py): ``digests`` (n, 2) of the texts, ``vectors`` (n, width) float16 in the same order,
with reduced dimensions also ``basis`` (width, dim), and whatever else the caller wants to stand beside them.
"""

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.arrays import Array, DamagedError, Parts, block_rows, save
from dbt_schema_embed.errors import ConfigError, IndexMismatchError, printable

if TYPE_CHECKING:
    from dbt_schema_embed.index.chroma import Chroma
    from dbt_schema_embed.index.chroma_server import Shared

Matrix = NDArray[np.float32]
VectorsOf = Callable[[Sequence[str]], NDArray[Any]]
"""Texts in; their vectors out, (n, dim) in the order of the texts."""

FILE = "columns.index"
TOLERANCE = 0.002
"""How far a stored number may be from the one given: float16 moves it by 0.0005, another device by less."""

FITTED = 50_000
"""Vectors at most that reduced dimensions are fitted on."""

_FEW = 4
_CHUNK = 50_000  # vectors asked for at a time: 77 MB of them at 384 dimensions
_SPACE = 2**24  # similarities held at a time: 64 MB
_AGAIN = "run: dbt-schema-embed index"


class Index:
    """Nearest texts, in ``folder``, which need not exist yet; nothing is read before the first call.

    ``dimensions``: vectors are reduced to so many. ``approximate``: True asks a copy in Chroma, False compares with
    every vector, None does what is faster. ``shared``: the copy is on that server. ``notes`` says in a line each what
    went wrong and was mended or worked around. Threads may share an index: they wait for each other.
    """

    def __init__(
        self,
        folder: Path,
        *,
        encoder_id: str,
        dim: int,
        dimensions: int | None = None,
        approximate: bool | None = None,
        shared: "Shared | None" = None,
    ) -> None:
        if dim < 1 or (dimensions is not None and dimensions < 1):
            raise ValueError("dim and dimensions must be 1 or more")
        self.notes: list[str] = []
        self._path, self._dim, self._dimensions, self._width = folder / FILE, dim, dimensions, dimensions or dim
        self._identity = {"encoder_id": encoder_id, "dim": dim, "dimensions": dimensions}
        wanted = approximate or (shared and approximate is None)
        self._copy = _copy_in(folder, shared, self.notes, always=bool(approximate)) if wanted else None
        self._parts: Parts | None = None
        self._turn, self._reading = threading.RLock(), 0

    def update(
        self,
        texts: Sequence[str],
        vectors_of: VectorsOf,
        *,
        beside: Mapping[str, Array] | None = None,
        meta: Mapping[str, Any] | None = None,
        verify: bool = False,
        ahead: Callable[[Sequence[str]], None] | None = None,
    ) -> int:
        """Hold exactly ``texts``, distinct, in that order, and what is ``beside``; how many texts are new.

        Only new texts are asked of ``vectors_of``. An index that is damaged or another encoder's is built anew, with a
        note. ``verify``: ask for every text, and mend what differs. ``ahead`` is told all new ones before the first is
        asked for.

        Raises:
            WriteError: the disk is full or read-only; the old index stays.
            ConfigError: ``dimensions`` is more than there are texts.
            ValueError: ``vectors_of`` gave no (n, dim) finite numbers.
        """
        with self._turn:
            digests, nowhere = _digests(texts), np.full(len(texts), -1)
            old = self._usable()
            known = _places(old["digests"], digests) if old else nowhere
            if verify and old and (wrong := self._disagreeing(old, texts, known, vectors_of)):
                self.notes.append(f"the index held {wrong} vectors that are not the memo's: it is built anew")
                old, known = None, nowhere
            parts = {"digests": digests, **(beside or {})}
            if old is None or not _same(old, parts, meta or {}):
                if ahead and (new := np.flatnonzero(known < 0).tolist()):
                    ahead([texts[i] for i in new])
                basis = self._basis(old, texts, vectors_of)
                rows = self._rows(old, texts, known, vectors_of, basis)
                also = {} if basis is None else {"basis": basis}
                said = {"identity": self._identity, **(meta or {})}
                save(self._path, said, {"vectors": rows, **also, **parts})
            return int((known < 0).sum())

    def copied(self) -> None:
        """Bring Chroma's copy up to date, if there is to be one. Raises as `query`."""
        if self._copy:
            with self.read() as parts:
                self._copy.update(parts)

    def query(self, vectors: NDArray[Any], k: int) -> tuple[NDArray[np.int64], Matrix]:
        """For ``vectors`` (q, dim): rows of the ``min(k, texts)`` nearest, best first, ties by row; and their cosines.

        Raises:
            IndexMismatchError: the index was never built, is another encoder's, or is damaged: `update` mends it.
            ValueError: ``vectors`` is not (q, dim) finite numbers, or ``k`` is below 1.
        """
        if k < 1:
            raise ValueError(f"k is {k}: it must be 1 or more")
        with self.read() as parts:
            queries = self._queries(parts, vectors)
            k = min(k, parts.shape("vectors")[0])
            found = self._copy.query(parts, queries, k) if self._copy and k else None
            if found is None:
                return _exact(parts, queries, k)
            pairs = [_best(rows, _compared(parts, q, rows), k) for rows, q in zip(found, queries, strict=True)]
            return np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])

    def cosines(self, vector: NDArray[Any], rows: NDArray[np.int64]) -> Matrix:
        """The cosines of ``vector`` (dim,) and some rows. Raises as `query`."""
        with self.read() as parts:
            return _compared(parts, self._queries(parts, np.asarray(vector)[None])[0], rows)

    @contextlib.contextmanager
    def read(self, *, whole: bool = False) -> Iterator[Parts]:
        """The file, one and the same for all that is done in the block; ``whole``: every vector of it checked.

        Raises as `query`, also for what the block finds damaged.
        """
        where = self._path.parent
        with self._turn:
            self._reading += 1
            try:
                parts = self._opened()
                if whole:
                    parts.check()
                yield parts
            except FileNotFoundError:
                raise IndexMismatchError(f"there is no index in {where}", hint=_AGAIN) from None
            except (DamagedError, IndexError, UnicodeDecodeError) as problem:  # or a number in it points nowhere
                self.close()
                said = f"the index in {where} is damaged ({printable(problem)})"
                raise IndexMismatchError(said, hint=_AGAIN) from None
            finally:
                self._reading -= 1

    def close(self) -> None:
        """Let go of the file and of Chroma; the next call opens them again."""
        with self._turn:
            for opened in (self._copy, self._parts):
                if opened:
                    opened.close()
            self._parts = None

    def _opened(self) -> Parts:
        """The file as it stands, or as the outermost block that reads it has found it."""
        if self._parts is None or (self._reading == 1 and not self._parts.stands(self._path)):
            fresh = Parts(self._path)
            if self._parts:
                self._parts.close()
            self._parts = fresh
        if self._parts.meta.get("identity") != self._identity:
            said = f"the index in {self._path.parent} was made for another encoder"
            raise IndexMismatchError(said, hint=_AGAIN)
        self._fits(self._parts)
        return self._parts

    def _usable(self) -> Parts | None:
        """The file, if it can be built on; a note says why not."""
        try:
            with self.read(whole=True) as parts:
                return parts
        except IndexMismatchError as problem:
            if os.path.lexists(self._path):
                self.notes.append(f"{problem.message}: it is built anew")
            return None

    def _fits(self, parts: Parts) -> None:
        """Refuse arrays that contradict each other, or the encoder."""
        count, width = parts.shape("digests")[0], self._width
        shapes = {"digests": (count, 2), "vectors": (count, width)}
        if self._dimensions:
            shapes["basis"] = (width, self._dim)
        if {name: parts.shape(name) for name in shapes} != shapes:
            raise DamagedError("its tables contradict each other")

    def _basis(self, old: Parts | None, texts: Sequence[str], vectors_of: VectorsOf) -> Matrix | None:
        """The directions that reduced dimensions are along: those of the old index, else this project's own."""
        wanted, dim = self._dimensions, self._dim
        if wanted is None:
            return None
        if old:
            return self._basis_of(old)
        if wanted > min(len(texts), dim):
            most = min(len(texts), dim)
            raise ConfigError(
                f"dimensions is {wanted}: the project has {len(texts)} distinct texts of {dim} dimensions",
                hint=f"set dimensions to at most {most}, or leave it out",
            )
        some = texts[:: -(-len(texts) // FITTED)]
        rows = unit(np.asarray(vectors_of(some)), len(some), dim)
        # the right singular vectors of a tall matrix are the eigenvectors of this small one, weakest first; of the
        # vectors as they are, not of their difference from the mean: the cosine is an inner product
        return np.ascontiguousarray(
            np.linalg.eigh((rows.T @ rows).astype(np.float64))[1][:, : -wanted - 1 : -1].T, "<f4"
        )

    def _rows(
        self,
        old: Parts | None,
        texts: Sequence[str],
        known: NDArray[np.int64],
        vectors_of: VectorsOf,
        basis: Matrix | None,
    ) -> Iterator[NDArray[np.float16]]:
        """The vectors of ``texts``, in pieces: the old ones, and those asked for."""
        width = self._width
        whole = block_rows(2 * width)  # a piece of the file is whole blocks
        step = max(1, _CHUNK // whole) * whole
        for start in range(0, max(1, len(texts)), step):
            places = known[start : start + step]
            rows = np.zeros((len(places), width), "<f2")
            if old and (places >= 0).any():
                rows[places >= 0] = old.rows("vectors", places[places >= 0])
            if missing := (np.flatnonzero(places < 0) + start).tolist():
                rows[places < 0] = self._asked(texts, missing, vectors_of, basis)
            yield rows

    def _asked(
        self, texts: Sequence[str], numbers: Iterable[int], vectors_of: VectorsOf, basis: Matrix | None
    ) -> Matrix:
        """The vectors of some of ``texts``, as they are stored."""
        some = [texts[i] for i in numbers]
        return unit(np.asarray(vectors_of(some)), len(some), self._dim, basis)

    def _disagreeing(self, old: Parts, texts: Sequence[str], known: NDArray[np.int64], vectors_of: VectorsOf) -> int:
        """How many texts have another vector in the file than ``vectors_of`` gives now."""
        count = 0
        numbers = np.flatnonzero(known >= 0)
        for part in (numbers[i : i + _CHUNK] for i in range(0, len(numbers), _CHUNK)):
            expected = self._asked(texts, part, vectors_of, self._basis_of(old))
            stored = old.rows("vectors", known[part]).astype(np.float32)
            count += int((~(np.abs(expected - stored).max(axis=1, initial=0) <= TOLERANCE)).sum())
        return count

    def _queries(self, parts: Parts, vectors: NDArray[Any]) -> Matrix:
        return unit(np.asarray(vectors), len(vectors), self._dim, self._basis_of(parts))

    def _basis_of(self, parts: Parts) -> Matrix | None:
        return parts["basis"] if self._dimensions else None


def _copy_in(folder: Path, shared: "Shared | None", notes: list[str], *, always: bool) -> "Chroma":
    from dbt_schema_embed.index.chroma import Chroma

    return Chroma(folder, shared, notes, always=always)


def _compared(parts: Parts, query: Matrix, rows: NDArray[np.int64]) -> Matrix:
    """The cosines of one query and some rows."""
    pieces = (rows[start : start + _CHUNK] for start in range(0, max(1, len(rows)), _CHUNK))
    return _cosines(np.concatenate([parts.rows("vectors", piece).astype(np.float32) @ query for piece in pieces]))


def _exact(parts: Parts, queries: Matrix, k: int) -> tuple[NDArray[np.int64], Matrix]:
    """The oracle: every vector compared with every query."""
    count = parts.shape("vectors")[0]
    rows, cosines = np.empty((len(queries), k), np.int64), np.empty((len(queries), k), np.float32)
    step = max(1, _SPACE // max(1, count))
    for first in range(0, len(queries) if k else 0, step):
        some = queries[first : first + step]
        similar = np.empty((len(some), count), np.float32)
        for start, halves in parts.blocks("vectors"):
            similar[:, start : start + len(halves)] = _products(some, upcast(halves))
        for number, values in enumerate(_cosines(similar), first):
            near = largest(values, k)
            rows[number], cosines[number] = _best(near, values[near], k)
    return rows, cosines


def _products(queries: Matrix, rows: Matrix) -> Matrix:
    """(q, n). For few queries a library's threads cost more than they bring, tenfold on a busy machine."""
    if len(queries) > _FEW:
        return queries @ rows.T
    return np.stack([np.einsum("ij,j->i", rows, query) for query in queries])


def largest(values: NDArray[Any], k: int) -> NDArray[np.int64]:
    """Where the ``k`` largest stand, in no order; of equal ones the first."""
    if k >= len(values):
        return np.arange(len(values))
    floor = np.partition(values, len(values) - k)[len(values) - k]
    above = np.flatnonzero(values > floor)
    return np.concatenate([above, np.flatnonzero(values == floor)[: k - len(above)]])


def _best(rows: NDArray[np.int64], cosines: Matrix, k: int) -> tuple[NDArray[np.int64], Matrix]:
    order = np.lexsort((rows, -cosines))[:k]
    return rows[order], cosines[order]


def _cosines(similar: Matrix) -> Matrix:
    """Cosines from inner products; rounded, for the order of additions moves the last bits.

    Raises:
        DamagedError: some are no numbers.
    """
    if not (np.abs(similar) <= 1 + TOLERANCE).all():  # False for NaN
        raise DamagedError("its vectors are not all numbers")
    return np.clip(similar, -1, 1).round(6)


def upcast(halves: NDArray[np.float16]) -> Matrix:
    """``halves`` as float32; exact for every finite value, and several times faster than astype.

    The bits of a float16 are those of a float32 two to the 112 times smaller, 13 places lower.
    """
    wide: NDArray[np.int32] = np.left_shift(halves.view("<i2"), 13, dtype="i4", casting="unsafe")
    wide &= np.int32(0x8FFFFFFF - 2**32)
    floats: Matrix = wide.view("<f4")
    floats *= np.float32(2.0**112)
    return floats


def unit(vectors: NDArray[Any], count: int, dim: int, basis: Matrix | None = None) -> Matrix:
    """``vectors``, along the directions of ``basis`` if given, as float32 rows of length 1; one of zeros stays so.

    Raises:
        ValueError: they are not (count, dim) finite numbers.
    """
    if vectors.shape != (count, dim):
        raise ValueError(f"vectors of shape {vectors.shape} were given, not {(count, dim)}")
    rows: Matrix = vectors.astype(np.float32)
    if not np.isfinite(rows).all():
        raise ValueError("a vector holds NaN or infinity")
    rows = _normed(rows)
    return rows if basis is None else _normed(rows @ basis.T)


def _normed(rows: Matrix) -> Matrix:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    np.divide(rows, lengths, out=rows, where=lengths > 0)
    return rows


def _digests(texts: Sequence[str]) -> NDArray[np.uint64]:
    joined = b"".join(hashlib.blake2b(t.encode("utf-8", "surrogatepass"), digest_size=16).digest() for t in texts)
    return np.frombuffer(joined, "<u8").reshape(-1, 2)


def _places(old: NDArray[np.uint64], digests: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Where each of ``digests`` stands in ``old``; -1: nowhere."""
    if not len(old):
        return np.full(len(digests), -1)
    order = np.lexsort((old[:, 1], old[:, 0]))
    at = np.minimum(np.searchsorted(old[order, 0], digests[:, 0]), len(old) - 1)
    # two texts with equal first halves: the second of them is taken for new
    return np.where((old[order[at]] == digests).all(axis=1), order[at], -1)


def _same(old: Parts, parts: Mapping[str, Array], meta: Mapping[str, Any]) -> bool:
    """Whether the file holds just that already."""
    if {name: old.meta.get(name) for name in meta} != dict(meta):
        return False
    return all(old.shape(name) == part.shape and np.array_equal(old[name], part) for name, part in parts.items())
