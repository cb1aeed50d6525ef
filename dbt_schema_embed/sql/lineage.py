"""What a project's SQL tells: the columns of its models, and which source column already feeds which model column."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dbt_schema_embed.errors import printable
from dbt_schema_embed.progress import Counted
from dbt_schema_embed.records import Lineage, LineageKind, RelationKind
from dbt_schema_embed.sql.resolve import MAX_LITERALS, Frame, RelationFrame, Resolved
from dbt_schema_embed.sql.shape import CAST, DERIVED, Select, Star, Statement
from dbt_schema_embed.sql.statements import OUT_OF_TIME, TIME_LIMIT, ModelSql, read_statements, silent

__all__ = ["ModelSql", "SqlFacts", "TableInfo", "read_sql", "relation_key", "silent"]


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A relation that SQL may select from."""

    id: str  # unique_id
    columns: tuple[str, ...] = ()
    kind: RelationKind = "source"
    complete: bool = False  # whether ``columns`` are all it has (a catalog says so, YAML does not)
    others: tuple[str, ...] = ()  # unique_ids of other sources or seeds with the same relation_name


@dataclass(frozen=True, slots=True)
class SqlFacts:
    """What SQL told."""

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # model -> columns its SQL puts out, in order
    open: frozenset[str] = frozenset()  # models that may have more columns than ``columns`` says
    stars: frozenset[str] = frozenset()  # models that select * and nothing else
    lineage: tuple[Lineage, ...] = ()  # sorted
    # (unique_id, lower-case column) -> at most 50 literals it is compared with. Sample values: in memory only.
    literals: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()


def relation_key(name: str) -> str:
    """'"DB"."Schema"."Table"' -> 'db.schema.table': what relations compare by."""
    return name.translate(_QUOTES).lower()


_QUOTES = str.maketrans("", "", '"`[]')


def read_sql(
    models: Sequence[ModelSql],
    tables: Mapping[str, TableInfo],
    dialect: str | None,
    cache_dir: Path | None,
    progress: Counted = silent,
) -> SqlFacts:
    """Columns, lineage and literals of ``models``.

    Args:
        models: Models with SQL. A model that is only in ``tables`` ends every path that reaches it.
        tables: Every relation by its relation_name (any quoting).
        dialect: sqlglot's dialect; one it does not know costs every model a warning.
        cache_dir: A folder for parsed statements, this project's own; None: nothing is kept. When every statement is
            in it, sqlglot is not imported.
        progress: Is told before each statement that is parsed.

    Returns:
        Facts, whatever the SQL is: a model whose SQL cannot be read costs a warning that names it.
    """
    statements, problems = read_statements(models, dialect, cache_dir, progress)
    return _Reader(models, tables, statements, problems).facts()


class _Reader:
    """One run over a project's statements, parents first."""

    def __init__(
        self,
        models: Sequence[ModelSql],
        tables: Mapping[str, TableInfo],
        statements: Mapping[str, Statement],
        problems: Mapping[str, str],
    ) -> None:
        self._models = {m.id: m for m in models}
        self._tables = _Tables(models, tables)
        self._statements = statements
        self._problems = dict(problems)
        self._frames: dict[str, Frame] = {}
        self._relations: dict[str, Frame] = {}  # the same, as others read them
        self._lineage: list[Lineage] = []
        self._literals: dict[tuple[str, str], dict[str, None]] = {}
        self._deadline = time.monotonic() + TIME_LIMIT

    def facts(self) -> SqlFacts:
        """Resolve everything and collect."""
        for unique_id in self._in_order():
            try:
                self._resolve(self._models[unique_id])
            except RecursionError:
                self._problems[unique_id] = "it nests too deep"
            except TimeoutError:
                self._problems[unique_id] = OUT_OF_TIME
        return SqlFacts(
            {i: tuple(n for n in f.names if n) for i, f in sorted(self._frames.items())},
            frozenset(i for i, f in self._frames.items() if f.open),
            frozenset(i for i in self._frames if _only_stars(self._statements[i])),
            tuple(sorted(self._lineage, key=_place)),  # ten times faster than by their own order
            {key: tuple(values) for key, values in self._literals.items()},
            tuple(f"{printable(i)}: its SQL was not read: {why}" for i, why in sorted(self._problems.items())),
        )

    def _in_order(self) -> list[str]:
        """Models with a statement, parents first; a cycle is cut where it closes."""
        order: list[str] = []
        seen: set[str] = set()
        for start in self._statements:
            stack = [(start, False)]
            while stack:
                unique_id, done = stack.pop()
                if done:
                    order.append(unique_id)
                elif unique_id not in seen:
                    seen.add(unique_id)
                    stack.append((unique_id, True))
                    stack += [(p, False) for p in self._reads(unique_id) if p not in seen]
        return order

    def _reads(self, unique_id: str) -> Iterator[str]:
        for relation in self._statements[unique_id].relations():
            table = self._tables.find(relation, self._models[unique_id].parents)
            if table and table.id in self._statements:
                yield table.id

    def _resolve(self, model: ModelSql) -> None:
        resolved = Resolved(self._statements[model.id], lambda name: self._relation(name, model), self._deadline)
        self._frames[model.id] = resolved.answer
        self._relations.pop(model.id, None)  # in a cycle it was read before
        self._lineage += self._lines(model, resolved.answer)
        for (owner, column), values in resolved.literals.items():
            kept = self._literals.setdefault((owner, column.lower()), {})
            kept.update(dict.fromkeys(list(values)[: MAX_LITERALS - len(kept)]))

    def _relation(self, name: str, model: ModelSql) -> Frame:
        table = self._tables.find(name, model.parents)
        if table is None:
            return RelationFrame("", (), complete=False)
        if table.id == model.id:  # an incremental model reads what it has built
            return RelationFrame(model.id, model.known_columns, complete=bool(model.known_columns))
        unique_id = next((i for i in (table.id, *table.others) if i in model.parents), table.id)
        if unique_id not in self._relations:
            self._relations[unique_id] = self._outside(unique_id, table)
        return self._relations[unique_id]

    def _outside(self, unique_id: str, table: TableInfo) -> Frame:
        inner = self._frames.get(unique_id)
        if inner is None:
            return RelationFrame(unique_id, table.columns, complete=table.complete and bool(table.columns))
        return RelationFrame(unique_id, _columns(self._models[unique_id], inner), inner, complete=not inner.open)

    def _lines(self, model: ModelSql, frame: Frame) -> Iterator[Lineage]:
        spelling = {c.lower(): c for c in model.known_columns}
        for name in _columns(model, frame):
            shown = spelling.get(name.lower(), name)
            for (owner, column), strength in (frame.find(name) or {}).items():
                if owner.startswith(("source.", "seed.")):
                    yield Lineage(owner, column, model.id, shown, _kind(column, name, strength))


def _only_stars(statement: Statement) -> bool:
    return all(isinstance(query, Select) and query.items == (Star(),) for query in statement.queries)


def _columns(model: ModelSql, frame: Frame) -> list[str]:
    """The columns of a resolved model: what its SQL lists, then what else is known where SQL does not list all."""
    listed = list(dict.fromkeys(n for n in frame.names if n))
    if not frame.open:
        return listed
    return listed + [c for c in model.known_columns if frame.place(c) is None]


def _place(line: Lineage) -> tuple[str, ...]:
    return (line.source, line.source_column, line.model, line.model_column, line.kind)


def _kind(source: str, model: str, strength: int) -> LineageKind:
    if strength == DERIVED:
        return "derived"
    if strength == CAST:
        return "cast"
    return "identical" if source.lower() == model.lower() else "renamed"


_EPHEMERAL = "__dbt__cte__"  # dbt's name for an ephemeral model; here where it did not write its CTE out


class _Tables:
    """Relations by the names SQL has for them."""

    def __init__(self, models: Sequence[ModelSql], tables: Mapping[str, TableInfo]) -> None:
        named = {m.relation_name: TableInfo(m.id, m.known_columns, "model") for m in models if m.relation_name}
        self._by_key = {relation_key(name): table for name, table in (named | dict(tables)).items()}
        self._by_id = {m.id: TableInfo(m.id, m.known_columns, "model") for m in models}
        self._by_id |= {t.id: t for t in self._by_key.values()}
        self._by_end: dict[str, TableInfo | None] = {}  # "schema.table" and "table"; None where two share it
        for key, table in self._by_key.items():
            while "." in key:
                key = key.partition(".")[2]
                self._by_end[key] = None if key in self._by_end else table

    def find(self, name: str, parents: Sequence[str]) -> TableInfo | None:
        """The relation that ``name`` ("db.schema.table", "ref:x" or "source:a.b") means in a model with ``parents``."""
        if name.startswith(_EPHEMERAL):
            name = f"ref:{name.removeprefix(_EPHEMERAL)}"
        if ":" in name:
            return self._referenced(name, parents)
        found = self._by_key.get(name) or self._by_end.get(name)
        while found is None and "." in name:  # SQL names the database, the manifest does not
            name = name.partition(".")[2]
            found = self._by_key.get(name)
        return found

    def _referenced(self, reference: str, parents: Sequence[str]) -> TableInfo | None:
        call, _, name = reference.partition(":")
        kinds = ("source",) if call == "source" else ("model", "seed", "snapshot")
        for unique_id in parents:
            if unique_id.startswith(kinds) and unique_id.lower().endswith(f".{name.lower()}"):
                return self._by_id.get(unique_id)
        return None
