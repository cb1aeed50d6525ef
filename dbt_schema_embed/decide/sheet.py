"""Mapping files as the rows of a spreadsheet, and what people changed there as decisions.

Each row carries a mark of what it said when it was written: a row whose mark fits what it says was not changed; one
that was changed is taken over where the mapping file still says what it said then, and is a conflict where it does not.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from hashlib import sha256

from dbt_schema_embed.decide.rows import Decision
from dbt_schema_embed.errors import ConfigError, near_hint, printable
from dbt_schema_embed.records import MappingFile, MappingRow, Relation, Status, rounded

STATUSES = ("suggested", "existing", "accepted", "rejected", "undecided", "nothing")
"""What stands under ``status``; the last two of columns without an answer that nobody has decided about."""

_TEXT = 32_000  # characters; a cell of a spreadsheet holds 32,767
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row of a sheet, cells as text; the fields are its columns in their order."""

    source: str  # "stripe.charges", with the package in front where two declare it
    column: str  # of the source; several that an expression joins, a line each
    type: str
    description: str
    model: str
    model_column: str
    expression: str
    status: str
    note: str
    confidence: str
    reason: str
    mark: str  # of what the row said when it was written; empty: a row that somebody added

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the source that it is about."""
        return tuple(name for name in self.column.split("\n") if name)

    @property
    def pair(self) -> tuple[str, str]:
        """The model column it names; empty: none."""
        return self.model, self.model_column

    def marked(self) -> "SheetRow":
        """The row with the mark of what it says now."""
        said = (self.source, self.column, *self.pair, self.expression, self.status, self.note)
        return replace(self, mark="m" + sha256("\0".join(said).encode()).hexdigest()[:12])


HEADER = tuple(field.name for field in fields(SheetRow))
Resolve = Callable[[str, str], tuple[str, str]]
"""The model and its column as mapping files name them. Raises ConfigError where there is none."""


def label(file: MappingFile) -> str:
    """What a sheet calls the source of a mapping file."""
    return f"{file.package}.{file.source}".removeprefix(".")


def sheet_rows(file: MappingFile, source: Relation | None) -> list[SheetRow]:
    """The rows of one mapping file, in the order of the table's columns where ``source`` says it."""
    listed = dict.fromkeys(file.undecided, "undecided") | dict.fromkeys(file.unmapped, "nothing")
    found: list[SheetRow] = []
    for row in file.columns:
        status = row.status
        if row.model is None and status == "suggested" and not row.proposed:  # a note alone
            found.append(_row(file, source, row, listed.pop(row.source_column, "nothing")))
        else:
            found.append(_row(file, source, row, status))
    found += [_row(file, source, MappingRow(name, None, None), status) for name, status in listed.items()]
    order = {column.key: i for i, column in enumerate(source.columns)} if source else {}
    return sorted(found, key=lambda row: order.get(row.columns[0].lower(), len(order)))


def _row(file: MappingFile, source: Relation | None, row: MappingRow, status: str) -> SheetRow:
    column = source.column(row.source_column) if source else None
    return SheetRow(
        source=cell_text(label(file)),
        column="\n".join(map(cell_text, row.source_columns)),
        type=cell_text((column.type if column else None) or ""),
        description=cell_text(column.description if column else ""),
        model=cell_text(row.model or ""),
        model_column=cell_text(row.model_column or ""),
        expression=cell_text(row.expression),
        status=status,
        note=cell_text(row.note),
        confidence="" if row.confidence is None else f"{rounded(row.confidence):.2f}",
        reason=cell_text(row.reason),
        mark="",
    ).marked()


def cell_text(text: str) -> str:
    """``text`` as a cell can hold it: no controls, line ends as ``\\n``."""
    return _NO_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))[:_TEXT]


@dataclass(frozen=True, slots=True)
class Read:
    """What a sheet wants of one mapping file."""

    decisions: tuple[Decision, ...] = ()
    problems: tuple[str, ...] = ()  # a line each; where there is one, nothing is decided


def sheet_decisions(
    file: MappingFile, rows: Sequence[tuple[int, SheetRow]], resolve: Resolve, signed: tuple[str, str]
) -> Read:
    """What ``rows`` (number in the sheet, row) of one source say that ``file`` does not say yet.

    ``signed``: who decides, and the day.
    """
    now = {row.mark: row for row in sheet_rows(file, None)}
    decisions: list[Decision] = []
    problems: list[str] = []
    taken: set[str] = set()
    kept = {row.mark for _, row in rows if row.marked().mark == row.mark}
    for number, row in rows:
        said = row.marked().mark
        if said in kept or {said, _outcome(row, resolve).mark} & now.keys():
            continue  # as it was, or taken over before
        copied = row.mark in taken or row.mark in kept  # of a row that is there itself: one more
        old = None if copied else now.get(row.mark)
        taken.add(row.mark)
        try:
            if old is None and row.mark and not copied:
                raise ConfigError(
                    "the mapping file says something else than at the export",
                    hint="export again, and make the change there",
                )
            decisions += [replace(d, by=signed[0], at=signed[1]) for d in _decided(file, old, row, resolve)]
        except ConfigError as problem:
            name = printable(", ".join(row.columns), 60)
            line = f"row {number}, {printable(row.source, 60)}.{name}: {problem.message}"
            problems.append(f"{line}: {problem.hint}" if problem.hint else line)
    return Read(tuple(decisions), tuple(problems))


def _outcome(row: SheetRow, resolve: Resolve) -> SheetRow:
    """What a sheet says of the row once it is taken over."""
    model, column, status = row.model, row.model_column, row.status
    if row.status == "nothing":
        status = "rejected" if row.model else "accepted"
    with suppress(ConfigError):
        model, column = resolve(*row.pair) if row.model else row.pair
    return replace(row, model=model, model_column=column, status=status).marked()


def _decided(file: MappingFile, old: SheetRow | None, new: SheetRow, resolve: Resolve) -> Iterator[Decision]:
    """The decisions that lead from what the file says to what the row says.

    Raises:
        ConfigError: there is no such way; its message goes behind the name of the column.
    """
    if new.status not in STATUSES:
        hint = near_hint(new.status, STATUSES) or f"known are: {', '.join(STATUSES)}"
        raise ConfigError(f"status is {printable(new.status, 40)!r}", hint=hint)
    if not new.columns:
        raise ConfigError("column is empty")
    if bool(new.model) != bool(new.model_column):
        raise ConfigError("model and model_column stand together or not at all")
    base = old or replace(new, model="", model_column="", expression="", status="nothing", note="")
    note = new.note if new.note != base.note else None
    if new.status == "accepted":
        yield from _accepted(file, old, base, new, resolve, note)
    elif old is None:
        raise ConfigError("a row that is added is an answer", hint="write accepted under status")
    else:
        status = _status(base, new)
        yield Decision(base.columns[0], status, base.model or None, base.model_column or None, note)


def _status(base: SheetRow, new: SheetRow) -> Status | None:
    """The status that a row comes to which is not accepted; None: it keeps its own."""
    if (new.pair, new.column, new.expression) != (base.pair, base.column, base.expression):
        if new.model or new.status not in ("nothing", "undecided"):
            raise ConfigError("another answer is a decision", hint="write accepted under status")
        return "rejected"
    if new.status == base.status:
        return None
    if base.model and new.status in ("rejected", "nothing"):
        return "rejected"
    if base.status in ("accepted", "rejected"):
        return "suggested"
    if new.status == "nothing" and not base.model:
        return "accepted"  # that it feeds nothing, for good
    raise ConfigError(f"{base.status} cannot become {new.status}", hint="accept it, reject it or leave it")


def _accepted(
    file: MappingFile, old: SheetRow | None, base: SheetRow, new: SheetRow, resolve: Resolve, note: str | None
) -> Iterator[Decision]:
    """Decisions that accept what the row says."""
    before = (base.model or None, base.model_column or None)
    pair: tuple[str | None, str | None] = (None, None)
    if new.model:
        pair = resolve(*new.pair) if new.pair != base.pair else new.pair
    elif base.model:
        raise ConfigError("that it feeds nothing is a rejection of the answer", hint="write rejected under status")
    first, *others = new.columns
    made = new.expression != base.expression or new.column != base.column
    moved = old is not None and base.status == "accepted" and pair != before
    if moved:
        yield Decision(base.columns[0], "suggested", *before)
    answered = any(
        row.status == "accepted" and first in row.source_columns for row in file.columns if row.model is not None
    )
    noted = base.status == "accepted" and pair == before and not made  # that is no new decision
    yield Decision(
        first, None if noted else "accepted", *pair, note=note, also=moved or (old is None and answered),
        others=tuple(others), expression=new.expression if made else None,
    )  # fmt: skip


def by_source(rows: Sequence[SheetRow]) -> Mapping[str, list[tuple[int, SheetRow]]]:
    """The rows of a sheet by source, each with its number: the header is the first."""
    found: dict[str, list[tuple[int, SheetRow]]] = {}
    for number, row in enumerate(rows, 2):
        found.setdefault(row.source, []).append((number, row))
    return found
