"""CREATE TABLE statements of any dialect -> tables. Imports sqlglot: import this file only where DDL is read."""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlglot import Dialect, exp
from sqlglot.errors import ParseError, SqlglotError

from dbt_schema_embed.errors import ArtifactError, printable
from dbt_schema_embed.files import read_bytes
from dbt_schema_embed.records import VALUES_LIMIT, Column, Relation
from dbt_schema_embed.tables.csv_file import decoded
from dbt_schema_embed.tables.ddl_split import Piece, defining_statements

MAX_BYTES = 5 * 2**20

# Tried in this order where nobody says the dialect; each reads spellings that those before it refuse.
_GUESSES = (None, "postgres", "mysql", "snowflake", "bigquery", "tsql", "oracle", "spark", "clickhouse", "redshift")
# Words sqlglot stumbles over that say nothing about columns: Redshift's attributes of a column (as options of a
# table a bracket follows), T-SQL's kinds of index behind a key.
_NOISE = re.compile(r"\b(?:distkey|sortkey)\b(?!\s*\()|(?<=key|que)\s+(?:non)?clustered\b", re.IGNORECASE)
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class _UnreadableError(ValueError):
    """A statement that sqlglot cannot parse."""


@dataclass(slots=True)
class _Table:
    """A table in the making. Columns are keyed by name in lower case."""

    name: str
    schema: str = ""
    description: str = ""
    columns: dict[str, Column] = field(default_factory=dict)

    def change(self, column: str, **facts: Any) -> None:
        known = self.columns.get(column.lower())
        if known is not None:
            self.columns[column.lower()] = replace(known, **facts)


_Tables = dict[tuple[str, str], _Table]


def read_ddl(path: Path, dialect: str | None = None) -> tuple[Relation, ...]:
    """The tables and views a file of SQL creates, in its order; of two of one name, the first.

    Args:
        path: SQL of at most 5 MB. Statements that define no table are passed over.
        dialect: sqlglot's dialect. None: each statement is read in the first dialect that understands it.

    Raises:
        ArtifactError: missing, unreadable, too large or too deep, a CREATE TABLE that cannot be parsed, or none at all.
    """
    shown = printable(path)
    text = decoded(read_bytes(path, "SQL file", "name a file that exists", MAX_BYTES), shown)
    tables: _Tables = {}
    dialects: tuple[str | None, ...] = (dialect,) if dialect else _GUESSES
    with _quiet_sqlglot():
        for piece in defining_statements(text, shown, _escapes_with_backslash(text, dialect)):
            tree, used = _parsed(piece, dialects, shown)
            dialects = (used, *(d for d in dialects if d != used))  # one file, one dialect: start with what worked
            _apply(tree, used, tables)
    found = [t for t in tables.values() if t.columns]
    if not found:
        raise ArtifactError(f"{shown} creates no table with columns", hint="give a file with CREATE TABLE statements")
    return _relations(found)


def _escapes_with_backslash(text: str, dialect: str | None) -> bool:
    """Whether a backslash escapes a quote. Where nobody says the dialect: in those that quote names with backticks."""
    return "\\" in Dialect.get_or_raise(dialect).tokenizer_class.STRING_ESCAPES if dialect else "`" in text


@contextmanager
def _quiet_sqlglot() -> Iterator[None]:
    """sqlglot logs statements it falls back on, with their text; we say what matters ourselves."""
    log = logging.getLogger("sqlglot")
    was, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = was


def _parsed(piece: Piece, dialects: tuple[str | None, ...], shown: str) -> tuple[exp.Expr, str | None]:
    """The statement's tree and the dialect that read it. ALTER and COMMENT that nobody reads are passed over."""
    problems: list[str] = []
    sql = _NOISE.sub("", piece.sql)
    for dialect in dialects:
        try:
            return _tree(sql, dialect), dialect
        except _UnreadableError as problem:
            problems.append(str(problem))
    if piece.sql[:6].lower() != "create":
        return exp.Null(), dialects[0]
    raise ArtifactError(
        f"{shown}: the statement in line {piece.line} cannot be read as SQL: {problems[0]}",
        hint="say which SQL it is with --dialect" if len(dialects) > 1 else "is --dialect the right one?",
    )


def _tree(sql: str, dialect: str | None) -> exp.Expr:
    try:
        reader = Dialect.get_or_raise(dialect)
        trees = [tree for tree in reader.parser().parse(reader.tokenize(sql), sql) if tree is not None]
    except ParseError as problem:
        first = (problem.errors or [{}])[0]
        text = str(first.get("description") or "it cannot be parsed").splitlines()[0]
        raise _UnreadableError(printable(_ANSI.sub("", text))) from None
    except RecursionError:
        raise _UnreadableError("it nests too deep") from None
    except (SqlglotError, ValueError, TypeError, AttributeError, LookupError):
        # the last four: what sqlglot's parser lets through on some malformed texts, instead of a ParseError
        raise _UnreadableError("it cannot be split into words") from None
    if len(trees) != 1 or isinstance(trees[0], exp.Command):
        raise _UnreadableError("it is not understood")
    return trees[0]


def _apply(tree: exp.Expr, dialect: str | None, tables: _Tables) -> None:
    """Add what one statement says to the tables before it."""
    target = tree.find(exp.Table) if isinstance(tree, exp.Create | exp.Alter) else tree.this
    if isinstance(tree, exp.Create):
        if tree.kind in ("TABLE", "VIEW") and isinstance(target, exp.Table):
            tables.setdefault((target.db.lower(), target.name.lower()), _created(tree, target, dialect))
    elif isinstance(tree, exp.Alter) and isinstance(target, exp.Table):
        table = _known(tables, target.db, target.name)
        if table:
            for action in tree.args.get("actions") or ():
                _added(action, table, dialect)
    elif isinstance(tree, exp.Comment):
        _commented(tree, tables)


def _known(tables: _Tables, schema: str, name: str) -> _Table | None:
    """The table of that name; without a schema, the only one of that name in any schema."""
    exact = tables.get((schema.lower(), name.lower()))
    return exact or next((t for t in tables.values() if not schema and t.name.lower() == name.lower()), None)


def _created(tree: exp.Create, target: exp.Table, dialect: str | None) -> _Table:
    table = _Table(target.name, target.db)
    properties = tree.args.get("properties")
    for said in properties.find_all(exp.SchemaCommentProperty, exp.Property) if properties else ():
        if isinstance(said, exp.SchemaCommentProperty) or said.name.lower() == "description":
            table.description = _text(said.args.get("value") or said.this)
    schema = tree.this
    for entry in schema.expressions if isinstance(schema, exp.Schema) else ():
        _added(entry, table, dialect)
    query = tree.expression
    if not table.columns and isinstance(query, exp.Query):
        for name in query.named_selects:
            if name and name != "*":
                table.columns.setdefault(name.lower(), Column(name, position=len(table.columns)))
    return table


def _added(entry: exp.Expr, table: _Table, dialect: str | None) -> None:
    """One entry of a table's list, or one action of ALTER TABLE: a column, a key, a reference."""
    if isinstance(entry, exp.ColumnDef):
        column = _column(entry, len(table.columns), dialect)
        table.columns.setdefault(column.name.lower(), column)
    elif isinstance(entry, exp.Identifier | exp.Column):  # `create view v (a, b) as ...`
        table.columns.setdefault(entry.name.lower(), Column(entry.name, position=len(table.columns)))
    elif isinstance(entry, exp.Constraint | exp.AddConstraint):
        for inner in entry.expressions:
            _added(inner, table, dialect)
    else:
        _keyed(entry, table)


def _keyed(entry: exp.Expr, table: _Table) -> None:
    """A key or a reference of the table, told to its columns. A key of several columns makes none of them unique."""
    if isinstance(entry, exp.PrimaryKey):
        names = _names(entry)
        for name in names:
            table.change(name, not_null=True, **({"unique": True} if len(names) == 1 else {}))
    elif isinstance(entry, exp.UniqueColumnConstraint) and isinstance(entry.this, exp.Schema):
        names = _names(entry.this)
        if len(names) == 1:
            table.change(names[0], unique=True)
    elif isinstance(entry, exp.ForeignKey) and entry.args.get("reference"):
        for name in _names(entry):
            table.change(name, references=_pointed_to(entry.args["reference"]))


def _names(entry: exp.Expr) -> list[str]:
    """The columns a key lists; an ordered one stands one level deeper."""
    return [e.this.name if isinstance(e, exp.Ordered) else e.name for e in entry.expressions]


def _column(entry: exp.ColumnDef, place: int, dialect: str | None) -> Column:
    facts: dict[str, Any] = {}
    for constraint in entry.args.get("constraints") or ():
        facts |= _fact(constraint.args.get("kind"))
    kind = entry.args.get("kind")
    remark = " ".join(entry.comments or ()).strip()  # `id int, -- the key`
    if kind is not None and kind.this == exp.DataType.Type.ENUM:
        facts["accepted_values"] = _literals(kind.expressions)
    return Column(
        name=entry.name,
        type=kind.sql(dialect=dialect, comments=False) if kind is not None else None,
        position=place,
        **{"description": remark, **facts},
    )


def _fact(kind: Any) -> Mapping[str, Any]:
    """What one constraint of a column says, as fields of Column."""
    if isinstance(kind, exp.NotNullColumnConstraint):
        return {} if kind.args.get("allow_null") else {"not_null": True}
    if isinstance(kind, exp.PrimaryKeyColumnConstraint):
        return {"unique": True, "not_null": True}
    if isinstance(kind, exp.UniqueColumnConstraint):
        return {"unique": True}
    if isinstance(kind, exp.Reference):
        return {"references": _pointed_to(kind)}
    if isinstance(kind, exp.CommentColumnConstraint):
        return {"description": _text(kind.this)}
    if isinstance(kind, exp.CheckColumnConstraint) and isinstance(kind.this, exp.In):
        return {"accepted_values": _literals(kind.this.expressions)}
    if isinstance(kind, exp.Properties):  # BigQuery: options(description = '...')
        said = [p for p in kind.expressions if p.name.lower() == "description"]
        return {"description": _text(said[0].args.get("value"))} if said else {}
    return {}


def _pointed_to(reference: exp.Expr) -> str | None:
    table = reference.find(exp.Table)
    return (f"{table.db}.{table.name}" if table.db else table.name) if table else None


def _commented(tree: exp.Comment, tables: _Tables) -> None:
    target, said = tree.this, _text(tree.expression)
    if isinstance(target, exp.Column):
        table = _known(tables, target.args["db"].name if target.args.get("db") else "", target.table)
        if table:
            table.change(target.name, description=said)
    elif isinstance(target, exp.Table) and (table := _known(tables, target.db, target.name)):
        table.description = said


def _text(literal: exp.Expr | None) -> str:
    return literal.name.strip() if isinstance(literal, exp.Expr) else ""


def _literals(entries: list[exp.Expr]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(e.name for e in entries if isinstance(e, exp.Literal)))[:VALUES_LIMIT]


def _relations(tables: list[_Table]) -> tuple[Relation, ...]:
    """The tables as Relations; where two schemas have a name, the schema is part of the id."""
    alone = Counter(t.name.lower() for t in tables)
    ids = [t.name if alone[t.name.lower()] == 1 else f"{t.schema}.{t.name}" for t in tables]
    id_of = {f"{t.schema}.{t.name}".lower(): i for t, i in zip(tables, ids, strict=True)}
    id_of |= {t.name.lower(): i for t, i in zip(tables, ids, strict=True) if alone[t.name.lower()] == 1}
    return tuple(
        Relation(
            id=i,
            name=table.name,
            kind="table",
            columns=tuple(
                replace(c, references=id_of.get(c.references.lower(), c.references)) if c.references else c
                for c in table.columns.values()
            ),
            schema=table.schema,
            description=table.description,
        )
        for table, i in zip(tables, ids, strict=True)
    )
