"""The words of all columns of a run: what makes a word rare, and alike to another."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.lexicon import LAYER_PREFIXES, SYNONYMS
from dbt_schema_embed.match.names import entity, segment
from dbt_schema_embed.match.phrases import Words
from dbt_schema_embed.match.pool import Matrix
from dbt_schema_embed.match.reading import TableReading
from dbt_schema_embed.match.views import Views, placed
from dbt_schema_embed.match.wordtable import WordTable
from dbt_schema_embed.records import Relation
from dbt_schema_embed.words import words

SHORT = 6
"""Letters of the longest word that is never cut."""

Said = tuple[Words, ...]
"""What a name may be taken to say."""

_NONE = np.zeros(0, np.int64)


def column_words(relation: Relation, cut: "_Cut") -> list[Words]:
    """The words of every column, without a beginning that nine in ten columns share, glued words cut where known."""
    split = [words(c.name) for c in relation.columns]
    firsts = Counter(w[0] for w in split if len(w) > 1)
    if firsts and len(split) > 4:
        first, times = firsts.most_common(1)[0]
        if times >= 0.9 * len(split):
            split = [w[1:] if len(w) > 1 and w[0] == first else w for w in split]
    return [cut[ws] for ws in split]


def known_words(relations: Iterable[Relation]) -> frozenset[str]:
    """Words that a glued name may be cut at: those that stand apart in names here, and those that databases shorten."""
    names: Counter[str] = Counter()
    for relation in relations:
        names.update({c.key for c in relation.columns})
    apart: set[str] = set()
    times: Counter[str] = Counter()
    for name, count in names.items():
        found = set(words(name))
        for word in found:
            times[word] += count
        if len(found) > 1:
            apart |= {w for w in found if len(w) > 3}
    repeated = {w for w, n in times.items() if n > 1 and len(w) > 1}
    known = frozenset(repeated | apart | {w for w in SYNONYMS if len(w) > 2})
    return frozenset(w for w in known if len(_pieces(w, known)) == 1)  # glued words teach nothing


def _pieces(word: str, known: frozenset[str]) -> Words:
    return segment(word, known) if len(word) > SHORT else (word,)


class _Cut(dict[Words, Words]):
    """Words of a name -> the same, glued ones cut: each once, for a project's tables have many names in common."""

    def __init__(self, known: frozenset[str]) -> None:
        self._known = known

    def __missing__(self, name: Words) -> Words:
        found = self[name] = tuple(p for w in name for p in _pieces(w, self._known))
        return found


class Lexicon:
    """The words of all columns of a run, as they stand and as they are read: how rare each is, and how alike."""

    def __init__(
        self, sources: Sequence[Relation], models: Sequence[Relation], readings: Mapping[str, TableReading]
    ) -> None:
        everything = (*sources, *models)
        self.readings = {r.id: readings[r.id] for r in everything}
        cut = _Cut(known_words(everything))
        self.said: list[Said] = []  # the distinct things that names may be taken to say ...
        self._known: dict[Said, int] = {}
        seen_before: dict[tuple[int, int], int] = {}
        self.of = {r.id: self._numbers(column_words(r, cut), self.readings[r.id], seen_before) for r in everything}
        self.sources = {r.id: r for r in sources}
        self._said: dict[str, dict[str, Words]] = {}
        self.about = {r.id: tuple(dict.fromkeys((entity(r.name), *self.readings[r.id].about))) for r in everything}
        seen: Counter[str] = Counter()
        for views, times in zip(self.said, np.bincount(np.concatenate([*self.of.values(), _NONE])), strict=True):
            for w in {w for view in views[:2] for w in view}:
                seen[w] += int(times)
        self.named = source_names(sources, models)
        self.columns = max(1, sum(len(r.columns) for r in everything))
        weight = {w: self.rarity(n) for w, n in seen.items()}
        left, right = ({r.id: self.of[r.id] for r in side} for side in (sources, models))
        self.table = WordTable(self._all(left), self._all(right))
        self.ours = Views(left, self.said, self.table.left, weight)
        self.theirs = Views(right, self.said, self.table.right, weight)
        self._names: dict[tuple[str, ...], tuple[NDArray[np.int64], Matrix, NDArray[np.int64]]] = {}

    def _numbers(
        self, raw: Sequence[Words], reading: TableReading, seen: dict[tuple[int, int], int]
    ) -> NDArray[np.int64]:
        """(columns,) places in ``said``: each column's words as they stand, then its readings. ``seen``: by the ids of
        both, for equal ones are mostly the same, and long to compare."""
        found = []
        for own, read in zip(raw, reading.columns, strict=True):
            n = seen.get(pair := (id(own), id(read)))
            if n is None:
                views = tuple(dict.fromkeys((own, *read.variants)))
                n = seen[pair] = self._known.setdefault(views, len(self.said))
                if n == len(self.said):
                    self.said.append(views)
            found.append(n)
        return np.array(found, np.int64)

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

    def tables_alike(self, source: str, models: tuple[str, ...], some: NDArray[np.int64] | None = None) -> Matrix:
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

    def said_by_names(self, words: NDArray[np.int64], models: Sequence[str]) -> Matrix:
        """(words, models): how well each word, a row of ``table``, is found in each model's name (ids)."""
        places = [(*(w for ws in self.about[m] for w in ws), "") for m in models]
        starts = np.cumsum([0, *map(len, places)])[:-1]
        flat = self.table.columns([w for ws in places for w in ws])
        return np.asarray(np.maximum.reduceat(self.table.likeness[np.ix_(words, flat)], starts, axis=1), np.float32)

    def _all(self, of: "Mapping[str, NDArray[np.int64]]") -> set[str]:
        names = {w for i in of for ws in self.about[i] for w in ws}
        some = set(np.concatenate([*of.values(), _NONE]).tolist())
        return names | {w for n in some for view in self.said[n] for w in view}


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
