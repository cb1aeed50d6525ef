"""The index of a project's columns: what goes into it, and what comes out for a query."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbt_schema_embed.errors import ConfigError, printable
from dbt_schema_embed.records import Column, Project, Relation, SearchHit
from dbt_schema_embed.types import type_family

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dbt_schema_embed.embed import Embedder
    from dbt_schema_embed.index import Index

_FACETS = ("in_table", "description")
"""A column is found by either."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of the index: a facet of a column."""

    relation: Relation
    column: Column
    text: str


def entries(relations: Sequence[Relation]) -> dict[str, Entry]:
    """The items of the index by id."""
    from dbt_schema_embed.embed import column_texts

    found: dict[str, Entry] = {}
    for relation in relations:
        texts = column_texts(relation).facets
        for place, column in enumerate(relation.columns):
            for facet in _FACETS:
                if text := texts[facet][place]:
                    found[_item(relation, column, facet)] = Entry(relation, column, text)
    return found


def _item(relation: Relation, column: Column, facet: str) -> str:
    # hashed: names from outside can hold anything, and the index is no place for them
    name = repr((relation.id, column.name, facet))
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def vectors_of(items: Mapping[str, Entry], embedder: "Embedder", wanted: Sequence[str]) -> "NDArray[np.float32]":
    """(n, d): the vectors of items, in order."""
    return embedder.embed([items[name].text for name in wanted])


def damaged(index: "Index", items: Mapping[str, Entry], embedder: "Embedder") -> list[str]:
    """The items that the index does not find by their own vectors, all of them tried."""
    bad: list[str] = []
    names = sorted(items)
    for at in range(0, len(names), 1000):
        some = names[at : at + 1000]
        _, nearest = index.query(vectors_of(items, embedder, some), 1)
        bad += [name for name, best in zip(some, nearest[:, 0].tolist(), strict=True) if best < 1 - 1e-3]
    return bad


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
    index: "Index",
    items: Mapping[str, Entry],
    vector: "NDArray[np.float32]",
    project: Project,
    limit: int,
    wanted: Filter,
) -> list[SearchHit]:
    """The ``limit`` columns nearest to ``vector`` (1, d), best first, ties by table and column."""
    admitted = checked_filter(items, wanted)
    reach = len(items) if wanted != Filter() else min(len(items), limit * len(_FACETS))
    best: dict[tuple[str, str], tuple[float, Entry]] = {}
    names, similarity = index.query(vector, max(1, reach))
    for name, score in zip(names[0], similarity[0].tolist(), strict=True):
        entry = admitted.get(name)
        if entry is not None:
            best.setdefault((entry.relation.id, entry.column.name), (round(score, 4), entry))
    ordered = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))[:limit]
    feeds, fed = _lineage(project)
    return [
        SearchHit(
            relation=relation_id,
            column=column,
            score=score,
            type=entry.column.type,
            description=entry.column.description,
            used_in=feeds.get((relation_id, column.lower()), ()),
            fed_by=fed.get((relation_id, column.lower()), ()),
        )
        for (relation_id, column), (score, entry) in ordered
    ]


Places = dict[tuple[str, str], tuple[str, ...]]
"""(relation id, column in lower case) -> "table.column", sorted."""


def _lineage(project: Project) -> tuple[Places, Places]:
    """What each source column feeds, and what feeds each model column."""
    labels = {r.id: r.label for r in project.relations}
    feeds: dict[tuple[str, str], set[str]] = {}
    fed: dict[tuple[str, str], set[str]] = {}
    for line in project.lineage:
        source, model = labels.get(line.source, line.source), labels.get(line.model, line.model)
        feeds.setdefault((line.source, line.source_column.lower()), set()).add(f"{model}.{line.model_column}")
        fed.setdefault((line.model, line.model_column.lower()), set()).add(f"{source}.{line.source_column}")
    return _sorted(feeds), _sorted(fed)


def _sorted(found: Mapping[tuple[str, str], set[str]]) -> Places:
    return {key: tuple(sorted(names)) for key, names in found.items()}
