"""The index of a project's columns: what goes into it, and what comes out for a query."""

import hashlib
import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_schema_embed.errors import ConfigError, printable
from dbt_schema_embed.pipeline.project import Artifacts
from dbt_schema_embed.pipeline.session import Session
from dbt_schema_embed.records import Column, Project, Relation, SearchHit
from dbt_schema_embed.types import type_family

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dbt_schema_embed.embed import Embedder
    from dbt_schema_embed.index import Changes, Index

_CANDIDATES = 100
"""Columns, at least, that are looked at closely."""

_KIN = 0.95
"""What a column is worth that holds the values of a found one under another name."""

Place = tuple[str, str]
"""A column: unique_id of its relation, and its name."""

Edges = dict[Place, tuple[str, ...]]
"""A column, its name in lower case -> "table.column", sorted."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of the index: a facet of a column."""

    relation: Relation
    column: Column
    text: str

    @property
    def place(self) -> Place:
        """The column."""
        return self.relation.id, self.column.name


def entries(relations: Sequence[Relation]) -> dict[str, Entry]:
    """The items of the index by id.

    A column is found by its name within its table or by its description. Unlike for matching, the two names are
    encoded together: on 10 of the 30 real projects, asked in words for the 2,303 known pairs, recall@1 is 0.83, and
    0.77 with a vector composed of both.
    """
    from dbt_schema_embed.embed import column_texts

    found: dict[str, Entry] = {}
    for relation in relations:
        texts = column_texts(relation)
        named = texts.facets["name"]
        facets = {
            "in_table": [f"{texts.table}: {name}" if texts.table and name else name for name in named],
            "description": texts.facets["description"],
        }
        for place, column in enumerate(relation.columns):
            for facet, facet_texts in facets.items():
                if text := facet_texts[place]:
                    found[_item(relation, column, facet)] = Entry(relation, column, text)
    return found


def _item(relation: Relation, column: Column, facet: str) -> str:
    # hashed: names from outside can hold anything, and the index is no place for them
    name = repr((relation.id, column.name, facet))
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def vectors_of(items: Mapping[str, Entry], embedder: "Embedder", wanted: Sequence[str]) -> "NDArray[np.float32]":
    """(n, d): the vectors of items, in order."""
    return embedder.embed([items[name].text for name in wanted])


@dataclass(frozen=True, slots=True)
class Filter:
    """Which columns may be found: families of types ("text"), names of tables or sources, both in any case."""

    type: str | None = None
    table: str | None = None

    def admits(self, entry: Entry) -> bool:
        """Whether an entry may be found."""
        if self.type is not None and self.type.lower() not in _type_words(entry.column):
            return False
        r = entry.relation
        return self.table is None or self.table.lower() in {
            name.lower() for name in (r.id, r.name, r.label, r.source_name, r.schema) if name
        }


def _type_words(column: Column) -> set[str]:
    declared = (column.type or "").lower()
    return {declared, declared.partition("(")[0].strip(), (type_family(column.type) or "").lower()} - {""}


def checked_filter(items: Mapping[str, Entry], wanted: Filter) -> dict[str, Entry]:
    """The items a filter admits.

    Raises:
        ConfigError: none; the message says which near ones there are.
    """
    if wanted == Filter():
        return dict(items)
    left = {name: entry for name, entry in items.items() if wanted.admits(entry)}
    if left or not items:
        return left
    from difflib import get_close_matches

    said = " and ".join(
        f"--{name} {printable(value)!r}" for name, value in (("type", wanted.type), ("table", wanted.table)) if value
    )
    known = sorted({e.relation.label for e in items.values()})
    types = sorted({word for e in items.values() for word in _type_words(e.column)})
    near = [
        *get_close_matches(wanted.table or "", known, n=3, cutoff=0.5),
        *get_close_matches(wanted.type or "", types, n=3, cutoff=0.5),
    ]
    hint = f"near: {', '.join(map(printable, near))}" if near else ""
    raise ConfigError(f"no column fits {said}", hint=hint)


def hits(
    index: "Index | _Timed",
    items: Mapping[str, Entry],
    embedder: "Embedder",
    project: Project,
    query: str,
    limit: int,
    wanted: Filter,
) -> list[SearchHit]:
    """The ``limit`` columns most like ``query``, best first, ties by table and column.

    Meaning and words count alike: the index finds synonyms, the words of a name find ``cust_eml_addr`` for
    "customer e-mail". Of 250 columns of 10 real projects, asked for by the words of the model column they feed, 92 %
    come first (82 % with every name shortened) and 99.6 % (96 %) among the first ten; meaning alone puts 92 % (46 %)
    first, words alone 90 % (85 %). Candidates are the best of either, and the columns that hold the same values by
    the SQL.
    """
    admitted = checked_filter(items, wanted)
    places: dict[Place, list[str]] = {}
    for name, entry in admitted.items():
        places.setdefault(entry.place, []).append(name)
    alike = _alike(query, admitted)
    reach = max(_CANDIDATES, 2 * limit)
    vector = embedder.embed([query])
    nearest, _ = index.query(vector, max(1, len(items) if wanted != Filter() else 2 * reach))
    found = dict.fromkeys([admitted[name].place for name in nearest[0] if name in admitted][: 2 * reach])
    found |= dict.fromkeys(heapq.nlargest(reach, places, key=lambda place: alike[place]))
    names = [name for place in found for name in places[place]]
    cosine = dict(zip(names, (vectors_of(items, embedder, names) @ vector[0]).tolist(), strict=True))
    scores = {place: round((max(cosine[n] for n in places[place]) + alike[place]) / 2, 4) for place in found}
    scores = _with_kin(scores, places, project)
    best = sorted(scores, key=lambda place: (-scores[place], place))[:limit]
    feeds, fed = _lineage(project)
    return [_hit(admitted[places[place][0]], scores[place], feeds, fed) for place in best]


def _with_kin(scores: Mapping[Place, float], places: Collection[Place], project: Project) -> dict[Place, float]:
    """``scores`` where a column that passes its values on, or gets them, is nearly as good as that other column."""
    spelled = {(relation, column.lower()): (relation, column) for relation, column in places}
    raised = dict(scores)
    for line in project.lineage:
        source = spelled.get((line.source, line.source_column.lower()))
        model = spelled.get((line.model, line.model_column.lower()))
        if line.kind == "derived" or source is None or model is None:
            continue
        for one, other in ((source, model), (model, source)):
            if other in scores and scores[other] * _KIN > raised.get(one, 0.0):
                raised[one] = round(scores[other] * _KIN, 4)
    return raised


def _alike(query: str, admitted: Mapping[str, Entry]) -> dict[Place, float]:
    """How alike the words of ``query`` and of each admitted column's name are, in [0, 1]."""
    from dbt_schema_embed.match.query import name_likeness

    relations = list({entry.relation.id: entry.relation for entry in admitted.values()}.values())
    columns = [(relation.id, column.name) for relation in relations for column in relation.columns]
    return dict(zip(columns, name_likeness(query, relations).tolist(), strict=True))


def _hit(entry: Entry, score: float, feeds: Edges, fed: Edges) -> SearchHit:
    key = (entry.relation.id, entry.column.name.lower())
    return SearchHit(
        relation=entry.relation.id,
        column=entry.column.name,
        score=score,
        type=entry.column.type,
        description=entry.column.description,
        used_in=feeds.get(key, ()),
        fed_by=fed.get(key, ()),
    )


def _lineage(project: Project) -> tuple[Edges, Edges]:
    """What each source column feeds, and what feeds each model column."""
    labels = {r.id: r.label for r in project.relations}
    feeds: dict[tuple[str, str], set[str]] = {}
    fed: dict[tuple[str, str], set[str]] = {}
    for line in project.lineage:
        source, model = labels.get(line.source, line.source), labels.get(line.model, line.model)
        feeds.setdefault((line.source, line.source_column.lower()), set()).add(f"{model}.{line.model_column}")
        fed.setdefault((line.model, line.model_column.lower()), set()).add(f"{source}.{line.source_column}")
    return _sorted(feeds), _sorted(fed)


def _sorted(found: Mapping[tuple[str, str], set[str]]) -> Edges:
    return {key: tuple(sorted(names)) for key, names in found.items()}


class _Timed:
    """An index whose queries are timed, for metrics."""

    def __init__(self, index: "Index", session: Session) -> None:
        self._index = index
        self._session = session

    def query(self, vectors: "NDArray[np.float32]", k: int) -> "tuple[list[list[str]], NDArray[np.float32]]":
        """As the index."""
        with self._session.timed("search"):
            return self._index.query(vectors, k)


def index_project(session: Session, project_dir: str | Path, artifacts: Artifacts, *, verify: bool) -> "Changes":
    """See `SchemaEmbed.index`."""
    opened = session.open(project_dir, artifacts, lineage_of=(), values=False)
    session.looked_at(opened.project.relations)
    items = entries(opened.project.relations)
    embedder = session.watched()
    index = session.index_of(opened)
    try:
        texts = {name: entry.text for name, entry in items.items()}
        changes = index.update(texts, lambda ids: vectors_of(items, embedder, ids), verify=verify)
    finally:
        index.close()
        session.told([*opened.project.warnings, *index.notes])
    return changes


def search_project(
    session: Session, project_dir: str | Path, artifacts: Artifacts, query: str, limit: int, wanted: Filter
) -> list[SearchHit]:
    """See `SchemaEmbed.search`."""
    if not query.strip():
        raise ConfigError("there is nothing to search for", hint='say it in words: search "customer e-mail"')
    opened = session.open(project_dir, artifacts, values=False)
    session.looked_at(opened.project.relations)
    items = session.once(opened, "entries", lambda: entries(opened.project.relations))
    embedder = session.watched()
    index = session.index_of(opened)

    def bring_up() -> "Changes":
        return index.update({i: e.text for i, e in items.items()}, lambda ids: vectors_of(items, embedder, ids))

    try:
        session.once(opened, "index", bring_up)
        found = hits(_Timed(index, session), items, embedder, opened.project, query, limit, wanted)
    finally:
        index.close()
    session.told([*opened.project.warnings, *index.notes])
    return found
