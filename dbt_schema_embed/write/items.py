"""The columns of a staging model from accepted rows: what is selected, and what is said in comments."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dbt_schema_embed.casts import cast_problem, cast_type, fit
from dbt_schema_embed.errors import ConfigError, printable
from dbt_schema_embed.expressions import expression_problem
from dbt_schema_embed.records import Column, MappingFile, MappingRow, Relation
from dbt_schema_embed.types import type_family
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


def house_types(relations: Iterable[Relation]) -> dict[str, str]:
    """The type that columns of a name have in the project's models, by name in lower case, where all are of a kind."""
    spelled: dict[str, Counter[str]] = defaultdict(Counter)
    for column in (c for r in relations if r.kind == "model" for c in r.columns if not c.absent):
        if column.type and type_family(column.type):
            spelled[column.name.lower()][column.type] += 1
    return {
        name: types.most_common(1)[0][0]
        for name, types in spelled.items()
        if len({type_family(type_) for type_ in types}) == 1
    }


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
            made.notes += [note] if note else []
        made.notes += [f"{target.name}: {printable(row.note)}"] if row.note else []
    order = {column.key: i for i, column in enumerate(model.columns)} if model else {}
    made.items = sorted(by_target.values(), key=lambda item: order.get(item.target.key, len(order)))
    return made


def _new_column(source: Relation, row: MappingRow, house: Mapping[str, str]) -> Column:
    """A column that nobody planned: of the house's type, where text or a cast without loss leads there."""
    name = row.model_column or ""
    column = source.column(row.source_column)
    left, right = type_family(column.type if column else None), type_family(house.get(name.lower()))
    if row.expression or left is None or right is None or left == right:
        return Column(name)
    return Column(name, house[name.lower()]) if left == "text" or fit(left, right) == "fits" else Column(name)


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
