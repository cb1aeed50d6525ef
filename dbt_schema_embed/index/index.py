"""The index as other rooms see it: open, update, query, close."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.errors import IndexMismatchError, printable
from dbt_schema_embed.index import basis
from dbt_schema_embed.index.approximate import Rows
from dbt_schema_embed.index.generations import Generations, Opened
from dbt_schema_embed.index.search import Search
from dbt_schema_embed.index.shared import Shared
from dbt_schema_embed.index.store import DamagedError, Identity, Matrix, Store
from dbt_schema_embed.index.update import STALE, Changes, Plan, VectorsOf, disagreeing, plan, unit, write

REFIT = 2
"""Growth of the vectors since reduced dimensions were fitted, as a factor, at which they are fitted anew."""

_AGAIN = "run: dbt-schema-embed index"


class VectorIndex(Protocol):
    """What answers "which columns are nearest to these vectors?"."""

    def query(self, vectors: NDArray[Any], k: int) -> tuple[list[list[str]], Matrix]:
        """For ``vectors`` (q, dim): the ids of the ``min(k, items)`` nearest columns of each, best first, ties by id,
        and their cosine similarities (q, min(k, items)) in [-1, 1].
        """

    def close(self) -> None:
        """Let go of files and processes."""


class Index:
    """A `VectorIndex` in a folder. `open_index` makes it. Threads may share it: they wait for each other.

    ``notes`` collects, in one line each, what went wrong and was mended or worked around.
    """

    def __init__(self, folder: Path, identity: Identity, search: Search, notes: list[str]) -> None:
        self.notes = notes
        self._generations = Generations(folder)
        self._identity = identity
        self._search = search
        self._opened: Opened | None = None
        self._turn = threading.RLock()

    def update(self, items: Mapping[str, str], vectors_of: VectorsOf, *, verify: bool = False) -> Changes:
        """Make the index hold exactly ``items`` (id -> digest of its text), asking ``vectors_of`` only for new texts.

        An index that is damaged or another encoder's is built anew from ``vectors_of``, with a note. ``verify``: ask
        ``vectors_of`` for every text, Chroma for every row and the server for every vector, and mend what differs.

        Raises:
            WriteError: another process is writing, or the disk is full or read-only; the old index stays.
            IndexMismatchError: what was written could not be read back.
            ConfigError: ``dimensions`` is more than there are vectors.
            ValueError: ``vectors_of`` gave no (n, dim) finite numbers.
        """
        with self._turn, self._generations.writing():
            old, todo = self._compared(items)
            if verify and old and (wrong := disagreeing(todo, old, vectors_of)):
                self.notes.append(f"the index held {wrong} vectors that are not the memo's: it is built anew")
                old, todo = None, plan(items, None)
            if old is None or todo.changes.written or not self._search.fits(old, verify=verify):
                self._next(todo, old, vectors_of, verify)
            with self._told():
                store = self._current()
            self._generations.sweep(store.folder.name)
        with self._turn:
            self._search.share(store, verify=verify)
        return replace(todo.changes, recall_loss=store.manifest.recall_loss)

    def query(self, vectors: NDArray[Any], k: int) -> tuple[list[list[str]], Matrix]:
        """See `VectorIndex.query`. Sees what another process has built since, without reopening.

        Raises:
            IndexMismatchError: the index was never built, is another encoder's, or is damaged: `update` mends it.
            ValueError: ``vectors`` is not (q, dim) finite numbers, or ``k`` is below 1.
        """
        if k < 1:
            raise ValueError(f"k is {k}: it must be 1 or more")
        queries = unit(np.asarray(vectors), len(vectors), self._identity.dim)
        with self._turn, self._told():
            store = self._current()
            if store.basis is not None:
                queries = basis.project(queries, store.basis)
            k = min(k, store.manifest.items)
            return ranked(store, self._search.nearest(store, queries, k) if k else [], len(queries), k)

    def close(self) -> None:
        """Let go of files, connections and the child process; the next call opens them again."""
        with self._turn:
            self._search.close()
            if self._opened:
                self._opened.close()
                self._opened = None

    def _compared(self, items: Mapping[str, str]) -> tuple[Store | None, Plan]:
        """The generation in force, None when it is to be built anew, and what is to be done."""
        try:
            old = self._usable()
            return old, plan(items, old)
        except DamagedError as problem:
            self.close()
            self.notes.append(f"the index in {self._generations.folder} was damaged ({problem}): it is built anew")
            return None, plan(items, None)

    def _usable(self) -> Store | None:
        store = self._reopened()
        if store is None:
            return None
        if store.manifest.identity != self._identity:
            self.notes.append(f"the index was made for {_told(store.manifest.identity)}: it is built anew")
            return None
        if store.basis is not None and store.manifest.rows > REFIT * store.manifest.fitted_rows:
            return None
        return store

    def _next(self, todo: Plan, old: Store | None, vectors_of: VectorsOf, verify: bool) -> None:
        used = len(set(todo.rows.values()))
        # Chroma forgets badly: rows without items stay in it until they are too many
        extend = old if old and self._search.extends(old) and used >= (1 - STALE) * old.manifest.rows else None
        with self._generations.draft() as folder:
            manifest = write(folder, self._identity, todo, old, vectors_of, keep_rows=extend is not None)
            manifest = self._search.build(folder, manifest, extend, verify=verify)
            self._generations.switch(folder, manifest)

    def _reopened(self) -> Store | None:
        """The generation in force, opened if it is not open already."""
        pointer = self._generations.pointer()
        if self._opened is None or self._opened.pointer != pointer:
            self.close()
            self._opened = self._generations.open()
        return self._opened.store if self._opened else None

    def _current(self) -> Store:
        """The generation in force.

        Raises:
            DamagedError: it is damaged.
            IndexMismatchError: there is none, or it is another encoder's.
        """
        store = self._reopened()
        if store is None:
            raise IndexMismatchError(f"there is no index in {self._generations.folder}", hint=_AGAIN)
        if store.manifest.identity != self._identity:
            raise IndexMismatchError(
                f"the index in {self._generations.folder} was made for {_told(store.manifest.identity)}, "
                f"not for {_told(self._identity)}",
                hint=_AGAIN,
            )
        return store

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Turn damage into an error for people."""
        try:
            yield
        except DamagedError as problem:
            self.close()
            folder = self._generations.folder
            raise IndexMismatchError(f"the index in {folder} is damaged: {problem}", hint=_AGAIN) from None


def ranked(store: Store, found: list[Rows], count: int, k: int) -> tuple[list[list[str]], Matrix]:
    """The items of the rows found for each of ``count`` queries, best first, ties by id, cut at ``k``."""
    if not k:
        return [[] for _ in range(count)], np.empty((count, 0), np.float32)
    ids: list[list[str]] = []
    similarities = np.empty((count, k), np.float32)
    for number, (rows, values) in enumerate(found):
        rounded = np.clip(values.astype(np.float64), -1, 1).round(6)
        best = sorted(
            (-similarity, item)
            for row, similarity in zip(rows.tolist(), rounded.tolist(), strict=True)
            for item in store.ids_of(row, k)
        )[:k]
        if len(best) < k:
            raise DamagedError("its vectors are not all numbers")
        ids.append([item for _, item in best])
        similarities[number] = [-negative for negative, _ in best]
    return ids, similarities


def _told(identity: Identity) -> str:
    reduced = f" reduced to {identity.dimensions}" if identity.dimensions else ""
    name = printable(identity.encoder_id)
    return f"encoder {name}, {identity.dim} dimensions{reduced}, text version {identity.text_version}"


def open_index(
    folder: Path,
    *,
    encoder_id: str,
    dim: int,
    text_version: int,
    approximate: bool | None = None,
    dimensions: int | None = None,
    shared: Shared | None = None,
) -> Index:
    """The index in ``folder``, which need not exist yet; nothing is read before the first call.

    ``approximate``: True asks Chroma, False compares with every vector, None takes the faster one for the size.
    ``dimensions``: reduce vectors to so many, None: keep them as they are. ``shared``: a server that is asked first
    unless ``approximate`` is False.
    """
    if dim < 1 or (dimensions is not None and dimensions < 1):
        raise ValueError("dim and dimensions must be 1 or more")
    notes: list[str] = []
    server = None
    if shared:
        from dbt_schema_embed.index.server import Server

        server = Server(shared)
    identity = Identity(encoder_id, dim, text_version, dimensions)
    return Index(folder, identity, Search(approximate, server, notes), notes)
