"""Tables that stand in files: CSV, Parquet, DDL -> Relation."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import msgspec

from dbt_schema_embed.dialects import checked_dialect
from dbt_schema_embed.errors import ArtifactError, ConfigError, listed, printable
from dbt_schema_embed.files import read_bytes
from dbt_schema_embed.records import Column, Relation
from dbt_schema_embed.tables.csv_file import read_csv
from dbt_schema_embed.tables.parquet_file import read_parquet

Docs = Mapping[str, Mapping[str, str | None]]
"""Column name -> {"description": ..., "type": ...}."""

_DOCS_BYTES = 64 * 2**20
_DDL_SUFFIXES = (".sql", ".ddl")
_PARQUET_SUFFIXES = (".parquet", ".pq")


class ArrowTable(Protocol):
    """What data frames and tables of many libraries are: a stream of Arrow's batches."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A capsule with the stream."""


class _Doc(msgspec.Struct, frozen=True):
    description: str | None = None
    type: str | None = None


def read_relation(
    path: "str | Path | ArrowTable",
    *,
    docs: str | Path | Docs | None = None,
    dialect: str | None = None,
    table: str | None = None,
) -> Relation:
    """The table in a CSV, Parquet or DDL file, or in memory.

    Args:
        path: A file; ``.sql`` and ``.ddl`` are DDL, ``.parquet`` and ``.pq`` Parquet, all else CSV. Or a table of
            pandas, polars, Arrow or DuckDB: whatever has ``__arrow_c_stream__``.
        docs: JSON ``{column: {"description": ..., "type": ...}}``, as a file or a mapping. Descriptions replace the
            file's own; types are used where the file has none. Columns it does not have are passed over.
        dialect: sqlglot's dialect of DDL; None: tried out.
        table: Which table, where DDL creates several; what to call any other table, in place of the file's name or
            "table".

    Returns:
        A Relation of kind "table". A CSV's columns have no types unless ``docs`` gives them.

    Raises:
        ArtifactError: a file is missing, unreadable or holds no table.
        ConfigError: ``table`` is not there, or needed to choose; the dialect is not known.
        MissingExtraError: Parquet without pyarrow.
        TypeError: it is neither a path nor a table.
    """
    if not isinstance(path, str | Path):
        found = _from_memory(path, table or "table")
        return found if docs is None else _with_docs(found, _docs(docs))
    path = Path(path)
    if path.suffix.lower() not in _DDL_SUFFIXES:
        found = read_relations(path, docs=docs)[0]
        return replace(found, id=table, name=table) if table else found
    relations = read_relations(path, docs=docs, dialect=dialect)
    wanted = [r for r in relations if table is None or table.lower() in (r.id.lower(), r.name.lower())]
    if len(wanted) == 1:
        return wanted[0]
    names = listed([printable(r.id) for r in relations])
    if table is None:
        raise ConfigError(f"{printable(path)} creates {len(relations)} tables: {names}", hint="say which one")
    raise ConfigError(f"{printable(path)} creates no table {printable(table)!r}", hint=f"it creates: {names}")


def read_relations(
    path: str | Path, *, docs: str | Path | Docs | None = None, dialect: str | None = None
) -> tuple[Relation, ...]:
    """All tables of a file, in its order: as `read_relation`, and several where DDL creates several.

    Raises:
        As `read_relation`.
    """
    path = Path(path)
    spoken = checked_dialect(dialect)
    suffix = path.suffix.lower()
    if suffix in _DDL_SUFFIXES:
        from dbt_schema_embed.tables.ddl import read_ddl

        found = read_ddl(path, spoken)
    else:
        found = (_relation(path.stem, (read_parquet if suffix in _PARQUET_SUFFIXES else read_csv)(path)),)
    if docs is None:
        return found
    described = _docs(docs)
    return tuple(_with_docs(relation, described) for relation in found)


def _from_memory(table: "ArrowTable", name: str) -> Relation:
    if not hasattr(table, "__arrow_c_stream__"):
        raise TypeError(
            f"read_relation takes a path or a table of pandas, polars, Arrow or DuckDB, not {type(table).__name__}"
        )
    from dbt_schema_embed.tables.arrow_stream import read_stream

    return _relation(name, read_stream(table))


def _relation(name: str, columns: list[Column]) -> Relation:
    # Names that differ in case only can be told apart only where they compare with case.
    twice = {key for key, n in Counter(c.key for c in columns).items() if n > 1}
    told_apart = tuple(replace(c, position=i, quoted=c.key in twice) for i, c in enumerate(columns))
    return Relation(id=name, name=name, kind="table", columns=told_apart)


def _docs(docs: str | Path | Docs) -> dict[str, _Doc]:
    """The docs, keyed by name as written and, where no other name is spelled so, in lower case."""
    found = _docs_file(Path(docs)) if isinstance(docs, str | Path) else _docs_mapping(docs)
    return {**{name.lower(): doc for name, doc in found.items()}, **found}


def _docs_file(path: Path) -> dict[str, _Doc]:
    data = read_bytes(path, "file of column docs", "name a JSON file that exists", _DOCS_BYTES)
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=dict[str, _Doc])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise _bad_docs(printable(path), problem) from None


def _docs_mapping(docs: Docs) -> dict[str, _Doc]:
    try:
        return msgspec.convert(docs, type=dict[str, _Doc])
    except (msgspec.MsgspecError, RecursionError) as problem:
        raise _bad_docs("docs", problem) from None


def _bad_docs(shown: str, problem: Exception) -> ArtifactError:
    return ArtifactError(
        f"{shown} is no JSON of column docs: {printable(problem)}",
        hint='it must be {"column": {"description": "...", "type": "..."}}',
    )


def _with_docs(relation: Relation, docs: Mapping[str, _Doc]) -> Relation:
    columns = []
    for column in relation.columns:
        doc = docs.get(column.name) or docs.get(column.name.lower())
        if doc is not None:
            column = replace(
                column,
                type=column.type or (doc.type or "").strip() or None,
                description=(doc.description or "").strip() or column.description,
            )
        columns.append(column)
    return replace(relation, columns=tuple(columns))
