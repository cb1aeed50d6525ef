"""What a report says about the one before it, read from the data that stand in both."""

from collections.abc import Iterator, Mapping
from typing import Any

from dbt_schema_embed.errors import printable
from dbt_schema_embed.records import rounded

LIMIT = 300
"""Changes that are listed."""

MOVED = 1000
"""A confidence that moved by less than this (in 1/10000) with the same answer is no change."""

_STATUS = ("suggested", "in SQL", "accepted", "rejected")
_Answer = tuple[str, int, int]
"""Target ("" for nothing), confidence, number of the status."""


def changes(now: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """``{"since": when, "lines": [[what, column, words], ...], "more": lines left out}``; since "": no earlier report.

    Tables that only one of the two reports is about are named as such, without their columns.
    """
    old = _tables(before) if before is not None and before.get("version") == now["version"] else None
    if before is None or old is None:
        return {"since": "", "lines": [], "more": 0}
    lines = list(_lines(_tables(now) or {}, old))
    return {"since": printable(before.get("made", "")), "lines": lines[:LIMIT], "more": max(0, len(lines) - LIMIT)}


def _lines(now: Mapping[str, dict[str, _Answer]], old: Mapping[str, dict[str, _Answer]]) -> Iterator[list[str]]:
    for label in sorted({*now, *old}):
        if label not in old:
            yield ["new table", label, f"{len(now[label])} columns"]
        elif label not in now:
            yield ["not in this report", label, f"{len(old[label])} columns"]
        else:
            yield from _columns(label, now[label], old[label])


def _columns(label: str, now: Mapping[str, _Answer], old: Mapping[str, _Answer]) -> Iterator[list[str]]:
    for name in dict.fromkeys([*now, *old]):
        place = f"{label}.{name}"
        if name not in old:
            yield ["new column", place, now[name][0] or "maps to nothing"]
        elif name not in now:
            yield ["column is gone", place, ""]
        elif said := _difference(now[name], old[name]):
            yield [*said[:1], place, *said[1:]]


def _difference(now: _Answer, old: _Answer) -> list[str]:
    """What happened, and in words from what to what; empty: nothing."""
    if now[2] != old[2]:
        return [_STATUS[now[2]], now[0] or "nothing"]
    if now[0] != old[0]:
        return ["another answer", f"{old[0] or 'nothing'} → {now[0] or 'nothing'}"]
    if abs(now[1] - old[1]) >= MOVED:
        return [
            "surer" if now[1] > old[1] else "less sure",
            f"{rounded(old[1] / 10_000):.2f} → {rounded(now[1] / 10_000):.2f}",
        ]
    return []


def _tables(data: Mapping[str, Any]) -> dict[str, dict[str, _Answer]] | None:
    """Table -> column -> answer; None where the data are not as this version writes them."""
    try:
        names = [f"{data['models'][model]}.{column}" for model, column in data["targets"]]
        return {
            printable(table["label"]): {
                printable(row[0]): (printable(names[row[3]]) if row[3] >= 0 else "", int(row[4]), _status(row[5]))
                for row in table["rows"]
            }
            for table in data["tables"]
        }
    except (KeyError, IndexError, TypeError, ValueError):
        return None  # somebody's own file: there is nothing to compare with


def _status(number: Any) -> int:
    if number not in range(len(_STATUS)):
        raise ValueError(number)
    return int(number)
