"""Sample values of a column. They can be secrets: they stay in memory and in no message."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from dbt_schema_embed.records import VALUES_LIMIT, Column

ROWS_LIMIT = 10_000  # rows of one file or table that are looked at
LENGTH_LIMIT = 1_000  # characters kept of one value

# What files write for "no value". dbt's own seeds read the first two as null.
_NULLS = frozenset(("", "null", "none", "nan", "nat", "na", "n/a", "<na>", "#n/a", "\\n"))


def sampled(column: Column, cells: Iterable[str]) -> Column:
    """``column`` with the distinct values of its cells, first seen first; blanks and words for null are left out."""
    values: dict[str, None] = {}
    count = 0
    for cell, rows in Counter(cells).items():
        text = cell.strip()
        if text.lower() in _NULLS:
            continue
        count += rows
        if len(values) < VALUES_LIMIT:
            values[text[:LENGTH_LIMIT]] = None
    return replace(column, values=tuple(values), value_count=count)


def joined(*groups: tuple[str, ...]) -> tuple[str, ...]:
    """The distinct values of all groups in their order, at most VALUES_LIMIT."""
    return tuple(dict.fromkeys(value for group in groups for value in group))[:VALUES_LIMIT] if any(groups) else ()
