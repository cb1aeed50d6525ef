"""One source table against its candidate columns: what every signal looks at."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.all_words import Lexicon, Said
from dbt_schema_embed.match.habits import Habits, abstract
from dbt_schema_embed.match.names import entity
from dbt_schema_embed.match.phrases import Words
from dbt_schema_embed.match.pool import Matrix as Matrix
from dbt_schema_embed.match.pool import Pool
from dbt_schema_embed.match.reading import Reading
from dbt_schema_embed.match.value_profiles import Profile, profiles
from dbt_schema_embed.match.views import distinct
from dbt_schema_embed.records import Column, Embedded
from dbt_schema_embed.words import words


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
    def source_says(self) -> "NDArray[np.int64]":
        """(n,) places in the lexicon of what every source column may be taken to say."""
        return self.lexicon.of[self.source.relation.id]

    @cached_property
    def target_says(self) -> "NDArray[np.int64]":
        """(k,) the same of every candidate."""
        of = [self.lexicon.of[m.relation.id] for m in self.models]
        first = np.cumsum([0, *map(len, of)])[:-1]
        found: NDArray[np.int64] = np.concatenate(of)[first[self.model_of] + self.column_of]
        return found

    @cached_property
    def source_views(self) -> list[Said]:
        """What every source column may be taken to say."""
        return [self.lexicon.said[n] for n in self.source_says.tolist()]

    @cached_property
    def target_views(self) -> list[Said]:
        """What every candidate column may be taken to say."""
        return [self.lexicon.said[n] for n in self.target_says.tolist()]

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
        return [views[0] for views in self.source_views]

    @cached_property
    def target_words(self) -> list[Words]:
        """Words of every candidate column as they stand."""
        return [views[0] for views in self.target_views]

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
        ids = [m.relation.id for m in self.models]
        keys = [(ids[m], t.name.lower()) for m, t in zip(self.model_of.tolist(), self.targets, strict=True)]
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
        lefts, rows = distinct(lexicon.ours.rows[block.source_says])
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
    views, count = block.lexicon.theirs.rows[block.target_says], len(block.models)
    pairs = np.where(views < 0, -1, views * count + block.model_of[:, None])
    found, places = distinct(pairs)
    none = int(found[0] < 0)
    return found[none:] // count, found[none:] % count, places - none
