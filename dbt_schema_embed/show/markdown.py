"""Suggestions as a comment of a pull request: a summary, and a folded table for each source table."""

import re
from collections.abc import Iterator, Sequence
from html import escape

from dbt_schema_embed.errors import printable
from dbt_schema_embed.records import LIKELY, Suggestion, Suggestions
from dbt_schema_embed.show.table import by_source
from dbt_schema_embed.show.words import (
    candidates,
    counted,
    named,
    open_answer,
    reason,
    short_name,
    sureness,
    target,
    unfed_words,
)

LIMIT = 60_000
"""Characters of one comment; GitHub takes 65,536, GitLab more."""

_SPECIAL = re.compile(r"[\\`*_\[\]<>&|~$@#]|:(?=//)|www(?=\.)", re.IGNORECASE)
_ROOM = 200  # for the line that says what was left out


def to_markdown(suggestions: Suggestions, *, title: str = "Column mappings", limit: int = LIMIT) -> str:
    """At most ``limit`` characters: what does not fit is left out whole, table by table, and said so.

    Rows that need a person come first. Names are escaped: no markup, no mention, no link comes from outside.
    """
    tables = by_source(suggestions.rows)
    unfed = f"\nNothing feeds {unfed_words(suggestions.unfed, 20, _code)}.\n" if suggestions.unfed else ""
    parts = [f"### {_plain(title)}\n\n{counted(suggestions.rows)}\n{unfed}"]
    left = limit - len(parts[0]) - _ROOM
    for number, (source, rows) in enumerate(tables):
        section = _section(source, rows, left)
        if not section or len(section) > left:
            names = named((short_name(name) for name, _ in tables[number:]), limit=3, show=_code)
            parts.append(f"\nLeft out, for a comment has its limits: {names}\n")
            break
        parts.append(section)
        left -= len(section) + 1
    return "\n".join(parts)[:limit]


def _section(source: str, rows: Sequence[Suggestion], room: int) -> str:
    """One folded table, its rows cut where they would not fit; empty where not even one does."""
    doubtful = sum(_needs_a_person(row) for row in rows)
    note = f", {doubtful} to look at" if doubtful else ""
    head = f"<details><summary><code>{escape(short_name(source))}</code>: {counted(rows)}{note}</summary>\n\n"
    body = "| source column | model column | confidence | reason |\n| --- | --- | --- | --- |\n"
    tail = "".join(_tail(rows))
    end = "\n</details>\n"
    shown = sorted(filter(open_answer, rows), key=lambda row: not _needs_a_person(row))
    lines = [_line(row) for row in shown]
    room -= len(head) + len(body) + len(tail) + len(end) + _ROOM
    kept = 0
    while kept < len(lines) and len(lines[kept]) <= room:
        room -= len(lines[kept])
        kept += 1
    if lines and not kept:
        return ""
    more = f"\n{len(lines) - kept} more in the mapping file.\n" if kept < len(lines) else ""
    return head + (body if lines else "") + "".join(lines[:kept]) + more + tail + end


def _tail(rows: Sequence[Suggestion]) -> Iterator[str]:
    for what, some in (
        ("Already in SQL", [row.source_column for row in rows if row.model is not None and row.status == "existing"]),
        ("Maps to nothing", [row.source_column for row in rows if row.model is None and not open_answer(row)]),
    ):
        if some:
            yield f"\n{what}: {named(some, limit=20, show=_code)}\n"
    for row in rows:
        if row.notes and not open_answer(row):
            yield f"\n{_code(printable(row.source_column, 120))}: {_plain(printable(row.notes))}\n"


def _needs_a_person(row: Suggestion) -> bool:
    return row.status == "suggested" and (row.undecided or (row.model is not None and row.confidence < LIKELY))


def _line(row: Suggestion) -> str:
    new = ".".join(printable(part, 120) for part in (row.proposed_model, row.proposed_name) if part)
    goal = _code(target(row)) if row.model is not None else f"new: {_code(new)}"
    if row.undecided:
        goal = "?"
    why = candidates(row) if row.undecided else reason(row)
    cells = _code(printable(row.source_column, 120)), goal, sureness(row), _plain(why)
    return "| " + " | ".join(cells) + " |\n"


def _code(text: str) -> str:
    """``text`` as code, where neither markup nor mentions count; bars are escaped as tables want it."""
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    blank = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{blank}{text}{blank}{fence}".replace("|", "\\|")


def _plain(text: str) -> str:
    """``text`` letter by letter: markup escaped; mentions, references and addresses broken by a space of no width."""

    def harmless(found: re.Match[str]) -> str:
        word = found[0]
        return f"{word}&#8203;" if word in "@#:" or len(word) > 1 else f"&#{ord(word)};"

    return _SPECIAL.sub(harmless, text)
