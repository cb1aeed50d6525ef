"""Sample values of a column. They can be secrets: they stay in memory and in no message."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from dbt_schema_embed.records import VALUES_LIMIT

ROWS_LIMIT = 10_000  # rows of one file or table that are looked at
LENGTH_LIMIT = 1_000  # characters kept of one value

# What files write for "no value". dbt's own seeds read the first two as null.
_NULLS = frozenset(("", "null", "none", "nan", "nat", "na", "n/a", "<na>", "#n/a", "\\n"))


@dataclass(frozen=True, slots=True)
class Sample:
    """Distinct values of one column, first seen first, and the number of rows with a value."""

    values: tuple[str, ...] = field(default=(), repr=False)
    count: int = 0


NO_SAMPLE = Sample()


def sample(cells: Iterable[str]) -> Sample:
    """The sample of one column's cells; blanks and words for null are left out."""
    values: dict[str, None] = {}
    count = 0
    for cell, rows in Counter(cells).items():
        text = cell.strip()
        if text.lower() in _NULLS:
            continue
        count += rows
        if len(values) < VALUES_LIMIT:
            values[text[:LENGTH_LIMIT]] = None
    return Sample(tuple(values), count)


def joined(*groups: tuple[str, ...]) -> tuple[str, ...]:
    """The distinct values of all groups in their order, at most VALUES_LIMIT."""
    return tuple(dict.fromkeys(value for group in groups for value in group))[:VALUES_LIMIT]
