"""Every error a user can meet, and the exit code of each.

    SchemaEmbedError            1  (base: catch this one)
    ├── ConfigError             2  bad flag, setting or selection
    ├── ArtifactError           3  manifest, catalog, table or SQL file missing or unreadable
    ├── MappingError            1  a mapping file that cannot be read: a finding of `check`
    ├── IndexMismatchError      1  an index made by another encoder, missing or damaged
    ├── MemoError               1  the memo cannot be used
    ├── EncoderError            2  unknown encoder, wrong weights, no network
    ├── WriteError              1  a file that could not be written whole
    │   └── EditedError         1  somebody else changed the file since it was read
    └── MissingExtraError       4  an optional part is not installed

A message says what is wrong, where (file, line or column) and what to do next.
"""

import re
from collections.abc import Iterable

# Controls, line and paragraph separators, surrogates, and the marks that reorder text: what can move a cursor, forge a
# line or hide a name. Joiners and accents stay, for many scripts need them.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")


class SchemaEmbedError(Exception):
    """Base of all errors of this package. ``hint`` is what to do next, one line, or empty."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class ConfigError(SchemaEmbedError):
    """A flag, a setting or a selection that cannot be used."""

    exit_code = 2


class ArtifactError(SchemaEmbedError):
    """A manifest, catalog, table or SQL file that is missing or cannot be read."""

    exit_code = 3


class MappingError(SchemaEmbedError):
    """A mapping file that cannot be read. ``line`` is 1-based, 0 when unknown."""

    def __init__(self, message: str, *, path: str, line: int = 0, hint: str = "") -> None:
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}", hint=hint)
        self.path = path
        self.line = line
        self.problem = message


class IndexMismatchError(SchemaEmbedError):
    """An index whose encoder or dimension is not the one asked for, or whose files are damaged."""


class MemoError(SchemaEmbedError):
    """The memo of vectors cannot be used."""


class EncoderError(SchemaEmbedError):
    """An encoder that is unknown, unreachable, or whose weights are not the published ones."""

    exit_code = 2


class WriteError(SchemaEmbedError):
    """A file that could not be written; the old one is untouched."""


class EditedError(WriteError):
    """A file that somebody else changed since it was read; what they wrote stands."""


class MissingExtraError(SchemaEmbedError):
    """An optional part that is not installed. ``extra`` is its name in pyproject.toml."""

    exit_code = 4

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional part: pip install 'dbt-schema-embed[{extra}]'")
        self.extra = extra


def listed(items: list[str], limit: int = 5) -> str:
    """``items`` sorted and joined, cut at ``limit`` with "and N more"."""
    names = sorted(items)
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")


def printable(text: object, limit: int = 200) -> str:
    """``text`` from outside, fit for a message: no controls, no marks that reorder text, cut at ``limit``."""
    shown = _UNPRINTABLE.sub("", str(text)[: limit * 8])
    return shown if len(shown) <= limit else shown[: limit - 1] + "\u2026"


def refuse_text(**sequences: object) -> None:
    """Raises TypeError where a text stands for a sequence of texts, for its letters would be taken for them."""
    for name, value in sequences.items():
        if isinstance(value, str):
            raise TypeError(f"{name} takes a sequence of texts, not one text: wrap it in a list")


def near_hint(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """A hint that names the nearest of ``known``, blind to case; empty when none is near."""
    close = nearest(word, known, cutoff=cutoff)
    return f"did you mean {printable(close[0])}?" if close else ""


def nearest(word: str, known: Iterable[str], limit: int = 1, cutoff: float = 0.6) -> list[str]:
    """At most ``limit`` of ``known`` that are spelled much like ``word``, blind to case, nearest first."""
    from difflib import get_close_matches

    spelled = {name.lower(): name for name in reversed([*known])}
    return [spelled[name] for name in get_close_matches(word.lower()[:200], spelled, limit, cutoff)]
