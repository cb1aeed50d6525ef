"""`index` and `search`: a project's columns go into the index, and come out for a query.

What the last call read is not read again while it stands as it was: a search then costs what is asked.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_schema_embed.errors import ConfigError, IndexMismatchError
from dbt_schema_embed.pipeline.session import Session
from dbt_schema_embed.read.unchanged import Reading
from dbt_schema_embed.records import Artifacts, SearchHit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dbt_schema_embed.embed import Embedder
    from dbt_schema_embed.index import Changes, Columns, Filter, Index
    from dbt_schema_embed.index.columns import States


@dataclass(frozen=True, slots=True)
class _Place:
    """A project whose index is open."""

    root: str | Path
    artifacts: Artifacts
    session: Session
    reading: Reading  # what is read of the project
    embedder: "Embedder"
    index: "Index"

    def stands(self) -> bool:
        """Whether the index was made of the project as it is; then nothing of it needs to be read."""
        made = self.reading.made()
        try:
            with self.index.read() as parts:
                if not made or parts.id != made:
                    return False
                self.session.scratch = self.reading.scratch
                self.session.columns += parts.shape("columns")[0]
                self.session.told(parts.meta.get("warnings", ()))
        except IndexMismatchError:
            return False
        return True

    def update(self, *, verify: bool = False, ahead: "Callable[[Sequence[str]], None] | None" = None) -> "Changes":
        """Read the project, and bring the index up to date with it; ``ahead`` is told which texts are new."""
        from dbt_schema_embed.embed.text import search_texts
        from dbt_schema_embed.index import changes, gathered, states
        from dbt_schema_embed.words import words

        project = self.session.open(self.root, self.artifacts, values=False).project
        self.session.looked_at(project.relations)
        texts, beside = gathered(project.relations, project.lineage, search_texts, words)
        meta = {"project": project.name, "warnings": list(project.warnings)}
        before = self.states()
        new = self.index.update(texts, self.embedder.embed, beside=beside, meta=meta, verify=verify, ahead=ahead)
        self.session.told(project.warnings)
        with self.index.read(whole=bool(new)) as parts:
            self.reading.keep(project, parts.id)
            after = states(parts)
        return changes(None if new == len(texts) else before, after)

    def states(self) -> "States | None":
        """The columns as the index has them, if it has any."""
        from dbt_schema_embed.index import states

        try:
            with self.index.read() as parts:
                return states(parts)
        except IndexMismatchError:
            return None


def _hits(place: _Place, query: str, limit: int, wanted: "Filter") -> list[SearchHit]:
    from dbt_schema_embed.index.search import hits
    from dbt_schema_embed.match.query import name_likeness

    def alike(columns: "Columns") -> "NDArray[np.float32]":
        return name_likeness(query, *columns.words(), columns.name, columns.table)

    vector = place.embedder.embed([query])
    return hits(place.index, vector, alike, limit, wanted, partial(place.session.timed, "search"))


@contextmanager
def _opened(session: Session, root: str | Path, artifacts: Artifacts) -> "Iterator[_Place]":
    reading = Reading(Path(root), artifacts, session.settings.dialect)
    embedder = session.usual_embedder()
    index = session.index_in(reading.scratch, embedder)
    try:
        yield _Place(root, artifacts, session, reading, embedder, index)
    finally:
        index.close()
        session.told(index.notes)


def index_project(
    session: Session, project_dir: str | Path, artifacts: Artifacts, *, verify: bool, cluster: str | None
) -> "Changes":
    """See `SchemaEmbed.index`."""
    from dbt_schema_embed.index import Changes

    ahead = session.ahead(cluster)
    with _opened(session, project_dir, artifacts) as place:
        changes: Changes | None = None
        if not verify and place.stands():
            with suppress(IndexMismatchError), place.index.read(whole=True) as parts:  # else damaged: it is built anew
                changes = Changes(kept=parts.shape("columns")[0])
        changes = changes or place.update(verify=verify, ahead=ahead)
        place.index.copied()
        return changes


def search_project(
    session: Session, project_dir: str | Path, artifacts: Artifacts, query: str, limit: int, wanted: "Filter"
) -> list[SearchHit]:
    """See `SchemaEmbed.search`."""
    if not query.strip():
        raise ConfigError("there is nothing to search for", hint='say it in words: search "customer e-mail"')
    with _opened(session, project_dir, artifacts) as place:
        if place.stands():
            with suppress(IndexMismatchError):  # damaged: it is built anew
                return _hits(place, query, limit, wanted)
        place.update()
        return _hits(place, query, limit, wanted)
