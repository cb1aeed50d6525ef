"""Which relations have words in common, by an index of words: no table is compared with every other one."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.names import entity, squash, stem
from dbt_schema_embed.records import Relation
from dbt_schema_embed.words import words

COMMON = 1_000
"""Relations that have a word, from which on it is not looked up: it tells little, and costs much."""


class Nearby:
    """Relations by the stems of their columns' words, by their columns' whole names, and by their own names."""

    def __init__(self, relations: Sequence[Relation]) -> None:
        having: dict[str, list[int]] = defaultdict(list)
        for number, relation in enumerate(relations):
            for key in keys_of(relation):
                having[key].append(number)
        self.count = len(relations)
        self._having = {key: np.array(some, np.int64) for key, some in having.items() if len(some) <= COMMON}

    def nearest(self, keys: Iterable[str], most: int) -> NDArray[np.int64]:
        """The relations that have most of ``keys``, rare ones counting for more; at most ``most``, ascending."""
        score = np.zeros(self.count)
        for key in sorted(set(keys)):
            some = self._having.get(key)
            if some is not None:
                score[some] += log(1 + self.count / len(some))
        best = highest(score, most)
        return best[score[best] > 0]


def highest(values: "NDArray[np.floating[Any]]", most: int) -> NDArray[np.int64]:
    """The places of the ``most`` highest values, ascending; of equal ones the first."""
    if most >= len(values):
        return np.arange(len(values))
    least = np.partition(values, len(values) - most)[len(values) - most]
    found = values > least
    found[np.flatnonzero(values == least)[: most - int(np.count_nonzero(found))]] = True
    return np.flatnonzero(found)


def keys_of(relation: Relation, said: Iterable[Sequence[str]] = ()) -> set[str]:
    """What a relation is looked up by; ``said``: further words of its names."""
    keys = {f"{stem(w)} " for w in entity(relation.name)}  # the blank parts a table's words from its columns'
    for column in relation.columns:
        keys.add(f"={squash(column.name)}")
        keys.update(map(stem, words(column.name)))
    return keys | {stem(w) for view in said for w in view}


RIVALS = 100
"""Tables that are weighed against a table, at most."""


class Rivals:
    """The tables without a model that want the same models as another: all of them, or those nearest by their words."""

    def __init__(self, tables: Sequence[Relation]) -> None:
        self._ids = [r.id for r in tables]
        self.few = len(tables) <= RIVALS + 1
        self._nearby = Nearby(() if self.few else tables)

    def of(self, table: Relation) -> set[str]:
        """The ids of the rivals of ``table``, which is not among them."""
        some = self._ids if self.few else [self._ids[n] for n in self._nearby.nearest(keys_of(table), RIVALS + 1)]
        return {i for i in some if i != table.id}
