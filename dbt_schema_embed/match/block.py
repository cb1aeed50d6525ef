"""One source table against its candidate columns: what every signal looks at."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.habits import Habits, abstract
from dbt_schema_embed.match.lexicon import LAYER_PREFIXES, SYNONYMS
from dbt_schema_embed.match.names import entity, segment
from dbt_schema_embed.match.phrases import Words
from dbt_schema_embed.match.pool import Matrix as Matrix
from dbt_schema_embed.match.pool import Pool
from dbt_schema_embed.match.reading import Reading, TableReading
from dbt_schema_embed.match.value_profiles import Profile, profiles
from dbt_schema_embed.match.views import Views, distinct, placed
from dbt_schema_embed.match.wordtable import WordTable
from dbt_schema_embed.records import Column, Embedded, Relation
from dbt_schema_embed.words import words

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
    """The words of all columns of a run, as they stand and as they are read: how rare each is, and how alike."""

    def __init__(
        self, sources: Sequence[Relation], models: Sequence[Relation], readings: Mapping[str, TableReading]
    ) -> None:
        everything = (*sources, *models)
        self.readings = {r.id: readings[r.id] for r in everything}
        self.vocabulary = known_words(everything)
        self.words_of = {r.id: column_words(r, self.vocabulary) for r in everything}
        self.views_of = {r.id: _views(self.words_of[r.id], self.readings[r.id]) for r in everything}
        self.sources = {r.id: r for r in sources}
        self._said: dict[str, dict[str, Words]] = {}
        self.about = {r.id: tuple(dict.fromkeys((entity(r.name), *self.readings[r.id].about))) for r in everything}
        seen = Counter(
            w for r in everything for views in self.views_of[r.id] for w in {w for v in views[:2] for w in v}
        )
        self.named = source_names(sources, models)
        self.columns = max(1, sum(len(r.columns) for r in everything))
        self.weight = {w: self.rarity(n) for w, n in seen.items()}
        self.table = WordTable(self._all(sources), self._all(models))
        self.ours = Views({r.id: self.views_of[r.id] for r in sources}, self.table.left, self.weight)
        self.theirs = Views({r.id: self.views_of[r.id] for r in models}, self.table.right, self.weight)
        self._names: dict[tuple[str, ...], tuple[NDArray[np.int64], Matrix, NDArray[np.int64]]] = {}

    def says(self, source: str) -> dict[str, Words]:
        """Column in lower case -> what its name says, of a source table (id); empty for a table that is not here."""
        known = self._said.get(source)
        if known is None:
            relation = self.sources.get(source)
            columns = zip(relation.columns, self.readings[source].columns, strict=True) if relation else ()
            known = self._said[source] = {c.key.lower(): reading.variants[0] for c, reading in columns}
        return known

    def rarity(self, times: int) -> float:
        """Inverse document frequency scaled to (0, 1]: 1 for a word in one column, towards 0.2 for one in all."""
        return 0.2 + 0.8 * log((self.columns + 1) / (times + 1)) / log((self.columns + 1) / 2 + 1e-9)

    def tables_alike(self, source: str, models: tuple[str, ...], some: "NDArray[np.int64] | None" = None) -> Matrix:
        """(models,) likeness in [0, 1] of what a table and each model are about (ids), by the reading that fits
        best: what each word finds on the other side. ``some``: of these places among ``models`` alone."""
        if not models:
            return np.zeros(0, np.float32)
        if models not in self._names:
            flat = [words for m in models for words in self.about[m]]
            lengths = np.array([len(words) for words in flat], np.float32)
            starts = np.cumsum([0, *(len(self.about[m]) for m in models)])[:-1]
            self._names[models] = placed(flat, self.table.right), lengths, starts
        places, lengths, starts = self._names[models]
        if some is not None:
            counts = np.diff(starts, append=len(places))[some]
            ends = np.cumsum(counts)
            rows = np.arange(int(ends[-1])) + np.repeat(starts[some] - (ends - counts), counts)
            places, lengths, starts = places[rows], lengths[rows], ends - counts
        best = np.zeros(len(places), np.float32)
        for said in filter(None, self.about[source]):
            found = self.table.likeness[self.table.rows(said)][:, places]  # (words, readings, words)
            alike = (found.max(axis=2).sum(axis=0) + found.max(axis=0).sum(axis=1)) / (len(said) + lengths)
            np.maximum(best, alike, out=best)
        return np.asarray(np.maximum.reduceat(best, starts), np.float32)

    def said_by_names(self, words: "NDArray[np.int64]", models: Sequence[str]) -> Matrix:
        """(words, models): how well each word, a row of ``table``, is found in each model's name (ids)."""
        places = [(*(w for ws in self.about[m] for w in ws), "") for m in models]
        starts = np.cumsum([0, *map(len, places)])[:-1]
        flat = self.table.columns([w for ws in places for w in ws])
        return np.asarray(np.maximum.reduceat(self.table.likeness[np.ix_(words, flat)], starts, axis=1), np.float32)

    def _all(self, relations: Sequence[Relation]) -> set[str]:
        names = {w for r in relations for ws in self.about[r.id] for w in ws}
        return names | {w for r in relations for views in self.views_of[r.id] for ws in views for w in ws}


def source_names(sources: Sequence[Relation], models: Sequence[Relation]) -> dict[str, dict[str, float]]:
    """Source name -> model id -> how much rather the model's name and path say this source's name than another's.

    In [0, 1], 0.5 for as much as another; a model that says none is left out. Rare words of sources count for more.
    """
    said = {r.source_name: frozenset((*words(r.source_name), *words(r.schema))) - LAYER_PREFIXES for r in sources}
    if len(said) < 2:
        return {name: {} for name in said}
    times = Counter(w for found in said.values() for w in found)
    found: dict[str, dict[str, float]] = {name: {} for name in said}
    for model in models:
        there = frozenset((*words(model.name), *words(model.path)))
        scores = {name: _share_said(own, there, times) for name, own in said.items()}
        best, second = sorted((*scores.values(), 0.0), reverse=True)[:2]
        if best:
            for name, score in scores.items():
                found[name][model.id] = (score - (second if score == best else best) + 1) / 2
    return found


def _share_said(own: frozenset[str], there: frozenset[str], times: Mapping[str, int]) -> float:
    """The weighted share of a source's words that are among those of a model; years and longer words may be cut."""
    total = sum(1 / times[w] for w in own)
    hit = sum(1 / times[w] for w in own if w in there or any(_cut_alike(w, t) for t in there))
    return hit / total if total else 0.0


def _cut_alike(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if short.isdigit() and long.isdigit():
        return len(short) == 2 and len(long) == 4 and long.endswith(short)
    return len(short) > 3 and long.startswith(short)


def _views(raw: Sequence[Words], reading: TableReading) -> list[tuple[Words, ...]]:
    """What each column may be taken to say: its words as they stand, then its readings."""
    return [tuple(dict.fromkeys((w, *r.variants))) for w, r in zip(raw, reading.columns, strict=True)]


@dataclass(frozen=True)
class Block:
    """n columns of one source table and k candidate columns; a signal turns it into an (n, k) float32 matrix.

    A model's candidates follow one another.
    """

    source: Embedded
    side: Pool
    places: "NDArray[np.int64]"  # (k,) ascending: the candidates among all columns that could be fed
    names_alike: Matrix  # (models,) how alike the table's name and each candidate model's are
    lexicon: Lexicon
    habits: Habits

    @property
    def shape(self) -> tuple[int, int]:
        """(source columns, candidates)."""
        return len(self.columns), len(self.places)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The source columns, in order."""
        return self.source.relation.columns

    @cached_property
    def targets(self) -> list[Column]:
        """The candidate columns, in order."""
        return [self.side.columns[t] for t in self.places.tolist()]

    @cached_property
    def chosen(self) -> "NDArray[np.int64]":
        """(models,) the candidates' models among all."""
        models = self.side.model_of[self.places]
        return models[np.diff(models, prepend=-1) > 0]

    @cached_property
    def models(self) -> list[Embedded]:
        """The candidates' models."""
        return [self.side.models[m] for m in self.chosen.tolist()]

    @cached_property
    def model_of(self) -> "NDArray[np.int64]":
        """(k,) ascending: the place in ``models`` of each candidate's model."""
        return np.searchsorted(self.chosen, self.side.model_of[self.places])

    @cached_property
    def column_of(self) -> "NDArray[np.int64]":
        """(k,) each candidate's place within its model."""
        return self.side.column_of[self.places]

    @cached_property
    def starts(self) -> "NDArray[np.int64]":
        """(models,) the first candidate of each model."""
        return np.searchsorted(self.model_of, np.arange(len(self.chosen)))

    @cached_property
    def fed(self) -> "NDArray[np.bool_]":
        """(models,) something feeds it today."""
        return self.side.fed[self.chosen]

    @cached_property
    def entered(self) -> "NDArray[np.bool_]":
        """(models,) source tables first arrive in it."""
        return self.side.entered[self.chosen]

    @cached_property
    def profiles(self) -> tuple[list[tuple[int, Profile]], list[tuple[int, Profile]]]:
        """The source columns and the candidates that have values, by place; none where only one side has any."""
        left = profiles(self.columns)
        return (left, profiles(self.targets)) if left else ([], [])

    @cached_property
    def source_views(self) -> list[tuple[Words, ...]]:
        """What every source column may be taken to say."""
        return self.lexicon.views_of[self.source.relation.id]

    @cached_property
    def target_views(self) -> list[tuple[Words, ...]]:
        """What every candidate column may be taken to say."""
        of = [self.lexicon.views_of[m.relation.id] for m in self.models]
        return [of[m][c] for m, c in zip(self.model_of, self.column_of, strict=True)]

    @cached_property
    def cores(self) -> tuple[Words, ...]:
        """Words of every source column without a beginning that the table shares."""
        return self.lexicon.readings[self.source.relation.id].cores

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """Every source column's reading."""
        return self.lexicon.readings[self.source.relation.id].columns

    @cached_property
    def legible(self) -> "NDArray[np.float32]":
        """(n,) how far each source column's name is understood, half of it by its table's; in [0, 1]."""
        own = np.array([r.legible for r in self.readings], np.float32)
        return np.asarray((own + (own.mean() if len(own) else 0)) / 2, np.float32)

    @cached_property
    def source_words(self) -> list[Words]:
        """Words of every source column as they stand."""
        return self.lexicon.words_of[self.source.relation.id]

    @cached_property
    def target_words(self) -> list[Words]:
        """Words of every candidate column as they stand."""
        of = [self.lexicon.words_of[m.relation.id] for m in self.models]
        return [of[m][c] for m, c in zip(self.model_of, self.column_of, strict=True)]

    @cached_property
    def source_entity(self) -> tuple[str, ...]:
        """What the source table is about."""
        return entity(self.source.relation.name)

    @cached_property
    def abstract_names(self) -> list[tuple[str, ...]]:
        """Words of every source column with the table's own replaced by ``<table>``, as habits are learnt."""
        return [abstract(words(c.name), self.source_entity) for c in self.columns]

    @cached_property
    def abstract_targets(self) -> list[tuple[str, ...]]:
        """The same of the candidates, with the source table's words."""
        once = {c.name: abstract(words(c.name), self.source_entity) for c in self.targets}
        return [once[c.name] for c in self.targets]

    @cached_property
    def feeders(self) -> "list[list[tuple[str, str]]]":
        """The columns of other tables that feed every candidate today, as (source id, column in lower case)."""
        own = self.source.relation.id
        keys = [(self.models[m].relation.id, t.name.lower()) for m, t in zip(self.model_of, self.targets, strict=True)]
        return [[pair for pair in self.side.feeding.get(key, ()) if pair[0] != own] for key in keys]

    @cached_property
    def places_of_names(self) -> dict[Words, list[int]]:
        """Abstract name -> the candidates that have it."""
        found: dict[Words, list[int]] = {}
        for j, name in enumerate(self.abstract_targets):
            found.setdefault(name, []).append(j)
        return found

    def per_model(self, values: "Sequence[float] | NDArray[np.floating[Any]]") -> "Matrix":
        """One value a candidate model, spread over its columns and all source columns."""
        return np.broadcast_to(np.asarray(values, np.float32)[self.model_of], self.shape)

    @cached_property
    def coverage(self) -> "Coverage":
        """How much of one name's words the other has."""
        return Coverage(self)


class Coverage:
    """Weighted shares of words found on the other side, by the readings that fit best; each (n, k) in [0, 1]."""

    def __init__(self, block: Block) -> None:
        lexicon, source = block.lexicon, block.source.relation.id
        lefts, rows = distinct(lexicon.ours.of[source])
        none = int(lefts[0] < 0)
        lefts = lefts[none:]
        rights, model_of, columns = _distinct_views(block)
        left, right = lexicon.ours.some(lefts), lexicon.theirs.some(rights)
        table = lexicon.table.likeness
        likeness = table[np.ix_(left.words, right.words)]  # of the words that occur here
        # best[w, j]: how well word w of the source side is found in view j of the candidates
        best = _highest(likeness.T, right.places).T
        # found[i, t]: how well word t of the candidates is found in view i of the source columns
        found = _highest(likeness, left.places)
        if about := [w for words in lexicon.about[source] for w in words]:
            np.maximum(found, table[np.ix_(lexicon.table.rows(about), right.words)].max(axis=0), out=found)
        # words of the source name that the model's own name says already
        other = lexicon.said_by_names(left.words, [m.relation.id for m in block.models])
        helped = np.maximum(best, np.take(other, model_of, axis=1))
        of_target, in_model = found @ right.weights.T, left.weights @ helped
        fold = _Fold(rows - none, columns)
        self.of_source, self.of_target_in_table = fold(left.weights @ best), fold(of_target)
        self.of_source_in_model, self.head = fold(in_model), fold(likeness[np.ix_(left.last, right.last)])
        self.both = fold(np.minimum(in_model, of_target))


def _highest(likeness: Matrix, places: "NDArray[np.int64]") -> Matrix:
    """(views, m): for each list of places the highest of those rows of ``likeness``, (words, m)."""
    likeness = np.ascontiguousarray(likeness)
    out = likeness[places[:, 0]]
    for column in places[:, 1:].T:
        np.maximum(out, likeness[column], out=out)
    return out


class _Fold:
    """The best of each pair's views, from (views, views) to (n, k). Each row holds places of views, -1 for none."""

    def __init__(self, rows: "NDArray[np.int64]", columns: "NDArray[np.int64]") -> None:
        self.rows, self.columns = _nth(rows), _nth(columns)

    def __call__(self, values: Matrix) -> Matrix:
        (_, first), *more = self.rows
        best = values[first]
        for having, places in more:
            best[having] = np.maximum(best[having], values[places])
        (_, first), *more = self.columns
        out = np.take(best, first, axis=1)
        for having, places in more:
            out[:, having] = np.maximum(np.take(out, having, axis=1), np.take(best, places, axis=1))
        return out


def _nth(lists: "NDArray[np.int64]") -> list[tuple["NDArray[np.int64]", "NDArray[np.int64]"]]:
    """For every n: which lists have an n-th member, and what it is."""
    having = [np.flatnonzero(places >= 0) for places in lists.T]
    return [(some, places[some]) for some, places in zip(having, lists.T, strict=True) if len(some)]


def _distinct_views(block: Block) -> tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.int64]"]:
    """The distinct (view, model) of all candidates, and where each candidate's are, -1 for none."""
    of = [block.lexicon.theirs.of[m.relation.id] for m in block.models]
    first = np.cumsum([0, *(len(views) for views in of)])[:-1]
    views = np.concatenate(of)[first[block.model_of] + block.column_of]
    count = len(of)
    pairs = np.where(views < 0, -1, views * count + block.model_of[:, None])
    found, places = distinct(pairs)
    none = int(found[0] < 0)
    return found[none:] // count, found[none:] % count, places - none
