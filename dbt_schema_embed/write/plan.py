"""What fresh suggestions change in a mapping that people have worked in.

Rows that are accepted or rejected stay as they are. A column with an accepted row is settled: nothing more is suggested
for it; nor for one with a proposal of an agent. A pair that was rejected is not suggested again. Rows nobody has
decided take the fresh answer in place, and go when their column is gone or maps to nothing now; a note stays, in a row
without a model. Where the table's columns are known in part only, what is not among them may well be there: its rows
and entries stay. New columns come at the end.

A row is rewritten only where its answer changed, or its confidence moved by `MOVED` or more: counts inside a reason
("as in 14 other models") change with every model somebody adds, and a diff in git should mean something.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from dbt_schema_embed.records import MappingFile, MappingRow, rounded

MOVED = 0.05
"""A confidence that moved by less, with nothing else new, does not rewrite its row."""

_DIGITS = re.compile(r"\d+")
_DECIDED = ("accepted", "rejected")

Key = Callable[[str], str]


LISTS = ("undecided", "unmapped")
"""The keys of a mapping file that list columns without an answer, in the order they stand in."""

PINS = ("into", "not_into")
"""Its keys that name models."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """What a run says of one source table: rows, and the columns without one."""

    rows: tuple[MappingRow, ...]
    undecided: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Every column it speaks of."""
        return [*(row.source_column for row in self.rows), *self.undecided, *self.unmapped]


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes to the rows of a file and to its lists, by their index."""

    refresh: Mapping[int, MappingRow]
    drop: Collection[int]
    add: Sequence[MappingRow]
    unmapped_drop: Collection[int]
    unmapped_add: Sequence[str]
    undecided_drop: Collection[int] = ()
    undecided_add: Sequence[str] = ()
    pins: tuple[tuple[str, ...], tuple[str, ...]] | None = None  # into and not_into; None: as they are

    def result(self, file: MappingFile) -> MappingFile:
        """``file`` with the plan carried out."""
        kept = (self.refresh.get(i, row) for i, row in enumerate(file.columns) if i not in self.drop)
        unmapped = (name for i, name in enumerate(file.unmapped) if i not in self.unmapped_drop)
        undecided = (name for i, name in enumerate(file.undecided) if i not in self.undecided_drop)
        return replace(
            file,
            columns=(*kept, *self.add),
            unmapped=(*unmapped, *self.unmapped_add),
            undecided=(*undecided, *self.undecided_add),
            into=file.into if self.pins is None else self.pins[0],
            not_into=file.not_into if self.pins is None else self.pins[1],
        )


def plan_update(file: MappingFile, fresh: Fresh, *, complete: bool = True) -> Plan:
    """The plan that brings ``file`` up to a fresh run; ``complete``: the run knows every column of the table."""
    key = name_key(fresh.names)
    seen = {key(name) for name in fresh.names}
    left = _left(fresh.rows, file.columns, key)
    found = _matched(file, left, key)
    refresh = {i: _refreshed(file.columns[i], row) for i, row in found.items() if _differs(file.columns[i], row)}
    drop: set[int] = set()
    for i, row in enumerate(file.columns):
        if _is_settled(row) or row.status == "rejected" or i in found:
            continue
        unknown = not complete and (key(row.source_column) not in seen or row.status == "existing")
        if row.note:  # a person's: it stays, and the answer goes
            if row.model is not None and not unknown:
                refresh[i] = replace(row, model=None, model_column=None, confidence=None, status="suggested", reason="")
        elif not unknown:
            drop.add(i)
    answered = {
        key(name)
        for i, row in enumerate(file.columns)
        for name in row.source_columns
        if _answers(row, i, drop, refresh)
    }
    unmapped = _list_changes(file.unmapped, fresh.unmapped, answered, seen, key, complete=complete)
    undecided = _list_changes(file.undecided, fresh.undecided, answered, seen, key, complete=complete)
    return Plan(refresh, drop, [row for rows in left.values() for row in rows], *unmapped, *undecided)


def _answers(row: MappingRow, index: int, drop: Collection[int], refresh: Mapping[int, MappingRow]) -> bool:
    """Whether the row, as it will be, says more of its column than a note."""
    row = refresh.get(index, row)
    return index not in drop and (row.model is not None or row.status in _DECIDED or row.proposed)


def _list_changes(
    old: Sequence[str],
    fresh: Sequence[str],
    answered: Collection[str],
    seen: Collection[str],
    key: Key,
    *,
    complete: bool,
) -> tuple[set[int], list[str]]:
    """What goes out of a list, by index, and what comes in."""
    wanted = {key(name): name for name in fresh if key(name) not in answered}
    drop: set[int] = set()
    listed: set[str] = set()
    for i, name in enumerate(old):
        unknown = not complete and key(name) not in seen and key(name) not in answered
        if (key(name) not in wanted and not unknown) or key(name) in listed:
            drop.add(i)
        listed.add(key(name))
    return drop, [name for k, name in wanted.items() if k not in listed]


def name_key(names: Collection[str]) -> Key:
    """What source column names compare by: without case, unless case is all that tells two of them apart."""
    distinct = set(names)
    return str.lower if len({name.lower() for name in distinct}) == len(distinct) else str


def _pair(row: MappingRow, key: Key) -> tuple[str, str | None, str | None]:
    return key(row.source_column), row.model, row.model_column


def _is_settled(row: MappingRow) -> bool:
    """Whether the row is somebody's answer: accepted, with SQL that somebody wrote, or proposed by an agent."""
    if row.invented:
        return False
    return row.status == "accepted" or row.proposed or bool(row.expression and row.status != "rejected")


def _left(fresh: Sequence[MappingRow], rows: Sequence[MappingRow], key: Key) -> dict[str, list[MappingRow]]:
    """The fresh rows that people have not answered, by column."""
    settled = {key(name) for row in rows if _is_settled(row) for name in row.source_columns}
    rejected = {_pair(row, key) for row in rows if row.status == "rejected"}
    left: dict[str, list[MappingRow]] = {}
    for row in fresh:
        if key(row.source_column) not in settled and _pair(row, key) not in rejected:
            left.setdefault(key(row.source_column), []).append(row)
    return left


def _matched(file: MappingFile, left: dict[str, list[MappingRow]], key: Key) -> dict[int, MappingRow]:
    """The fresh row of each undecided one, by index, taken out of ``left``: the same pair first, then any."""
    found: dict[int, MappingRow] = {}
    for same_pair in (True, False):
        for index, row in enumerate(file.columns):
            rows = left.get(key(row.source_column), [])
            if _is_settled(row) or row.status == "rejected" or index in found:
                continue
            match = next((r for r in rows if not same_pair or _pair(r, key) == _pair(row, key)), None)
            if match is not None:
                found[index] = match
                rows.remove(match)
    return found


def _differs(old: MappingRow, new: MappingRow) -> bool:
    if (old.model, old.model_column, old.status) != (new.model, new.model_column, new.status):
        return True
    if _DIGITS.sub("", old.reason) != _DIGITS.sub("", new.reason):
        return True
    if old.confidence is None or new.confidence is None:
        return old.confidence is not new.confidence
    return round(abs(old.confidence - new.confidence), 4) >= MOVED


def _refreshed(old: MappingRow, new: MappingRow) -> MappingRow:
    """``new`` with what is a person's: spelling, note and expression, digits of a confidence beyond two."""
    same = old.confidence is not None and rounded(old.confidence) == new.confidence
    return replace(
        old,
        model=new.model,
        model_column=new.model_column,
        status=new.status,
        reason=new.reason,
        confidence=old.confidence if same else new.confidence,
        decided_by=new.decided_by,
        decided_at=new.decided_at,
    )
