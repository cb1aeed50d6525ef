"""What fresh suggestions change in a mapping that people have worked in.

Rows that are accepted or rejected stay as they are. A column with an accepted row is settled: nothing more is suggested
for it. A pair that was rejected is not suggested again. Rows nobody has decided take the fresh answer in place, and go
when their column is gone or maps to nothing now. New columns come at the end.

A row is rewritten only where its answer changed, or its confidence moved by `MOVED` or more: counts inside a reason
("as in 14 other models") change with every model somebody adds, and a diff in git should mean something.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from dbt_schema_embed.records import MappingFile, MappingRow

MOVED = 0.05
"""A confidence that moved by less, with nothing else new, does not rewrite its row."""

_DIGITS = re.compile(r"\d+")
_DECIDED = ("accepted", "rejected")

Key = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes to the rows of a file, by their index."""

    refresh: Mapping[int, MappingRow]
    drop: Collection[int]
    add: Sequence[MappingRow]
    unmapped_drop: Collection[int]
    unmapped_add: Sequence[str]

    @property
    def empty(self) -> bool:
        """Nothing changes."""
        return not (self.refresh or self.drop or self.add or self.unmapped_drop or self.unmapped_add)

    def result(self, file: MappingFile) -> MappingFile:
        """``file`` with the plan carried out."""
        kept = (self.refresh.get(i, row) for i, row in enumerate(file.columns) if i not in self.drop)
        unmapped = (name for i, name in enumerate(file.unmapped) if i not in self.unmapped_drop)
        return replace(file, columns=(*kept, *self.add), unmapped=(*unmapped, *self.unmapped_add))


def plan_update(file: MappingFile, rows: Sequence[MappingRow], unmapped: Sequence[str]) -> Plan:
    """The plan that brings ``file`` up to fresh ``rows`` and the columns that now map to nothing."""
    key = name_key([*(row.source_column for row in rows), *unmapped])
    decided = [row for row in file.columns if row.status in _DECIDED]
    left = _undecided(rows, decided, key)
    found = _matched(file, left, key)
    refresh = {i: _refreshed(file.columns[i], row) for i, row in found.items() if _differs(file.columns[i], row)}
    known = {key(row.source_column) for row in decided}
    wanted = {key(name): name for name in unmapped if key(name) not in known}
    drop, listed = set(), set()
    for i, name in enumerate(file.unmapped):
        if key(name) not in wanted or key(name) in listed:
            drop.add(i)
        listed.add(key(name))
    return Plan(
        refresh=refresh,
        drop={i for i, row in enumerate(file.columns) if row.status not in _DECIDED and i not in found},
        add=[row for rows_left in left.values() for row in rows_left],
        unmapped_drop=drop,
        unmapped_add=[name for k, name in wanted.items() if k not in listed],
    )


def name_key(names: Collection[str]) -> Key:
    """What source column names compare by: without case, unless case is all that tells two of them apart."""
    distinct = set(names)
    return str.lower if len({name.lower() for name in distinct}) == len(distinct) else str


def _pair(row: MappingRow, key: Key) -> tuple[str, str | None, str | None]:
    return key(row.source_column), row.model, row.model_column


def _undecided(rows: Sequence[MappingRow], decided: Sequence[MappingRow], key: Key) -> dict[str, list[MappingRow]]:
    """The fresh rows that people have not answered, by column."""
    settled = {key(row.source_column) for row in decided if row.status == "accepted"}
    rejected = {_pair(row, key) for row in decided if row.status == "rejected"}
    left: dict[str, list[MappingRow]] = {}
    for row in rows:
        if key(row.source_column) not in settled and _pair(row, key) not in rejected:
            left.setdefault(key(row.source_column), []).append(row)
    return left


def _matched(file: MappingFile, left: dict[str, list[MappingRow]], key: Key) -> dict[int, MappingRow]:
    """The fresh row of each undecided one, by index, taken out of ``left``: the same pair first, then any."""
    found: dict[int, MappingRow] = {}
    for same_pair in (True, False):
        for index, row in enumerate(file.columns):
            rows = left.get(key(row.source_column), [])
            if row.status in _DECIDED or index in found:
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
    """``new`` with what is a person's: how the column is spelled, the note, digits of a confidence beyond two."""
    same = old.confidence is not None and round(old.confidence, 2) == new.confidence
    confidence = old.confidence if same else new.confidence
    return replace(new, source_column=old.source_column, note=old.note, confidence=confidence)
