"""How alike a person's words and the names of columns are."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from dbt_schema_embed.match.lexicon import SYNONYMS
from dbt_schema_embed.match.wordtable import WordTable
from dbt_schema_embed.words import words

TABLE = 0.8
"""What a word is worth that the table's name has, beside one that the column's own name has."""

FOUND = 0.75
"""Weight of "how many of the query's words are found"; the rest goes to "how much of the name was asked for"."""

_COLUMNS = 2**17  # scored at a time

Ragged = tuple[NDArray[np.int64], NDArray[np.int32]]
"""Lists of word numbers: list i is ``[1][[0][i]:[0][i + 1]]``."""


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


def name_likeness(
    query: str,
    known: Sequence[str],
    names: Ragged,
    tables: Ragged,
    name_of: NDArray[np.int32],
    table_of: NDArray[np.int32],
) -> NDArray[np.float32]:
    """Likeness in [0, 1] of ``query`` to each column's name in its table: (columns,).

    ``known`` are the distinct words of all names, the ragged lists say which of them each distinct name and each table
    has, and ``name_of`` and ``table_of`` (columns,) say which of those a column has. So a word is compared once however
    many names it stands in, and a name is scored once however many columns have it.
    """
    asked = query_words(query)
    if not asked or not len(name_of):
        return np.zeros(len(name_of), np.float32)
    alike = _likeness(asked, known)
    own, table = _best_of_each(alike, names), TABLE * _best_of_each(alike, tables)
    sizes = np.diff(names[0])
    whole = np.add.reduceat(np.append(alike.max(axis=0)[names[1]], 0), names[0][:-1]) / np.maximum(sizes, 1)
    scores = np.zeros(len(name_of), np.float32)
    for start in range(0, len(name_of), _COLUMNS):
        part = slice(start, start + _COLUMNS)
        found = np.maximum(own[:, name_of[part]], table[:, table_of[part]]).mean(axis=0)
        scores[part] = FOUND * found + (1 - FOUND) * whole[name_of[part]]
    return np.where(sizes[name_of] > 0, scores, 0).astype(np.float32)


def _best_of_each(alike: NDArray[np.float32], lists: Ragged) -> NDArray[np.float32]:
    """(asked, lists): the likeness of the likest word in each list; 0 where a list has none."""
    starts, numbers = lists
    if len(starts) == 1:
        return np.zeros((len(alike), 0), np.float32)
    values = np.append(alike[:, numbers], np.zeros((len(alike), 1), np.float32), axis=1)
    return np.where(np.diff(starts) > 0, np.maximum.reduceat(values, starts[:-1], axis=1), np.float32(0))


def _likeness(asked: Sequence[str], known: Sequence[str]) -> NDArray[np.float32]:
    """(asked, known): as `WordTable`, which is asked only for words that can be alike.

    Those begin with the same letter, or are typed nearly alike, or mean the same.
    """
    letters = {word[:1] for word in asked}
    meant = {group for word in asked for group in SYNONYMS.get(word, ())}
    close = {i for word in asked for _, _, i in process.extract_iter(word, known, scorer=fuzz.ratio, score_cutoff=80)}
    near = [
        i for i, word in enumerate(known)
        if word[:1] in letters or i in close or not meant.isdisjoint(SYNONYMS.get(word, ()))
    ]  # fmt: skip
    table = WordTable(asked, [known[i] for i in near])
    alike = np.zeros((len(asked), len(known)), np.float32)
    alike[:, near] = table.likeness[np.ix_(table.rows(asked), table.columns([known[i] for i in near]))]
    return alike
