"""A person's decisions into a mapping file, which stays as they wrote it otherwise."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from dbt_schema_embed.errors import ConfigError, printable
from dbt_schema_embed.files import content_hash
from dbt_schema_embed.records import MappingFile, MappingRow, Status
from dbt_schema_embed.write.mapping import parse_mapping, read_text
from dbt_schema_embed.write.plan import Key, Plan, name_key
from dbt_schema_embed.write.rewrite import Rewrite
from dbt_schema_embed.write.update import carried_out

_SUGGESTED: tuple[Status, ...] = ("suggested",)
_OPEN: tuple[Status, ...] = ("suggested", "existing")
_BY_HAND = "decided by hand"


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody says about one source column.

    Without ``model`` and ``model_column`` it is about the one row that is open, else about the only row; for a
    column under ``unmapped``, accepted then says that it feeds nothing, for good. With them it is about that pair,
    which may be one that was never suggested.
    """

    source_column: str
    status: Status | None = None  # None: keep it; "suggested" opens a decided row again
    model: str | None = None  # the model's name as in the file
    model_column: str | None = None
    note: str | None = None  # None: keep it; "": remove it


def decide(path: Path, decisions: Sequence[Decision], *, shown: str = "") -> Rewrite:
    """The mapping file at ``path`` with ``decisions`` made, first one first.

    Accepting a pair nobody suggested rewrites the column's open row, for the suggestion was not taken; it loses its
    confidence, which was the suggestion's.

    Raises:
        MappingError: the file cannot be read.
        ConfigError: a column the file does not have, or that has several rows to choose from.
        WriteError: the file is written in a way that cannot be changed safely.
    """
    shown = shown or path.name
    content, text = read_text(path, shown)
    file, root = parse_mapping(text, shown)
    desk = _Desk(file)
    for decision in decisions:
        desk.take(decision)
    return Rewrite(path, shown, text, carried_out(text, root, file, desk.plan(), shown), content_hash(content))


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
    """What brings the columns of ``file`` in which ``old`` and ``new`` differ from the new to the old.

    Decisions take columns out of the unmapped ones and put none there.
    """
    key = name_key([name for version in (file, old, new) for name in _names(version)])
    now, before, after = (_by_column(version, key) for version in (file, old, new))
    changed = [k for k in after if after[k] != before.get(k)]
    refresh: dict[int, MappingRow] = {}
    drop: set[int] = set()
    add: list[MappingRow] = []
    for k in changed:
        if k not in now or now[k] != after[k]:
            raise ConfigError(
                f"column {printable(_names_of(new, key, k))!r} of {file.path} was decided about again meanwhile: "
                "it is left as it is"
            )
        places = [i for i, row in enumerate(file.columns) if key(row.source_column) == k]
        rows = before[k][0] if k in before else ()
        refresh |= {i: row for i, row, was in zip(places, rows, after[k][0], strict=False) if row != was}
        drop |= set(places[len(rows) :])
        add += rows[len(places) :]
    unmapped = [name for k in changed if k in before for name in before[k][1] if name not in after[k][1]]
    return Plan(refresh=refresh, drop=drop, add=add, unmapped_drop=(), unmapped_add=unmapped)


def _names(file: MappingFile) -> list[str]:
    return [*(row.source_column for row in file.columns), *file.unmapped]


def _names_of(file: MappingFile, key: Key, wanted: str) -> str:
    return next(name for name in _names(file) if key(name) == wanted)


def _by_column(file: MappingFile, key: Key) -> dict[str, tuple[tuple[MappingRow, ...], tuple[str, ...]]]:
    """Each column's rows, blind to lines, and its entries under unmapped."""
    found: dict[str, tuple[tuple[MappingRow, ...], tuple[str, ...]]] = {}
    for row in file.columns:
        rows, names = found.get(key(row.source_column), ((), ()))
        found[key(row.source_column)] = ((*rows, replace(row, line=0)), names)
    for name in file.unmapped:
        rows, names = found.get(key(name), ((), ()))
        found[key(name)] = (rows, (*names, name))
    return found


def confident(file: MappingFile, minimum: float, statuses: Collection[Status] = _SUGGESTED) -> list[Decision]:
    """Decisions that accept every row with one of ``statuses`` and a confidence of ``minimum`` or more."""
    return [
        Decision(row.source_column, "accepted", row.model, row.model_column)
        for row in file.columns
        if row.status in statuses and row.model is not None and (row.confidence or 0.0) >= minimum
    ]


class _Desk:
    """The rows of a file while decisions are made about them."""

    def __init__(self, file: MappingFile) -> None:
        self.file = file
        self.rows = list(file.columns)
        self.unmapped = dict.fromkeys(range(len(file.unmapped)))
        self.key: Key = name_key([*(row.source_column for row in file.columns), *file.unmapped])
        self.of_column: dict[str, list[int]] = {}
        for i, row in enumerate(self.rows):
            self.of_column.setdefault(self.key(row.source_column), []).append(i)

    def plan(self) -> Plan:
        """What has changed."""
        old = self.file.columns
        return Plan(
            refresh={i: row for i, row in enumerate(self.rows[: len(old)]) if row != old[i]},
            drop=(),
            add=self.rows[len(old) :],
            unmapped_drop={i for i in range(len(self.file.unmapped)) if i not in self.unmapped},
            unmapped_add=(),
        )

    def take(self, decision: Decision) -> None:
        """Make one decision."""
        index = self._row_of(decision)
        if index is None:
            name = self._leave_unmapped(decision.source_column) or self._spelling(decision.source_column)
            self.rows.append(MappingRow(name, decision.model, decision.model_column, reason=_BY_HAND))
            index = len(self.rows) - 1
            self.of_column.setdefault(self.key(name), []).append(index)
        row = self.rows[index]
        if decision.model is not None and (row.model, row.model_column) != (decision.model, decision.model_column):
            row = replace(
                row, model=decision.model, model_column=decision.model_column, confidence=None, reason=_BY_HAND
            )
        if decision.status is not None:
            row = replace(row, status=decision.status)
        self.rows[index] = row if decision.note is None else replace(row, note=decision.note)

    def _row_of(self, decision: Decision) -> int | None:
        """The index of the row a decision is about; None: a new one."""
        mine = self.of_column.get(self.key(decision.source_column), [])
        still_open = [i for i in mine if self.rows[i].status in _OPEN]
        if decision.model is not None:
            pair = (decision.model, decision.model_column)
            same = [i for i in mine if (self.rows[i].model, self.rows[i].model_column) == pair]
            takes_over = still_open if decision.status == "accepted" else []
            return next(iter([*same, *takes_over]), None)
        choice = still_open or [i for i in mine if self.rows[i].status == decision.status] or mine
        if len(choice) > 1:
            raise ConfigError(
                f"column {printable(decision.source_column)!r} has {len(choice)} rows in {self.file.path}",
                hint="say which model and column you mean",
            )
        if not choice and decision.status != "accepted":
            self._known(decision.source_column)
            raise ConfigError(f"column {printable(decision.source_column)!r} has no suggestion in {self.file.path}")
        return choice[0] if choice else None

    def _leave_unmapped(self, column: str) -> str | None:
        """Take the column out of the unmapped ones; its name as spelled there, None when it is not among them."""
        index = next((i for i in self.unmapped if self.key(self.file.unmapped[i]) == self.key(column)), None)
        if index is None:
            return None
        del self.unmapped[index]
        return self.file.unmapped[index]

    def _spelling(self, column: str) -> str:
        """The column's name as the file spells it, for one that has rows already."""
        self._known(column)
        return self.rows[self.of_column[self.key(column)][0]].source_column

    def _known(self, column: str) -> None:
        if self.key(column) not in self.of_column and self.key(column) not in map(self.key, self.file.unmapped):
            names = {*(row.source_column for row in self.rows), *self.file.unmapped}
            close = get_close_matches(column, sorted(names), n=1)
            hint = f"did you mean {printable(close[0])}?" if close else "its columns are in the file"
            raise ConfigError(f"{self.file.path} has no column {printable(column)!r}", hint=hint)
