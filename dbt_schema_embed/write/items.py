"""The columns of a staging model from accepted rows: what is selected, and what is said in comments."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dbt_schema_embed.casts import cast_problem, cast_type, fit
from dbt_schema_embed.errors import ConfigError, printable
from dbt_schema_embed.expressions import expression_problem
from dbt_schema_embed.records import Column, MappingFile, MappingRow, Relation
from dbt_schema_embed.types import TypeFamily, type_family
from dbt_schema_embed.write.sql_names import column_sql, type_sql


@dataclass(frozen=True, slots=True)
class Item:
    """One column of the model, and what it is made from."""

    source: Column  # the first of several
    target: Column
    cast: str | None = None
    expression: str = ""

    def sql(self, dialect: str | None, *, quote_sources: bool = False) -> str:
        """The item in a select list.

        Raises:
            ConfigError: a name that cannot stand in a model.
        """
        name = column_sql(self.source.name, dialect, quoted=self.source.quoted or quote_sources)
        alias = column_sql(self.target.name, dialect, quoted=self.target.quoted)
        if self.expression:
            return f"{self.expression} as {alias}"
        if self.cast:
            return f"cast({name} as {self.cast}) as {alias}"
        return alias if name == alias else f"{name} as {alias}"


@dataclass(slots=True)
class Items:
    """What is selected, in the model's order, and what cannot be, one line each."""

    items: list[Item] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unwritten: set[str] = field(default_factory=set)  # model columns that rows feed and no item makes


_SAID: dict[str, str] = {
    "_at": "timestamp", "_timestamp": "timestamp", "_date": "date", "is_": "boolean", "has_": "boolean",
    "_amount": "decimal(38, 9)", "_price": "decimal(38, 9)", "_cost": "decimal(38, 9)",
}  # fmt: skip
"""What the end or the beginning of a name says of its type."""

_SPELLED = {
    ("tsql", "timestamp"): "datetime2", ("tsql", "boolean"): "bit", ("fabric", "timestamp"): "datetime2",
    ("fabric", "boolean"): "bit", ("mysql", "timestamp"): "datetime", ("mysql", "boolean"): "",
}  # fmt: skip
"""Types that an engine calls otherwise; "": it has no cast to it."""


def house_types(relations: Iterable[Relation], dialect: str | None = None) -> dict[str, str]:
    """The type that columns of a name have in the project's models, by name in lower case, where all are of a kind.

    Likewise of the names that end, or begin, as `_SAID` lists; where the project has none, as the list says.
    """
    spelled: dict[str, Counter[str]] = defaultdict(Counter)
    for column in (c for r in relations if r.kind == "model" for c in r.columns if not c.absent):
        if column.type and type_family(column.type):
            for key in (column.name.lower(), _part(column.name)):
                spelled[key][column.type] += 1
    said = {part: _SPELLED.get((dialect or "", type_), type_) for part, type_ in _SAID.items() if part not in spelled}
    return said | {
        name: types.most_common(1)[0][0]
        for name, types in spelled.items()
        if len({type_family(type_) for type_ in types}) == 1
    }


def _part(name: str) -> str:
    """The part of a name that says its type; "" for none."""
    name = name.lower()
    return next((p for p in _SAID if (name.endswith(p) if p.startswith("_") else name.startswith(p))), "")


def model_items(
    source: Relation,
    model: Relation | None,
    rows: Sequence[MappingRow],
    file: MappingFile,
    dialect: str | None,
    house: Mapping[str, str] = {},
) -> Items:
    """The items of a model, new columns behind those that it lists. ``house``: types for columns that nobody planned.

    Raises:
        ConfigError: a row's expression is none.
    """
    made = Items()
    by_target: dict[str, Item] = {}
    for row in rows:
        target = (model.column(row.model_column or "") if model else None) or _new_column(source, row, house)
        if why := _not_written(source, row, by_target.get(target.key)):
            made.notes.append(why)
            made.unwritten.add(target.key)
        else:
            item, note = _item(source, target, row, model, f"{file.path}:{row.line}", dialect)
            by_target[target.key] = item
            by_name = item.cast and item.source.type and not (model and model.column(target.name))
            if by_name and target.key not in house and type_family(item.source.type) == "text":
                note = f"cast to {item.cast} for its name, and for the values that were looked at: {target.name}"
            made.notes += [note] if note else []
        made.notes += [f"{target.name}: {printable(row.note)}"] if row.note else []
    order = {column.key: i for i, column in enumerate(model.columns)} if model else {}
    made.items = sorted(by_target.values(), key=lambda item: order.get(item.target.key, len(order)))
    return made


def _new_column(source: Relation, row: MappingRow, house: Mapping[str, str]) -> Column:
    """A column that nobody planned: of the house's type, where text or a cast without loss leads there.

    What only the end of its name says counts where the values of text are known to be such.
    """
    name = row.model_column or ""
    column = source.column(row.source_column)
    key = name.lower() if name.lower() in house else _part(name)
    type_ = house.get(key) if key else None
    left, right = type_family(column.type if column else None), type_family(type_)
    if row.expression or column is None or left is None or right is None or left == right:
        return Column(name)
    if key == name.lower():
        return Column(name, type_) if left == "text" or fit(left, right) == "fits" else Column(name)
    sure = _holds(column, right) if left == "text" else (left, right) == ("date", "timestamp")
    return Column(name, type_) if sure else Column(name)


def _holds(column: Column, family: TypeFamily) -> bool:
    """Whether all that is known of a text column's values reads as the family in every engine, and something is."""
    if family == "boolean":
        known = {value.strip().lower() for value in (*column.values, *column.accepted_values)}
        return bool(known) and known <= {"true", "false"}
    if family in ("date", "timestamp") and any(value.strip()[4:5] != "-" for value in column.values):
        return False  # 03-01-2024 has the shape of 2024-01-03
    return bool(column.shapes) and not cast_problem(column.type, family, column.shapes)


def _not_written(source: Relation, row: MappingRow, other: Item | None) -> str:
    """Why a row is no item, as a comment; empty when it is one."""
    names = ", ".join(row.source_columns)
    for name in row.source_columns:
        column = source.column(name)
        if column.absent if column else source.complete:
            return f"not in the table: {name}, mapped to {row.model_column}"
    if other is not None:
        return f"also mapped to {row.model_column}: {names}; one row with an expression over all of them joins them"
    if row.others and not row.expression:
        return f"not written: {row.model_column}, for {names} are to be joined and no expression says how"
    return ""


def _item(
    source: Relation, target: Column, row: MappingRow, model: Relation | None, where: str, dialect: str | None
) -> tuple[Item, str]:
    """The item of a row, and a note about its cast."""
    column = source.column(row.source_column) or Column(row.source_column)
    if row.expression:
        if problem := expression_problem(row.expression, row.source_columns, dialect):
            raise ConfigError(f"{where}: the expression {problem}", hint="mend it in the file")
        return Item(column, target, expression=row.expression), ""
    cast = cast_type(column.type, target.type, exact=model.contract if model else False)
    cast = type_sql(cast) if cast else None
    if cast and (problem := cast_problem(column.type, target.type, column.shapes)):
        kept = replace(target, type=column.type)
        return Item(column, kept), f"not cast: {column.name} to {cast}, for {problem}; an expression can say how"
    return Item(column, target, cast), ""


def unused_notes(source: Relation, file: MappingFile) -> list[str]:
    """What becomes of the columns of the source that no accepted row uses."""
    rows = [row for row in file.columns if row.status in ("accepted", "existing")]
    used = {name.lower() for row in rows for name in row.source_columns if row.model is not None}
    open_: Mapping[str, str] = {
        row.source_column.lower(): row.model_column
        for row in file.columns
        if row.status == "suggested" and row.model_column is not None
    }
    undecided = {name.lower() for name in file.undecided}
    notes = []
    for column in source.columns:
        key = column.name.lower()
        if key in used or column.absent:
            continue
        if key in open_:
            notes.append(f"not accepted yet: {column.name}, suggested for {open_[key]}")
        else:
            notes.append(f"{'undecided' if key in undecided else 'not mapped'}: {column.name}")
    return notes


def unfed_notes(model: Relation | None, fed: set[str]) -> list[str]:
    """Columns that the model is to have and that nothing feeds; ``fed``: keys of those that something does."""
    return [f"fed by nothing: {c.name}" for c in model.columns if c.key not in fed] if model else []
