"""What a project's SQL tells: the columns of its models, and which source column already feeds which model column."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from dbt_schema_embed.read.sql_cache import Entry, StatementCache, statement_key
from dbt_schema_embed.read.sql_jinja import plain_sql
from dbt_schema_embed.read.sql_resolve import Frame, RelationFrame, Resolved
from dbt_schema_embed.read.sql_shape import CAST, DERIVED, Statement
from dbt_schema_embed.records import Lineage, LineageKind, RelationKind

TIME_LIMIT = 60.0
"""Seconds for reading all SQL of a project; what is left then costs one warning."""
_STACK = 64 * 2**20  # bytes; sqlglot recurses, and its compiled build does so on the C stack
_RECURSION = 20_000  # frames; MAX_DEPTH levels take ~24 each

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ModelSql:
    """A model (or snapshot) and its SQL."""

    id: str  # unique_id
    sql: str  # compiled; raw Jinja SQL with compiled=False
    relation_name: str = ""  # as in the manifest, e.g. '"db"."schema"."stg_orders"'
    parents: tuple[str, ...] = ()  # unique_ids it depends on
    known_columns: tuple[str, ...] = ()  # from the catalog or YAML; their spelling is kept
    compiled: bool = True


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
    lineage: tuple[Lineage, ...] = ()  # sorted
    # (unique_id, lower-case column) -> at most 50 literals it is compared with. Sample values: in memory only.
    literals: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()


def relation_key(name: str) -> str:
    """'"DB"."Schema"."Table"' -> 'db.schema.table': what relations compare by."""
    return name.translate(_UNQUOTE).lower()


_UNQUOTE = str.maketrans("", "", '"`[]')


def read_sql(
    models: Sequence[ModelSql], tables: Mapping[str, TableInfo], dialect: str | None, cache_dir: Path | None
) -> SqlFacts:
    """Columns, lineage and literals of ``models``.

    Args:
        models: Models with SQL. A model that is only in ``tables`` ends every path that reaches it.
        tables: Every relation by its relation_name (any quoting).
        dialect: sqlglot's dialect; one it does not know costs every model a warning.
        cache_dir: A folder for parsed statements, this project's own; None: nothing is kept. When every statement is
            in it, sqlglot is not imported.

    Returns:
        Facts, whatever the SQL is: a model whose SQL cannot be read costs a warning that names it.
    """
    return _deep(lambda: _Reader(models, tables).read(dialect, cache_dir))


def _deep(work: Callable[[], _T]) -> _T:
    """Run ``work`` with room for deep recursion: in a thread, because the stack of this one is what it is."""
    results: list[_T] = []
    problems: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as problem:
            problems.append(problem)

    limit, size = sys.getrecursionlimit(), threading.stack_size(_STACK)
    sys.setrecursionlimit(max(limit, _RECURSION))
    try:
        thread = threading.Thread(target=run, name="read-sql", daemon=True)  # daemon: Ctrl-C must end the process
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(limit)
    if problems:
        raise problems[0]
    return results[0]


class _Reader:
    """One run over a project's models."""

    def __init__(self, models: Sequence[ModelSql], tables: Mapping[str, TableInfo]) -> None:
        self._models = {m.id: m for m in models}
        self._tables = {relation_key(name): table for name, table in tables.items()}
        for model in models:
            if model.relation_name:
                self._tables.setdefault(relation_key(model.relation_name), _info(model))
        self._by_id = {t.id: t for t in self._tables.values()}
        self._short: dict[str, TableInfo | None] = {}  # "schema.table" and "table", None where two share it
        for key, table in self._tables.items():
            while "." in key:
                key = key.partition(".")[2]
                self._short[key] = None if key in self._short and self._short[key] is not table else table
        self._statements: dict[str, Statement] = {}
        self._frames: dict[str, Frame] = {}
        self._literals: dict[tuple[str, str], dict[str, None]] = {}
        self._warnings: list[str] = []
        self._deadline = time.monotonic() + TIME_LIMIT

    def read(self, dialect: str | None, cache_dir: Path | None) -> SqlFacts:
        """Parse what changed, resolve everything, collect."""
        self._parse_all(dialect, StatementCache(cache_dir))
        for unique_id in self._in_order():
            self._resolve(unique_id)
        columns = {i: tuple(n for n in f.names if n) for i, f in sorted(self._frames.items())}
        return SqlFacts(
            columns,
            frozenset(i for i, f in self._frames.items() if f.open),
            tuple(sorted(line for i in self._frames for line in self._lines(i))),
            {key: tuple(values) for key, values in self._literals.items()},
            tuple(self._warnings),
        )

    def _parse_all(self, dialect: str | None, cache: StatementCache) -> None:
        late = []
        for model in self._models.values():
            text = model.sql if model.compiled else f"jinja:{model.sql}"
            key = statement_key(text, dialect)
            entry = cache.get(model.id, key)
            if entry is None and time.monotonic() > self._deadline:
                late.append(model.id)
                continue
            if entry is None:
                entry = _parse(model, dialect, key)
                cache.put(model.id, entry)
            if entry.statement is not None:
                self._statements[model.id] = entry.statement
            elif entry.problem:
                self._warnings.append(f"{model.id}: its SQL was not read: {entry.problem}")
        if late:
            self._warnings.append(f"{late[0]} and {len(late) - 1} more: SQL not read, {TIME_LIMIT:.0f} s were over")
        cache.save()

    def _in_order(self) -> list[str]:
        """Models with a statement, parents first; a cycle (a model that reads itself) is cut where it closes."""
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
            table = self._table(relation, self._models[unique_id])
            if table and table.id in self._statements:
                yield table.id

    def _table(self, relation: str, model: ModelSql) -> TableInfo | None:
        """The table a name in ``model``'s SQL means."""
        if ":" in relation:
            return self._referenced(relation, model)
        found = self._tables.get(relation) or self._short.get(relation)
        while found is None and "." in relation:  # SQL names the database, the manifest does not
            relation = relation.partition(".")[2]
            found = self._tables.get(relation)
        return found

    def _referenced(self, relation: str, model: ModelSql) -> TableInfo | None:
        call, _, name = relation.partition(":")
        kinds = ("source",) if call == "source" else ("model", "seed", "snapshot")
        for unique_id in model.parents:
            if unique_id.partition(".")[0] in kinds and f".{unique_id}".endswith(f".{name}"):
                parent = self._models.get(unique_id)
                return self._by_id.get(unique_id) or (_info(parent) if parent else None)
        return None

    def _resolve(self, unique_id: str) -> None:
        model = self._models[unique_id]
        try:
            resolved = Resolved(self._statements[unique_id], lambda r: self._relation(r, model), self._deadline)
        except RecursionError:
            self._warnings.append(f"{unique_id}: its SQL was not read: it nests too deep")
            return
        except TimeoutError:
            self._warnings.append(f"{unique_id}: its SQL was not read: {TIME_LIMIT:.0f} s were over")
            return
        self._frames[unique_id] = resolved.answer
        for (owner, column), values in resolved.literals.items():
            kept = self._literals.setdefault((owner, column.lower()), {})
            kept.update(dict.fromkeys(list(values)[: 50 - len(kept)]))

    def _relation(self, name: str, model: ModelSql) -> Frame:
        table = self._table(name, model)
        if table is None or table.id == model.id:
            return RelationFrame("", (), complete=False)
        own = next((i for i in (table.id, *table.others) if i in model.parents), table.id)
        inner = self._frames.get(own)
        if inner is None:
            return RelationFrame(own, table.columns, complete=table.complete and bool(table.columns))
        return RelationFrame(own, self._columns(own), inner, complete=not inner.open)

    def _columns(self, unique_id: str) -> list[str]:
        """The columns of a resolved model: what its SQL lists, then what else is known where SQL does not list all."""
        frame = self._frames[unique_id]
        listed = [n for n in frame.names if n]
        if not frame.open:
            return listed
        return listed + [c for c in self._models[unique_id].known_columns if frame.place(c) is None]

    def _lines(self, unique_id: str) -> Iterator[Lineage]:
        frame = self._frames[unique_id]
        spelling = {c.lower(): c for c in self._models[unique_id].known_columns}
        for name in dict.fromkeys(self._columns(unique_id)):
            for (owner, column), strength in (frame.find(name) or {}).items():
                table = self._by_id.get(owner)
                if table is None or table.kind not in ("source", "seed"):
                    continue
                yield Lineage(owner, column, unique_id, spelling.get(name.lower(), name), _kind(column, name, strength))


def _kind(source: str, model: str, strength: int) -> LineageKind:
    if strength == DERIVED:
        return "derived"
    if strength == CAST:
        return "cast"
    return "identical" if source.lower() == model.lower() else "renamed"


def _info(model: ModelSql) -> TableInfo:
    return TableInfo(model.id, model.known_columns, "model")


def _parse(model: ModelSql, dialect: str | None, key: bytes) -> Entry:
    from dbt_schema_embed.read.sql_parse import SqlError, parse_statement

    sql, relations = model.sql, dict[str, str]()
    if not model.compiled:
        plain = plain_sql(model.sql)
        if plain is None:
            return Entry(key)
        sql, relations = plain
    try:
        return Entry(key, parse_statement(sql, dialect, relations))
    except SqlError as problem:
        # raw Jinja is read on the off chance that it is plain: no warning where it is not
        return Entry(key, problem=str(problem) if model.compiled else "")
