"""One source table against its candidate columns: what every signal looks at."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.habits import Habits, abstract
from dbt_schema_embed.match.lexicon import SYNONYMS
from dbt_schema_embed.match.names import entity, segment, words
from dbt_schema_embed.match.wordtable import WordTable
from dbt_schema_embed.records import Column, Embedded, Relation

Matrix = NDArray[np.float32]

SHORT = 6
"""Letters of the longest word that is never cut."""


def column_words(relation: Relation, vocabulary: frozenset[str]) -> list[tuple[str, ...]]:
    """The words of every column, without a beginning that nine in ten columns share, glued words cut where known."""
    split = [words(c.name) for c in relation.columns]
    firsts = Counter(w[0] for w in split if len(w) > 1)
    if firsts and len(split) > 4:
        first, times = firsts.most_common(1)[0]
        if times >= 0.9 * len(split):
            split = [w[1:] if len(w) > 1 and w[0] == first else w for w in split]
    return [tuple(p for w in ws for p in _cut(w, vocabulary)) for ws in split]


def known_words(relations: Iterable[Relation]) -> frozenset[str]:
    """Words that a glued name may be cut at: those that stand apart in names here, and those that databases shorten."""
    apart: set[str] = set()
    times: Counter[str] = Counter()
    for relation in relations:
        for name in {c.key for c in relation.columns}:
            found = set(words(name))
            times.update(found)
            if len(found) > 1:
                apart |= {w for w in found if len(w) > 3}
    repeated = {w for w, n in times.items() if n > 1 and len(w) > 1}
    known = frozenset(repeated | apart | {w for w in SYNONYMS if len(w) > 2})
    return frozenset(w for w in known if len(_cut(w, known)) == 1)  # glued words teach nothing


def _cut(word: str, known: frozenset[str]) -> tuple[str, ...]:
    return segment(word, known) if len(word) > SHORT else (word,)


class Lexicon:
    """The words of all columns of a run: how rare each is, and how alike."""

    def __init__(self, sources: Sequence[Relation], models: Sequence[Relation]) -> None:
        self.vocabulary = known_words((*sources, *models))
        self.words_of = {r.id: column_words(r, self.vocabulary) for r in (*sources, *models)}
        seen = Counter(w for r in (*sources, *models) for ws in self.words_of[r.id] for w in set(ws))
        self.columns = max(1, sum(len(r.columns) for r in (*sources, *models)))
        self.weight = {w: self.rarity(n) for w, n in seen.items()}
        self.table = WordTable(self._all(sources), self._all(models))

    def rarity(self, times: int) -> float:
        """Inverse document frequency scaled to (0, 1]: 1 for a word in one column, towards 0.2 for one in all."""
        return 0.2 + 0.8 * log((self.columns + 1) / (times + 1)) / log((self.columns + 1) / 2 + 1e-9)

    def likenesses(self, left: Sequence[str], models: Sequence[Sequence[str]]) -> Matrix:
        """(models,) likeness of a source's words to each model's, in [0, 1]: what each word finds on the other side."""
        if not left or not models:
            return np.zeros(len(models), np.float32)
        places = _padded([self.table.columns(m) for m in models], len(self.table.right))
        found = self.table.likeness[self.table.rows(left)][:, places]  # (words, models, words)
        total = len(left) + np.array([len(m) for m in models], np.float32)
        return np.asarray((found.max(axis=2).sum(axis=0) + found.max(axis=0).sum(axis=1)) / total, np.float32)

    def _all(self, relations: Sequence[Relation]) -> set[str]:
        names = {w for r in relations for w in entity(r.name)}
        return names | {w for r in relations for ws in self.words_of[r.id] for w in ws}


@dataclass(frozen=True)
class Block:
    """n columns of one source table and k candidate columns; a signal turns it into an (n, k) float32 matrix.

    ``model_of[j]`` is the place in ``models`` of candidate j's model and ``column_of[j]`` its column's place there.
    """

    source: Embedded
    models: Sequence[Embedded]
    model_of: "NDArray[np.int64]"
    column_of: "NDArray[np.int64]"
    lexicon: Lexicon
    habits: Habits

    @property
    def shape(self) -> tuple[int, int]:
        """(source columns, candidates)."""
        return len(self.columns), len(self.model_of)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The source columns, in order."""
        return self.source.relation.columns

    @cached_property
    def targets(self) -> list[Column]:
        """The candidate columns, in order."""
        return [self.models[m].relation.columns[c] for m, c in zip(self.model_of, self.column_of, strict=True)]

    @cached_property
    def source_words(self) -> list[tuple[str, ...]]:
        """Words of every source column."""
        return self.lexicon.words_of[self.source.relation.id]

    @cached_property
    def target_words(self) -> list[tuple[str, ...]]:
        """Words of every candidate column."""
        of = [self.lexicon.words_of[m.relation.id] for m in self.models]
        return [of[m][c] for m, c in zip(self.model_of, self.column_of, strict=True)]

    @cached_property
    def source_entity(self) -> tuple[str, ...]:
        """What the source table is about."""
        return entity(self.source.relation.name)

    @cached_property
    def entities(self) -> list[tuple[str, ...]]:
        """What each candidate model is about."""
        return [entity(m.relation.name) for m in self.models]

    @cached_property
    def abstract_names(self) -> list[tuple[str, ...]]:
        """Words of every source column with the table's own replaced by ``<table>``, as habits are learnt."""
        return [abstract(words(c.name), self.source_entity) for c in self.columns]

    @cached_property
    def abstract_targets(self) -> list[tuple[str, ...]]:
        """The same of the candidates, with the source table's words."""
        once = {c.name: abstract(words(c.name), self.source_entity) for c in self.targets}
        return [once[c.name] for c in self.targets]

    def facet(self, name: str) -> tuple[Matrix, Matrix]:
        """Vectors of that facet: (n, d) of the source columns and (k, d) of the candidates."""
        if not self.models:
            return self.source.facets[name], np.zeros((0, self.source.facets[name].shape[1]), np.float32)
        right = [m.facets[name][columns] for m, columns in zip(self.models, self._columns_of, strict=True)]
        return self.source.facets[name], np.concatenate(right)

    @cached_property
    def _columns_of(self) -> "list[NDArray[np.int64]]":
        """The candidates' places within each model; a model's candidates follow one another."""
        return np.split(self.column_of, np.flatnonzero(np.diff(self.model_of)) + 1)

    def per_model(self, values: Sequence[float]) -> "Matrix":
        """One value a candidate model, spread over its columns and all source columns."""
        return np.broadcast_to(np.array(values, np.float32)[self.model_of], self.shape).copy()

    @cached_property
    def coverage(self) -> "Coverage":
        """How much of one name's words the other has."""
        return Coverage(self)


class Coverage:
    """Weighted shares of words found on the other side; each (n, k) in [0, 1]."""

    def __init__(self, block: Block) -> None:
        table, weight = block.lexicon.table, block.lexicon.weight
        likeness = table.likeness
        left = _padded([table.rows(w) for w in block.source_words], len(table.left))
        right = _padded([table.columns(w) for w in block.target_words], len(table.right))
        left_weight = _weights(block.source_words, weight, left.shape[1])
        right_weight = _weights(block.target_words, weight, right.shape[1])
        used = np.unique(left)
        place = np.searchsorted(used, left)
        # best[w, j]: how well word w of the source side is found in candidate j
        best = likeness[used][:, right].max(axis=2)
        # found[i, j, t]: how well word t of candidate j is found in source column i
        near = likeness[left].max(axis=1)[:, right]
        own = likeness[table.rows(block.source_entity)].max(axis=0)[right] if block.source_entity else 0 * right_weight
        other = _entity_likeness(block, likeness)
        self.of_source: Matrix = (best[place] * left_weight[:, :, None]).sum(axis=1)
        self.of_target_in_table: Matrix = (np.maximum(near, own[None]) * right_weight[None]).sum(axis=2)
        # words of the source name that the model's own name says already
        helped = np.maximum(best[place], other[used][:, block.model_of][place])
        self.of_source_in_model: Matrix = (helped * left_weight[:, :, None]).sum(axis=1)
        self.head: Matrix = self._head(block, likeness)

    @staticmethod
    def _head(block: Block, likeness: "Matrix") -> "Matrix":
        table = block.lexicon.table
        rows = table.rows([w[-1] if w else "" for w in block.source_words])
        columns = table.columns([w[-1] if w else "" for w in block.target_words])
        return likeness[rows][:, columns]


def _entity_likeness(block: Block, likeness: "Matrix") -> "Matrix":
    """(words + 1, models): how well each source-side word is found in the model's name."""
    table = block.lexicon.table
    columns = [table.columns(e) for e in block.entities]
    return np.stack([likeness[:, c].max(axis=1) if len(c) else 0 * likeness[:, 0] for c in columns], axis=1)


def _padded(rows: Sequence["NDArray[np.int64]"], empty: int) -> "NDArray[np.int64]":
    width = max((len(r) for r in rows), default=0) or 1
    out = np.full((len(rows), width), empty, np.int64)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


def _weights(lists: Sequence[tuple[str, ...]], weight: Mapping[str, float], width: int) -> "Matrix":
    out = np.zeros((len(lists), width), np.float32)
    for i, ws in enumerate(lists):
        if ws:
            values = np.array([weight.get(w, 1.0) for w in ws], np.float32)
            out[i, : len(ws)] = values / values.sum()
    return out
