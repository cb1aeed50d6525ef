"""Pieces of names that are no known words: cut off, without vowels, first letters, codes at the end."""

from collections.abc import Callable, Collection, Iterator

from dbt_schema_embed.match.knowledge import Knowledge, Sense

CUT_OFF = 4
"""Letters from which a piece may be the beginning of a longer word."""
_ENDING, _STEM = 2, 5
"""Letters that a word's ending has at most, and that are left without it at least."""
_CONSONANTS, _MOST_INITIALS = 3, 10
"""Letters of a word without its vowels at least, and of a name of first letters at most."""
_VOWELS = frozenset("aeiouy")
_CODES = frozenset({"amt", "cd", "cde", "dt", "dte", "fl", "flg", "id", "ind", "nbr", "nm", "no", "num", "pct", "qty",
                    "rte", "sts", "tim", "tp", "typ"})  # fmt: skip
"""Letters that names of old systems end with, for what kind of value they have."""


def long_forms(text: str, knowledge: Knowledge, languages: Collection[int]) -> tuple[Sense, ...]:
    """What the words of ``languages`` mean of which ``text`` is the beginning, where few begin so: ``bonif``; or such a
    word with another ending: ``putovnice``; or its consonants: ``kyt``."""
    if not languages or any(c.isdigit() for c in text):
        return ()
    starts = _starts(text) if len(text) >= CUT_OFF else ()
    senses = next(filter(None, (knowledge.begun(start, languages) for start in starts)), ())
    if not senses and len(text) >= _CONSONANTS and text.isascii() and _VOWELS.isdisjoint(text[1:]):
        senses = knowledge.vowelless(text, languages)
    return senses


def initials(name: str, known: Callable[[str], bool]) -> tuple[str, ...]:
    """``name`` cut into first letters of syllables that are known, few and long ones: ``lxr, dh``; none where it is no
    such name."""
    if not 1 < len(name) <= _MOST_INITIALS or not (name.isascii() and name.isalpha()):
        return ()
    return () if 4 * sum(c in _VOWELS for c in name) > len(name) else _fewest(name, known)


def _fewest(word: str, known: Callable[[str], bool]) -> tuple[str, ...]:
    if len(word) < 2 or known(word):
        return (word,) if known(word) else ()
    found = []
    for size in range(len(word) - 1, 1, -1):
        rest = _fewest(word[size:], known) if known(word[:size]) else ()
        if rest:
            found.append((word[:size], *rest))
    return min(found, key=len, default=())


def code_at_end(name: str) -> str:
    """The code for a kind of value that a short name ends with, "" where it has none: ``cd`` of ``hldcd``."""
    return next((name[-size:] for size in (3, 2) if name[-size:] in _CODES and len(name) - size > 1), "")


def _starts(text: str) -> Iterator[str]:
    """``text``, and without an ending; one in Latin letters has a vowel."""
    yield text
    for end in range(len(text) - 1, max(len(text) - _ENDING, _STEM) - 1, -1):
        if not text.isascii() or not _VOWELS.isdisjoint(text[end:]):
            yield text[:end]
