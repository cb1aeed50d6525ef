"""Suggestions as JSON for programs and as a table for people."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import msgspec

from dbt_schema_embed.colors import painted
from dbt_schema_embed.errors import printable
from dbt_schema_embed.records import Suggestion, Suggestions
from dbt_schema_embed.show.words import (
    candidates,
    counted,
    display_width,
    named,
    open_answer,
    padded,
    reason,
    short_name,
    sureness,
    target,
    unfed_words,
)

_PLAIN = re.compile(r"[\n -\[\]-~]*").fullmatch
"""JSON without an escape or a letter beyond ASCII."""
_LONG = re.compile(rb"\.\d{5}|\d[eE]").search
"""JSON with a number of more than four places, or a text like one."""
_SURE = len("0.97 doubtful")
_LEAST_REASON = 12  # columns below which a reason is not worth its place


def to_json(suggestions: Suggestions) -> str:
    """The JSON contract (`Suggestions.to_dict`), tables by id, columns in the source's order; same input, same bytes.

    ASCII only, so that no name can steer a terminal; numbers rounded to 4 places; what is not a number is null.
    """
    rows = sorted(suggestions.rows, key=lambda row: row.source)
    said = (_row_text(Suggestions((row,)).to_dict()["suggestions"][0]) for row in rows)
    whole = json.dumps(replace(suggestions, rows=()).to_dict(), indent=2, allow_nan=False) + "\n"
    if not rows:
        return whole
    head, tail = whole.split("[]", 1)  # the empty list of suggestions, the first there is
    return "".join([head, "[\n", ",\n".join(said), "\n  ]", tail])


def _row_text(row: dict[str, Any]) -> str:
    """A row as `json.dumps` indents it, and many times as fast where there is nothing to round or to escape."""
    code = msgspec.json.encode(row)
    if _LONG(code):
        code = msgspec.json.encode(_rounded(row))
    text = msgspec.json.format(code, indent=2).decode()
    if not _PLAIN(text):
        text = json.dumps(_rounded(row), indent=2, allow_nan=False)
    return "    " + text.replace("\n", "\n    ")


def to_table(suggestions: Suggestions, *, width: int | None = None, color: bool = False) -> str:
    """A table for each source table, what maps to nothing below it, counts at the end.

    ``width`` is the terminal's in columns, None where lines may be of any length. ``color`` False gives plain text.
    """
    tables = by_source(suggestions.rows)
    blocks = [_block(source, rows, width, color) for source, rows in tables]
    summary = counted(suggestions.rows) + (f", in {len(tables)} source tables" if len(tables) > 1 else "") + "\n"
    if suggestions.unfed:
        summary += f"nothing feeds: {unfed_words(suggestions.unfed)}\n"
    return "\n".join([*blocks, summary])


def by_source(rows: Iterable[Suggestion]) -> list[tuple[str, list[Suggestion]]]:
    """Rows by source table, tables by id, rows in their order."""
    ordered = sorted(rows, key=lambda row: row.source)
    return [(source, list(group)) for source, group in groupby(ordered, key=lambda row: row.source)]


def _block(source: str, rows: Sequence[Suggestion], width: int | None, color: bool) -> str:
    models = {short_name(row.model) for row in rows if row.model is not None and row.status != "existing"}
    models |= {printable(row.proposed_model, 120) for row in rows if row.proposed_model}
    arrow = f" → {next(iter(models))}" if len(models) == 1 else ""
    lines = [painted(short_name(source) + arrow, "title", color)]
    lines += _lines([row for row in rows if open_answer(row)], whole=len(models) != 1, width=width, color=color)
    for what, some in (
        ("already in SQL", [row for row in rows if row.model is not None and row.status == "existing"]),
        ("maps to nothing", [row for row in rows if row.model is None and not open_answer(row)]),
    ):
        texts = [f"  {what}: {named(row.source_column for row in some)}"] if some else []
        texts += [f"    {printable(row.source_column, 80)}: {printable(row.notes)}" for row in some if row.notes]
        lines += [painted(padded(text, width).rstrip() if width else text, "dim", color) for text in texts]
    return "\n".join(lines) + "\n"


def _lines(rows: Sequence[Suggestion], *, whole: bool, width: int | None, color: bool) -> Iterator[str]:
    """One line a row; ``whole``: the model's name stands before its column."""
    lefts = [printable(row.source_column, 120) for row in rows]
    rights = [_right(row, whole) for row in rows]
    left, right = (max(map(display_width, texts), default=0) for texts in (lefts, rights))
    if width is not None:
        room = max(width - len("    →   ") - _SURE, 20)
        left = min(left, max(room * 2 // 5, room - right))
        right = min(right, room - left)
    for row, source, goal in zip(rows, lefts, rights, strict=True):
        head = f"  {padded(source, left)} → {padded(goal, right)}  "
        sure = sureness(row)
        rest = None if width is None else width - display_width(head) - _SURE - 2
        why = candidates(row, whole=whole) if row.undecided else reason(row)
        if rest is not None:
            why = padded(why, rest).rstrip() if rest >= _LEAST_REASON else ""
        word = sure.rpartition(" ")[2]
        line = head + painted(sure.ljust(_SURE), word, color) + (f"  {painted(why, 'dim', color)}" if why else "")
        yield line.rstrip()


def _right(row: Suggestion, whole: bool) -> str:
    if row.model_column is None:
        if row.undecided:
            return "?"
        model = f"{printable(row.proposed_model, 120)}." if whole and row.proposed_model else ""
        return f"(new) {model}{printable(row.proposed_name, 120)}"
    return target(row) if whole else printable(row.model_column, 120)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, (list, tuple)) else value
