"""How alike a person's words and the names of columns are."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.names import words
from dbt_schema_embed.match.wordtable import WordTable
from dbt_schema_embed.records import Relation

TABLE = 0.8
"""What a word is worth that the table's name has, beside one that the column's own name has."""

FOUND = 0.75
"""Weight of "how many of the query's words are found"; the rest goes to "how much of the name was asked for"."""


def query_words(query: str) -> tuple[str, ...]:
    """The words of a query, single letters joined to the word after them.

    >>> query_words("customer e-mail")
    ('customer', 'email')
    """
    found: list[str] = []
    letter = ""
    for word in words(query):
        if len(word) == 1 and word.isalpha():
            letter += word
        else:
            found.append(letter + word)
            letter = ""
    return tuple(dict.fromkeys([*found, *([letter] if letter else [])]))


def name_likeness(query: str, relations: Sequence[Relation]) -> NDArray[np.float32]:
    """Likeness in [0, 1] of ``query`` to each column's name in its table, relation by relation: (columns,)."""
    asked = query_words(query)
    names = [[words(c.name) for c in r.columns] for r in relations]
    tables = [words(r.name) for r in relations]
    known = WordTable(asked, {w for group in names for name in group for w in name} | {w for t in tables for w in t})
    rows = known.likeness[known.rows(asked)]  # (query words, known words + 1)
    scores = [
        _score(rows, known.columns(name), known.columns(table))
        for group, table in zip(names, tables, strict=True)
        for name in group
    ]
    return np.array(scores, np.float32)


def _score(rows: NDArray[np.float32], name: NDArray[np.int64], table: NDArray[np.int64]) -> float:
    if not len(name) or not len(rows):
        return 0.0
    own = rows[:, name]
    best = own.max(axis=1)
    if len(table):
        best = np.maximum(best, TABLE * rows[:, table].max(axis=1))
    return float(FOUND * best.mean() + (1 - FOUND) * own.max(axis=0).mean())
