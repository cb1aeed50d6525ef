"""A person's decisions into a mapping file, which stays as they wrote it otherwise."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dbt_schema_embed.errors import ConfigError, near_hint, printable
from dbt_schema_embed.files import content_hash
from dbt_schema_embed.records import MappingFile, MappingRow, Status
from dbt_schema_embed.write.mapping import parse_mapping, read_text
from dbt_schema_embed.write.plan import LISTS, Key, Plan, name_key
from dbt_schema_embed.write.rewrite import Rewrite
from dbt_schema_embed.write.update import carried_out

_SUGGESTED: tuple[Status, ...] = ("suggested",)
_OPEN: tuple[Status, ...] = ("suggested", "existing")
_BY_HAND = "decided by hand"


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody says about one source column, or about several that an expression joins.

    Without ``model`` and ``model_column`` it is about the one row that is open, else about the only row; for a
    column without an answer, accepted then says that it feeds nothing, for good. With them it is about that pair,
    which may be one that was never suggested: accepted, it takes the place of the answer that was, unless ``also``.
    """

    source_column: str
    status: Status | None = None  # None: keep it; "suggested" opens a decided row again, and with a reason proposes
    model: str | None = None  # the model's name as in the file
    model_column: str | None = None
    note: str | None = None  # None: keep it; "": remove it
    also: bool = False  # a row more, beside the column's accepted ones
    others: tuple[str, ...] = ()  # further columns that the expression takes
    expression: str | None = None  # None: keep it; "": remove it
    by: str = ""  # who decides, or proposes
    at: str = ""  # the day
    reason: str | None = None  # why, in place of the row's reason; without a model the column then feeds nothing


def decide(
    path: Path, decisions: Sequence[Decision] | Callable[[MappingFile], Sequence[Decision]], *, shown: str = ""
) -> Rewrite:
    """The mapping file at ``path`` with ``decisions`` made, first one first; some may depend on what the file says.

    Accepting a pair nobody suggested rewrites the column's open row, else its accepted one; it loses its confidence,
    which was the suggestion's. Opened again, an answer of nothing goes back to the unmapped columns.

    Raises:
        MappingError: the file cannot be read.
        ConfigError: a column the file does not have, or that has several rows to choose from.
        WriteError: the file is written in a way that cannot be changed safely.
    """
    shown = shown or path.name
    content, text = read_text(path, shown)
    return decided(Rewrite(path, shown, text, text, content_hash(content)), decisions)


def decided(rewrite: Rewrite, decisions: Sequence[Decision] | Callable[[MappingFile], Sequence[Decision]]) -> Rewrite:
    """A mapping file as it should become, with decisions made as well; raises as `decide`."""
    file, root = parse_mapping(rewrite.text, rewrite.shown)
    desk = _Desk(file)
    for decision in decisions(file) if callable(decisions) else decisions:
        desk.take(decision)
    return replace(rewrite, text=carried_out(rewrite.text, root, file, desk.plan(), rewrite.shown))


def take_back(path: Path, done: Rewrite, *, shown: str = "") -> Rewrite:
    """The mapping file at ``path`` with the columns that ``done`` changed as they were before; all else stays.

    ``done`` is a `Rewrite` that `decide` made and that was written; others may have written since.

    Raises:
        MappingError: the file cannot be read.
        ConfigError: one of these columns was decided about again since.
        WriteError: the file is written in a way that cannot be changed safely.
    """
    shown = shown or path.name
    content, text = read_text(path, shown)
    if text == done.text:
        return Rewrite(path, shown, text, done.before or "", content_hash(content))
    file, root = parse_mapping(text, shown)
    old, new = (parse_mapping(version, shown)[0] for version in (done.before or "", done.text))
    plan = _inverse(file, old, new)
    return Rewrite(path, shown, text, carried_out(text, root, file, plan, shown), content_hash(content))


def _inverse(file: MappingFile, old: MappingFile, new: MappingFile) -> Plan:
    """What brings the columns of ``file`` in which ``old`` and ``new`` differ from the new to the old."""
    key = name_key([name for version in (file, old, new) for name in _names(version)])
    now, before, after = (_by_column(version, key) for version in (file, old, new))
    changed = [k for k in {**after, **before} if after.get(k) != before.get(k)]
    for k in changed:
        if now.get(k) != after.get(k):
            name = next(name for name in [*_names(new), *_names(old)] if key(name) == k)
            raise ConfigError(
                f"column {printable(name)!r} of {file.path} was decided about again meanwhile: it is left as it is"
            )
    refresh: dict[int, MappingRow] = {}
    drop: set[int] = set()
    add: list[MappingRow] = []
    for k in changed:  # each row with the column that it names first
        places = [i for i, row in enumerate(file.columns) if key(row.source_column) == k]
        rows = [row for row in old.columns if key(row.source_column) == k]
        refresh |= {i: row for i, row in zip(places, rows, strict=False) if not _same(row, file.columns[i])}
        drop |= set(places[len(rows) :])
        add += rows[len(places) :]
    lists: dict[str, Any] = {}
    for kind in LISTS:
        here, was = getattr(file, kind), getattr(old, kind)
        about, kept = ({key(name) for name in names} & set(changed) for names in (here, was))
        lists[f"{kind}_drop"] = {i for i, name in enumerate(here) if key(name) in about - kept}
        lists[f"{kind}_add"] = [name for name in was if key(name) in kept - about]
    return Plan(refresh=refresh, drop=drop, add=add, **lists)


def _same(row: MappingRow, other: MappingRow) -> bool:
    return replace(row, line=0) == replace(other, line=0)


def _names(file: MappingFile) -> list[str]:
    return [*(name for row in file.columns for name in row.source_columns), *file.undecided, *file.unmapped]


def _by_column(file: MappingFile, key: Key) -> dict[str, list[MappingRow | str]]:
    """What a file says of each column: its rows, blind to lines, and the lists that name it."""
    found: dict[str, list[MappingRow | str]] = {}
    for row in file.columns:
        for k in dict.fromkeys(map(key, row.source_columns)):
            found.setdefault(k, []).append(replace(row, line=0))
    for kind in LISTS:
        for name in getattr(file, kind):
            found.setdefault(key(name), []).append(kind)
    return found


def confident(file: MappingFile, minimum: float, statuses: Collection[Status] = _SUGGESTED) -> list[Decision]:
    """Decisions that accept every row with one of ``statuses`` and a confidence of ``minimum`` or more."""
    return [
        Decision(row.source_column, "accepted", row.model, row.model_column)
        for row in file.columns
        if row.status in statuses and not row.proposed and row.model is not None and (row.confidence or 0.0) >= minimum
    ]


class _Desk:
    """The rows of a file while decisions are made about them."""

    def __init__(self, file: MappingFile) -> None:
        self.file = file
        self.rows = list(file.columns)
        self.gone: set[int] = set()
        self.lists = {key: dict.fromkeys(getattr(file, key)) for key in LISTS}
        self.names = _names(file)
        self.key: Key = name_key(self.names)

    def plan(self) -> Plan:
        """What has changed."""
        old = self.file.columns
        changes: dict[str, Any] = {}
        for name in LISTS:
            before, after = getattr(self.file, name), self.lists[name]
            changes[f"{name}_drop"] = {i for i, item in enumerate(before) if item not in after}
            changes[f"{name}_add"] = [item for item in after if item not in before]
        return Plan(
            refresh={i: row for i, row in enumerate(self.rows[: len(old)]) if row != old[i] and i not in self.gone},
            drop={i for i in self.gone if i < len(old)},
            add=[row for i, row in enumerate(self.rows) if i >= len(old) and i not in self.gone],
            **changes,
        )

    def take(self, decision: Decision) -> None:
        """Make one decision."""
        index = self._row_of(decision)
        if index is None:
            self.rows.append(MappingRow(self._spelling(decision.source_column), None, None, reason=_BY_HAND))
            index = len(self.rows) - 1
        row = self.rows[index]
        pair = (decision.model, decision.model_column)
        if decision.reason is not None or (decision.model is not None and row.pair != pair):
            why = decision.reason or _BY_HAND
            row = replace(row, model=pair[0], model_column=pair[1], confidence=None, reason=why)
        if decision.expression is not None:
            row = self._with_expression(row, decision)
        if decision.note is not None:
            row = replace(row, note=decision.note)
        self.rows[index] = self._with_status(row, decision) if decision.status is not None else row
        self._settle(index)
        self._take_in(index)

    def _take_in(self, index: int) -> None:
        """What was suggested of single columns for the row's model column goes once a row over all of them is accepted;
        of another column also once somebody proposes this one: the other is undecided then."""
        row = self.rows[index]
        mine = set(map(self.key, row.source_columns))
        for i, other in enumerate(self.rows):
            if i in {index, *self.gone} or other.pair != row.pair or other.others or other.status != "suggested":
                continue
            if self.key(other.source_column) in mine:
                self.gone |= {i} if row.status == "accepted" and row.others and not other.note else set()
            elif row.proposed and row.model is not None and not other.proposed:
                self.lists["undecided"][other.source_column] = None
                self.rows[i] = replace(other, model=None, model_column=None, confidence=None, reason="")
                self._settle(i)

    def _with_expression(self, row: MappingRow, decision: Decision) -> MappingRow:
        """The row over exactly the columns of the decision; one that it no longer takes is undecided again."""
        first, *others = map(self._spelling, (decision.source_column, *decision.others))
        new = replace(row, source_column=first, others=tuple(others), expression=decision.expression or "")
        taken = {self.key(name) for other in self._live(row) for name in other.source_columns}
        listed = {self.key(name) for kind in LISTS for name in self.lists[kind]}
        for name in row.source_columns:
            if self.key(name) not in taken | listed | set(map(self.key, new.source_columns)):
                self.lists["undecided"][name] = None
        return new

    def _live(self, but: MappingRow) -> list[MappingRow]:
        return [row for i, row in enumerate(self.rows) if i not in self.gone and row is not but]

    def _with_status(self, row: MappingRow, decision: Decision) -> MappingRow:
        if decision.status == row.status != "suggested" and (row.decided_by or row.decided_at) and row in self.rows:
            return row  # decided so before: by whom and when stays
        # What feeds nothing is no pair to reject: an agent's proposal that it does is taken back.
        status = "suggested" if decision.status == "rejected" and row.model is None else decision.status
        opened = status == "suggested" and decision.reason is None
        by, at = ("", "") if opened else (decision.by, decision.at)
        return replace(row, status=status or row.status, decided_by=by, decided_at=at)

    def _settle(self, index: int) -> None:
        """Keep rows and lists in step: a column is listed exactly while no row answers it."""
        row = self.rows[index]
        note_only = row.model is None and row.status in _OPEN and not row.proposed
        if note_only and not row.note:
            self.gone.add(index)
        for name in row.source_columns:
            listed = [(kind, n) for kind in LISTS for n in self.lists[kind] if self.key(n) == self.key(name)]
            if not note_only:
                for kind, spelled in listed:
                    del self.lists[kind][spelled]
            elif not listed:
                self.lists["unmapped"][name] = None

    def _row_of(self, decision: Decision) -> int | None:
        """The index of the row a decision is about; None: a new one."""
        mine = self._rows_about(decision.source_column)
        still_open = [i for i in mine if self.rows[i].status in _OPEN]
        if decision.model is not None:
            return self._row_of_pair(decision, mine, still_open)
        choice = still_open or [i for i in mine if self.rows[i].status == decision.status] or mine
        if len(choice) > 1:
            raise self._several(decision.source_column, len(choice), "say which model and column you mean")
        said = decision.note is not None or decision.reason is not None
        listed_only = not choice and (decision.status == "accepted" or said)
        if not choice:
            self._spelling(decision.source_column)
            if not listed_only or decision.status == "rejected":
                raise ConfigError(f"column {printable(decision.source_column)!r} has no suggestion in {self.file.path}")
        return choice[0] if choice else None

    def _row_of_pair(self, decision: Decision, mine: list[int], still_open: list[int]) -> int | None:
        pair = (decision.model, decision.model_column)
        same = [i for i in mine if self.rows[i].pair == pair]
        if same or (decision.status != "accepted" and decision.reason is None):
            return next(iter(same), None)
        moves = not decision.also and decision.reason is None
        accepted = [i for i in mine if moves and self.rows[i].status == "accepted"]
        if len(accepted) > 1 and not still_open:
            raise self._several(decision.source_column, len(accepted), "reopen the one to move, or say --also")
        # A decided answer moves; the suggestion beside it, if there is one, stays one.
        return next(iter([*accepted, *still_open]), None)

    def _several(self, column: str, count: int, hint: str) -> ConfigError:
        return ConfigError(f"column {printable(column)!r} has {count} rows in {self.file.path}", hint=hint)

    def _rows_about(self, column: str) -> list[int]:
        key = self.key(column)
        rows = enumerate(self.rows)
        return [i for i, row in rows if i not in self.gone and key in map(self.key, row.source_columns)]

    def _spelling(self, column: str) -> str:
        """The column's name as the file spells it.

        Raises:
            ConfigError: the file has no such column.
        """
        found = [name for name in self.names if self.key(name) == self.key(column)]
        if not found:
            hint = near_hint(column, sorted(set(self.names))) or "its columns are in the file"
            raise ConfigError(f"{self.file.path} has no column {printable(column)!r}", hint=hint)
        return found[0]
