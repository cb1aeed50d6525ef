"""Names that no dictionary reads, taken for the models' names and words that a multilingual encoder finds like them."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.kept_readings import KeptReadings
from dbt_schema_embed.match.knowledge import GUESS, Knowledge, fold, knowledge
from dbt_schema_embed.match.phrases import Words
from dbt_schema_embed.match.reading import Glossary, Reading, TableReading, read_tables
from dbt_schema_embed.records import Relation
from dbt_schema_embed.words import words

Vectors = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts of many languages -> a row of length 1 each."""

NAME, WORD, MARGIN = 0.6, 0.7, 0.1
"""Least cosines of a name to a model's name and of a word to one of its words, and by how much all others are less
alike. Chosen on half of benchmarks/systems (benchmarks/RESULTS.md)."""
PLAIN = 0.8
"""Share of a table's letters that is read from which the rest, in ASCII, is an abbreviation rather than a language."""


def read_with_guesses(
    sources: Sequence[Relation],
    models: Sequence[Relation],
    known: Knowledge | None = None,
    glossary: Glossary | None = None,
    vectors: Vectors | None = None,
    kept: KeptReadings | None = None,
) -> dict[str, TableReading]:
    """As `read_tables`; with ``vectors`` again where these say something of what was left unread."""
    readings = read_tables(sources, models, known, glossary, kept)
    unread = dict(pair for source in sources for pair in _unread(readings[source.id])) if vectors else {}
    if not vectors or not unread or not models:
        return readings
    guessed = _guesses(unread, models, vectors)
    return read_tables(sources, models, (known or knowledge()).with_words(guessed, GUESS), glossary)


def _unread(table: TableReading) -> Iterator[tuple[str, Words]]:
    """(name, its words that are not read) of a table's columns; nothing of a table in abbreviated English."""
    plain = sum(r.legible for r in table.columns) >= PLAIN * len(table.columns)
    for reading, core in zip(table.columns, table.cores, strict=True):
        pieces = [p for p in _pieces(reading) if not plain or not p.isascii()]
        if pieces:
            yield " ".join(core), tuple(w for w in core if any(p in fold(w) for p in pieces))


def _pieces(reading: Reading) -> list[str]:
    found = [p.text for p in reading.parts if not p.known and any(c.isalpha() for c in p.text)]
    return [text for text in found if len(text) > 2 or not text.isascii()]


def _guesses(unread: Mapping[str, Words], models: Sequence[Relation], vectors: Vectors) -> list[tuple[str, str]]:
    """(name or word, meaning) where the vectors are sure enough: names first, then words of the other names."""
    theirs = sorted({" ".join(words(c.name)) for m in models for c in m.columns})
    found = _nearest(list(unread), theirs, NAME, vectors)
    rest = dict.fromkeys(w for name, some in unread.items() if name not in found for w in some if w not in found)
    parts = sorted({w for name in theirs for w in name.split() if len(w) > 2 and not w.isdigit()})
    return [*found.items(), *_nearest(list(rest), parts, WORD, vectors).items()]


def _nearest(asked: Sequence[str], phrases: Sequence[str], least: float, vectors: Vectors) -> dict[str, str]:
    """Text -> the phrase that it is like; one whose words are the same is no rival of it."""
    if not asked or not phrases:
        return {}
    rows, found = vectors([*asked, *phrases]), {}
    for text, row in zip(asked, rows, strict=False):
        cosine = rows[len(asked) :] @ row
        order = np.argsort(-cosine, kind="stable")[:_RIVALS].tolist()
        best = phrases[order[0]]
        rivals = [float(cosine[j]) for j in order if set(phrases[j].split()) != set(best.split())]
        if cosine[order[0]] >= max(least, max(rivals, default=0.0) + MARGIN):
            found[text] = best
    return found


_RIVALS = 6
"""Phrases that are looked at: the first with other words is seldom later."""
