"""Who answers: a Chroma server, Chroma here, or exact search, which always can and takes over when another fails."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_schema_embed.index import approximate, chroma, exact
from dbt_schema_embed.index.approximate import Backend, BackendError, Rows
from dbt_schema_embed.index.store import Manifest, Matrix, Store

if TYPE_CHECKING:
    from dbt_schema_embed.index.server import Server, SharedRows

CROSSOVER = 150_000
"""Distinct vectors from which Chroma serves when nothing was asked for (benchmarks/bench_index.py).

At 100,000 the two take equal time for 1,000 queries, and for one 8 and 3 ms; but Chroma's process needs seconds to
start and its index minutes to build, which exact search does without. Beyond, one exact query nears 50 ms.
"""


class Search:
    """Nearest rows of a store. ``notes`` gets one line for each thing that failed and was worked around."""

    def __init__(self, approximate: bool | None, server: "Server | None", notes: list[str]) -> None:
        self._approximate = approximate
        self._server = None if approximate is False else server
        self._notes = notes
        self._worker: chroma.Worker | None = None
        self._shared: SharedRows | None = None
        self._fresh = True  # the first answers are still to be compared with exact ones
        self._left_out = False  # said once
        self._distrusted = ""  # the generation whose Chroma store failed

    def nearest(self, store: Store, queries: Matrix, k: int) -> list[Rows]:
        """For each query the rows among its ``k`` best, and their similarities."""
        if self._server:
            try:
                return self._server.trusted(lambda: self._ask(self._attached(store), store, queries, k))
            except BackendError as problem:
                self._without_server(problem)
        if self._wants_chroma(store.manifest.rows) and self.extends(store):
            try:
                return self._ask(self._started(store), store, queries, k)
            except BackendError as problem:
                self._distrust(store, problem, "exact search serves")
        return exact.nearest(store, queries, k)

    def share(self, store: Store, *, verify: bool) -> None:
        """Put on the server what it does not hold yet. ``verify``: even if it seems to hold everything."""
        if self._server:
            if verify:
                self._server.forget(store)
                self._shared = None
            try:
                self._server.trusted(lambda: self._attached(store))
            except BackendError as problem:
                self._without_server(problem)

    def fits(self, store: Store, *, verify: bool) -> bool:
        """Whether the Chroma store that should be there is there, whole. ``verify``: ask it for every row."""
        if not self._wants_chroma(store.manifest.rows) or (store.manifest.without_chroma and not verify):
            return True
        if not chroma.files_of(store.manifest):
            return False
        try:
            chroma.verify(store) if verify else chroma.check_files(store)
        except BackendError as problem:
            self._distrust(store, problem, "it is built anew")
        return self.extends(store)

    def extends(self, store: Store) -> bool:
        """Whether the store's Chroma store can be added to."""
        return bool(chroma.files_of(store.manifest)) and self._distrusted != store.folder.name

    def build(self, folder: Path, manifest: Manifest, old: Store | None, *, verify: bool) -> Manifest:
        """Index a new generation with Chroma, where that is wanted; gives the manifest with its files.

        ``old``: the generation whose rows are the first of this one's. ``verify``: ask for every row afterwards.

        Raises:
            MissingExtraError: Chroma was asked for and is not installed.
        """
        if not self._wants_chroma(manifest.rows):
            return manifest
        for base in (old, None) if old else (None,):
            try:
                files = chroma.build(folder, manifest.identity.width, manifest.rows, old=base, verify=verify)
                return manifest.with_files(files)
            except BackendError as problem:
                shutil.rmtree(folder / "chroma", ignore_errors=True)
                reason = str(problem)
                if base:
                    self._distrust(base, problem, "it is built anew")
        self._notes.append(f"Chroma could not index the columns ({reason}): exact search serves")
        return manifest.with_files({}, without_chroma=reason)

    def close(self) -> None:
        """End the child process and close connections; the next call starts afresh."""
        for backend in (self._worker, self._server):
            if backend:
                backend.close()
        self._worker = self._shared = None

    def _ask(self, backend: Backend, store: Store, queries: Matrix, k: int) -> list[Rows]:
        found = approximate.nearest(backend, store, queries, k, compare=self._fresh)
        self._fresh = False
        return found

    def _attached(self, store: Store) -> "SharedRows":
        if self._shared is None:
            assert self._server
            self._shared, self._fresh = self._server.attach(store), True
        return self._shared

    def _started(self, store: Store) -> chroma.Worker:
        if self._worker is None:
            self._worker, self._fresh = chroma.Worker(store), True
        return self._worker

    def _wants_chroma(self, rows: int) -> bool:
        if self._approximate is None:
            return rows >= CROSSOVER and not self._server and chroma.installed()
        return self._approximate and rows > 0

    def _without_server(self, problem: BackendError) -> None:
        assert self._server
        self._shared = None
        note = f"the Chroma server {self._server.shown} was left out: {problem}"
        if not self._left_out:
            self._notes.append(note)
        self._left_out = True

    def _distrust(self, store: Store, problem: BackendError, what: str) -> None:
        self._distrusted = store.folder.name
        self._notes.append(f"the Chroma store of the index failed ({problem}): {what}")
