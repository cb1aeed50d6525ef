"""A file of SQL -> its statements that define tables, found without parsing the rest.

Dumps hold rows, grants and procedures that no parser need understand; only statements that create, alter or comment on
tables are handed on, each bounded in length and nesting before anything recurses over it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dbt_schema_embed.errors import ArtifactError

MAX_LENGTH = 1_000_000  # characters of one statement
MAX_DEPTH = 100  # brackets inside each other

# Every alternative that opens something also ends at the end of the text, so that no unclosed one is scanned twice.
_TOKEN = re.compile(
    r"""
      (?P<skip> --[^\n]* | /\*.*?(?:\*/|\Z) | "(?:[^"]|"")*(?:"|\Z) | `[^`]*(?:`|\Z)
              | (?P<tag>\$\w*\$).*?(?:(?P=tag)|\Z) )
    | (?P<string> ' )
    | (?P<rows> ^copy\b[^;\n]*\bfrom\s+stdin\b[^\n]*(?:\n|\Z).*?(?:^\\\.[ \t]*$|\Z) )
    | (?P<end> ; | ^[ \t]*go[ \t]*$ | ^[ \t]*(?=(?:create|alter\s+table|comment\s+on|insert|grant|use|set)\b) )
    | (?P<open> [(<] ) | (?P<close> [)>] )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
_STRING = re.compile(r"(?:[^']|'')*(?:'|\Z)", re.DOTALL)
_STRING_WITH_BACKSLASH = re.compile(r"(?:[^'\\]|\\.|'')*(?:'|\Z)", re.DOTALL)
_LEADING = re.compile(r"(?:\s+|--[^\n]*|/\*.*?\*/)*", re.DOTALL)
_DEFINES = re.compile(
    r"(?:create\b[^('\"`\[]{0,200}?\b(?:table|view)|alter\s+table|comment\s+on\s+(?:table|column))\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement and the 1-based line it starts on."""

    sql: str
    line: int


def defining_statements(text: str, shown: str, backslash: bool) -> Iterator[Piece]:
    """The statements of ``text`` that define tables, in order.

    Args:
        text: SQL of any dialect.
        shown: The file's name for messages.
        backslash: Whether a backslash escapes a quote in this dialect's strings.

    Raises:
        ArtifactError: a statement is too long or nests too deep.
    """
    line, counted = 1, 0
    for start, end, deepest in _cuts(text, _STRING_WITH_BACKSLASH if backslash else _STRING):
        lead = _LEADING.match(text, start, end)
        first = lead.end() if lead else start
        if not _DEFINES.match(text, first, end):
            continue
        line, counted = line + text.count("\n", counted, first), first
        if end - first > MAX_LENGTH:
            raise ArtifactError(f"{shown}: the statement in line {line} is longer than {MAX_LENGTH:,} characters")
        if deepest > MAX_DEPTH:
            raise ArtifactError(f"{shown}: the statement in line {line} nests brackets deeper than {MAX_DEPTH} levels")
        yield Piece(text[first:end], line)


def _cuts(text: str, string: re.Pattern[str]) -> Iterator[tuple[int, int, int]]:
    """(start, end, depth of brackets) of every statement."""
    start = depth = deepest = place = 0
    while token := _TOKEN.search(text, place):
        place = max(token.end(), token.start() + 1)
        if token["string"]:
            found = string.match(text, place)
            place = found.end() if found else place
        elif token["open"]:
            depth += 1
            deepest = max(deepest, depth)
        elif token["close"]:
            depth = max(0, depth - 1)
        elif token["rows"] or token["end"] == ";" or (token["end"] is not None and depth == 0):
            yield start, token.start(), deepest
            start, depth, deepest = token.end(), 0, 0
    yield start, len(text), deepest
