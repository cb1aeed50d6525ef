"""Every model's SQL -> its Statement: from the cache, else parsed, within bounds of time and depth."""

import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dbt_schema_embed.deadline import within
from dbt_schema_embed.progress import Counted
from dbt_schema_embed.sql.cache import Entry, StatementCache, statement_key
from dbt_schema_embed.sql.jinja import plain_sql
from dbt_schema_embed.sql.shape import Statement


def silent(done: int, total: int) -> None:
    """Progress that nobody looks at."""


TIME_LIMIT = 60.0
"""Seconds for parsing all SQL of a project, and again for resolving it; what is left then costs a warning a model."""
OUT_OF_TIME = "the time for reading SQL was over"
_STACK = 64 * 2**20  # bytes; sqlglot recurses, and its compiled build does so on the C stack
_RECURSION = 20_000  # frames; sql_tree.MAX_DEPTH levels take ~24 each


@dataclass(frozen=True, slots=True)
class ModelSql:
    """A model (or snapshot) and its SQL."""

    id: str  # unique_id
    sql: str  # compiled; raw Jinja SQL with compiled=False
    relation_name: str = ""  # as in the manifest, e.g. '"db"."schema"."stg_orders"'
    parents: tuple[str, ...] = ()  # unique_ids it depends on
    known_columns: tuple[str, ...] = ()  # from the catalog or YAML; their spelling is kept
    compiled: bool = True


def read_statements(
    models: Sequence[ModelSql], dialect: str | None, cache_dir: Path | None, progress: Counted
) -> tuple[dict[str, Statement], dict[str, str]]:
    """The statement of every model that can be read, and why the others cannot.

    ``progress`` is told before each that is parsed. Raw Jinja is read on the off chance that it is plain: where it is
    not, it is in neither.
    """
    cache = StatementCache(cache_dir)
    keys = {m.id: statement_key(m.sql, dialect, compiled=m.compiled) for m in models}
    entries = {i: entry for i, key in keys.items() if (entry := cache.get(i, key))}
    stale = [m for m in models if m.id not in entries]
    deadline = time.monotonic() + TIME_LIMIT

    def work() -> None:
        for done, model in enumerate(stale):
            if time.monotonic() > deadline:
                return
            progress(done, len(stale))
            entries[model.id] = _parse(model, dialect, keys[model.id])

    if stale:
        _deep(work, TIME_LIMIT)
    read = dict(entries)  # a thread that is left behind may still add to `entries`
    for model in stale:
        if model.id in read:
            cache.put(model.id, read[model.id])
    cache.save()
    late = {m.id: OUT_OF_TIME for m in models if m.id not in read}
    return (
        {i: entry.statement for i, entry in read.items() if entry.statement is not None},
        {i: entry.problem for i, entry in read.items() if entry.problem} | late,
    )


def _deep(work: Callable[[], None], seconds: float) -> None:
    """Run ``work`` with room for deep recursion. After ``seconds`` it is left behind: nothing can stop a parser."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION))
    try:
        with contextlib.suppress(TimeoutError):
            within(seconds, work, stack=_STACK)
    finally:
        sys.setrecursionlimit(limit)


def _parse(model: ModelSql, dialect: str | None, key: bytes) -> Entry:
    from dbt_schema_embed.sql.parse import parse_statement
    from dbt_schema_embed.sql.tree import SqlError

    sql, relations = model.sql, dict[str, str]()
    if not model.compiled:
        plain = plain_sql(model.sql)
        if plain is None:
            return Entry(key)
        sql, relations = plain
    try:
        return Entry(key, parse_statement(sql, dialect, relations))
    except SqlError as problem:
        return Entry(key, problem=str(problem) if model.compiled else "")
