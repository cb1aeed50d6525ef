"""English phrases, as dictionaries say what a word means, in the words that a name would have."""

from collections.abc import Sequence
from functools import lru_cache

from dbt_schema_embed.words import words

Words = tuple[str, ...]

_FILLERS = frozenset({"of", "the", "a", "an", "for", "in", "and", "or"})
_PARTICLED = frozenset({"move", "moved", "check", "checked", "sign", "signed", "log", "logged", "clock", "clocked"})
"""Verbs that mean something else with "in"."""
_GLOSSES = {
    "state of processing": "processing status", "order of sorting": "sort order", "title of a person": "title",
    "child under age": "child", "department of a hospital": "department", "subject taught": "subject",
    "class at school": "class", "grade at school": "grade", "team in sport": "team", "match in sport": "match",
    "party in politics": "party", "case in court": "case", "article of law": "article", "article of news": "article",
    "share in a company": "share", "security paper": "security", "check for payment": "check",
    "payment term in days": "payment days", "line of transport": "line", "position at work": "position",
    "loan of a book": "loan", "work of art": "artwork", "application form": "application", "field of land": "field",
    "owner of property": "owner", "visit of a website": "visit", "visitor of a website": "visitor",
    "channel of media": "channel", "current electric": "current", "single unit": "single", "private use": "private",
    "program of the state": "program", "supplier of the state": "supplier", "station of measurement": "station",
    "timestamp of measurement": "measured at",
}  # fmt: skip
"""Meanings whose phrase explains more than a name would say."""


@lru_cache(maxsize=50_000)
def phrase_words(meaning: str) -> Words:
    """The words that count of an English phrase.

    >>> phrase_words("date of birth"), phrase_words("class at school")
    (('date', 'birth'), ('class',))
    """
    found = words(_GLOSSES.get(meaning, meaning))
    before = ("", *found)
    return tuple(w for b, w in zip(before, found, strict=False) if w not in _FILLERS or b in _PARTICLED) or found


def joined(phrases: Sequence[Words]) -> Words:
    """The phrases as one, each word said once, where it stands last: "code" and "drg code"."""
    return tuple(reversed(dict.fromkeys(w for words in reversed(phrases) for w in reversed(words))))
