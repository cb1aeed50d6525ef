"""What has to change, and the making of the next generation from the old one and the vectors that are new."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.index import basis
from dbt_schema_embed.index.generations import write_file
from dbt_schema_embed.index.store import Halves, Identity, Manifest, Matrix, Store

VectorsOf = Callable[[Sequence[str]], NDArray[Any]]
"""Ids in; their vectors out, (n, dim) in the order of the ids."""

CHUNK = 50_000
"""Vectors asked for at a time: 77 MB of them at 384 dimensions."""

STALE = 0.2
"""Share of rows without items above which rows are renumbered, and with them the Chroma index built afresh."""

TOLERANCE = 0.002
"""How far a stored number may be from the one given: float16 moves it by 0.0005, another device by less."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What an update did, in items. ``recall_loss`` is that of reduced dimensions: 1 - recall@10 against full ones."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    kept: int = 0
    recall_loss: float | None = None

    @property
    def written(self) -> bool:
        """Whether there was anything to write."""
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the vector of each item comes from."""

    changes: Changes
    digests: dict[str, bytes]  # id -> digest of its text
    rows: dict[bytes, int]  # digest -> row of the old generation, for those wanted
    missing: dict[bytes, str]  # digest -> one id with it, for those with no vector yet


def plan(items: Mapping[str, str], old: Store | None) -> Plan:
    """Compare ``items`` (id -> digest of its text) with the old generation."""
    digests = {item: hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
               for item, text in items.items()}  # fmt: skip
    wanted = set(digests.values())
    rows: dict[bytes, int] = {}
    kept = changed = removed = 0
    for item, digest, row in old.items() if old else ():
        if digest in wanted:
            rows[digest] = row
        now = digests.get(item)
        kept += now == digest
        changed += now is not None and now != digest
        removed += now is None
    missing: dict[bytes, str] = {}
    for item in sorted(digests):
        if digests[item] not in rows:
            missing.setdefault(digests[item], item)
    added = len(digests) - kept - changed
    loss = old.manifest.recall_loss if old else None
    return Plan(Changes(added, changed, removed, kept, loss), digests, rows, missing)


class Draft:
    """The rows of a generation being written: each distinct vector gets one."""

    def __init__(self, plan: Plan, old: Store | None, *, keep_rows: bool) -> None:
        self.count = 0
        self.rows: dict[bytes, int] = {}  # digest -> row
        self._plan, self._old, self._keep_rows = plan, old, keep_rows
        self._seen: dict[bytes, int] = {}

    def pieces(self, vectors_of: VectorsOf, dim: int) -> Iterator[bytes]:
        """The bytes of all rows: those of the old generation that are used (or all of them), then the new ones."""
        if self._old:
            wanted = np.fromiter(self._plan.rows.values(), np.int64, len(self._plan.rows))
            used = np.arange(self._old.manifest.rows) if self._keep_rows else np.unique(wanted)
            for start in range(0, len(used), CHUNK):
                halves = self._old.halves(used[start : start + CHUNK])
                for row in halves:  # reduced, two of them may be the same: each keeps its place all the same
                    self._seen.setdefault(_key(row), self.count)
                    self.count += 1
                yield halves.tobytes()
            self.rows.update(zip(self._plan.rows, np.searchsorted(used, wanted).tolist(), strict=True))
        missing = iter(self._plan.missing.items())
        while chunk := list(islice(missing, CHUNK)):
            vectors = unit(np.asarray(vectors_of([item for _, item in chunk])), len(chunk), dim)
            if self._old and self._old.basis is not None:
                vectors = basis.project(vectors, self._old.basis)
            halves = vectors.astype("<f2")
            before = self.count
            places = self._place(halves)
            self.rows.update(zip((digest for digest, _ in chunk), places, strict=True))
            first = np.unique(places, return_index=True)[1]
            yield halves[first[np.array(places)[first] >= before]].tobytes()

    def _place(self, halves: Halves) -> list[int]:
        """The row of each vector, a new one for those not seen yet."""
        places = []
        for row in halves:
            place = self._seen.setdefault(_key(row), self.count)
            self.count += place == self.count
            places.append(place)
        return places


def _key(row: Halves) -> bytes:
    return hashlib.blake2b(row.tobytes(), digest_size=16).digest()


def write(
    folder: Path, identity: Identity, plan: Plan, old: Store | None, vectors_of: VectorsOf, *, keep_rows: bool
) -> Manifest:
    """Write the files of the next generation into ``folder`` and describe them.

    ``keep_rows``: every row of the old generation stays where it is, so that a Chroma index over them stays true.
    """
    draft = Draft(plan, old, keep_rows=keep_rows)
    pieces = draft.pieces(vectors_of, identity.dim)
    files: dict[str, tuple[int, int]] = {}
    fitted, loss = (old.manifest.fitted_rows, old.manifest.recall_loss) if old else (0, None)
    if identity.dimensions and not old:
        write_file(folder / basis.FULL, pieces)
        fitted, loss = basis.reduce(folder, draft.count, identity, files)
    else:
        files["vectors.f16"] = write_file(folder / "vectors.f16", pieces)
        if old and old.basis is not None:
            files["basis.f32"] = write_file(folder / "basis.f32", [old.basis.tobytes()])
    _write_tables(folder, plan, draft.rows, draft.count, files)
    return Manifest(identity, draft.count, len(plan.digests), fitted, loss, files)


def disagreeing(plan: Plan, old: Store, vectors_of: VectorsOf) -> int:
    """How many texts have another vector in the old generation than ``vectors_of`` gives now."""
    item_of = {digest: item for item, digest in plan.digests.items()}
    known = iter(plan.rows.items())
    count = 0
    while chunk := list(islice(known, CHUNK)):
        rows = np.array([row for _, row in chunk])
        vectors = np.asarray(vectors_of([item_of[digest] for digest, _ in chunk]))
        expected = unit(vectors, len(chunk), old.manifest.identity.dim)
        if old.basis is not None:
            expected = basis.project(expected, old.basis)
        count += int((np.abs(expected - old.take(rows)).max(axis=1) > TOLERANCE).sum())
    return count


def unit(vectors: NDArray[Any], count: int, dim: int) -> Matrix:
    """``vectors`` as float32 rows of length 1; a row of zeros stays one.

    Raises:
        ValueError: they are not (count, dim) finite numbers.
    """
    if vectors.shape != (count, dim):
        raise ValueError(f"vectors of shape {vectors.shape} were given, not {(count, dim)}")
    rows: Matrix = vectors.astype(np.float32)
    if not np.isfinite(rows).all():
        raise ValueError("a vector holds NaN or infinity")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    np.divide(rows, lengths, out=rows, where=lengths > 0)
    return rows


def _write_tables(
    folder: Path, plan: Plan, rows: Mapping[bytes, int], count: int, files: dict[str, tuple[int, int]]
) -> None:
    ordered = sorted((rows[digest], item) for item, digest in plan.digests.items())
    counts = np.bincount(np.fromiter((row for row, _ in ordered), np.int64, len(ordered)), minlength=count)
    texts = [item.encode("utf-8", "surrogatepass") for _, item in ordered]
    offsets = np.zeros(len(texts) + 1, "<i8")
    np.cumsum([len(t) for t in texts], out=offsets[1:])
    tables = {
        "starts.i64": np.concatenate([[0], np.cumsum(counts)]).astype("<i8").tobytes(),
        "offsets.i64": offsets.tobytes(),
        "ids.utf8": b"".join(texts),
        "digests.b16": b"".join(plan.digests[item] for _, item in ordered),
    }
    for name, content in tables.items():
        files[name] = write_file(folder / name, [content])
