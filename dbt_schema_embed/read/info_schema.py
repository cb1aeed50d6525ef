"""dbt 2's Information Schema: what `dbt compile --generate-info-schema --static-analysis strict` knows of columns.

Two of its tables say more than the manifest: `dbt.node_columns` (types that dbt has inferred from SQL, or seen in the
warehouse) and `dbt.column_lineage` (a step from a parent's column to a child's). Their columns are a contract of dbt's
in folder v1; others there are skipped.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from dbt_schema_embed.errors import ArtifactError, MissingExtraError
from dbt_schema_embed.read.artifacts import CatalogColumn, CatalogTable
from dbt_schema_embed.records import Lineage, LineageKind
from dbt_schema_embed.tables.parquet_file import read_texts

ColumnOf: TypeAlias = tuple[str, str]
"""unique_id and a column in lower case."""

_COLUMNS = ("node_unique_id", "column_name", "column_index", "catalog_type", "inferred_type", "declared_type")
_STEPS = ("parent_node_unique_id", "parent_column_name", "child_node_unique_id", "child_column_name", "evolution")
_ROOTS = ("source.", "seed.")
_ARROW = {
    "utf8": "varchar", "largeutf8": "varchar", "utf8view": "varchar", "int8": "tinyint", "int16": "smallint",
    "int32": "integer", "int64": "bigint", "float32": "real", "float64": "double", "date32": "date", "date64": "date",
    "timestamp": "timestamp", "decimal128": "decimal", "decimal256": "decimal", "binary": "binary",
}  # fmt: skip
"""Arrow's names, in which dbt gives what it has inferred, as SQL spells them: a cast may be written with them."""


@dataclass(frozen=True, slots=True)
class InfoSchema:
    """What dbt knows. Empty where it wrote nothing."""

    tables: Mapping[str, CatalogTable] = field(default_factory=dict)  # of nodes whose columns dbt has worked out
    lineage: tuple[Lineage, ...] = ()  # from sources and seeds to models, however many steps away; sorted
    traced: frozenset[str] = frozenset()  # models whose lineage is known
    warnings: tuple[str, ...] = ()


def info_schema_files(target: Path) -> tuple[Path, Path]:
    """Where the columns and the lineage would be, see `read_info_schema`."""
    folder = (Path(_said()) if _said() else target / "info_schema") / "v1"
    return folder / "dbt.node_columns.parquet", folder / "dbt.column_lineage.parquet"


def _said() -> str:
    return os.environ.get("DBT_INFO_SCHEMA_DIR", "").strip()


def read_info_schema(
    target: Path, models: Collection[str], *, found: Callable[[Path], Path] = lambda path: path
) -> InfoSchema:
    """The Information Schema in the target folder, or where DBT_INFO_SCHEMA_DIR says; lineage of ``models`` only.

    ``found`` refuses files that lead out of the project with an ArtifactError. What cannot be read costs a warning, for
    manifest and SQL say most of it, too.
    """
    columns, steps = info_schema_files(target)
    try:
        if not _said():
            for path in (columns.parent.parent, columns.parent, columns, steps):
                found(path)
        tables = _tables(read_texts(columns, _COLUMNS)) if columns.exists() else {}
        known = _Steps(read_texts(steps, _STEPS)) if models and steps.exists() else _Steps(())
    except (ArtifactError, MissingExtraError) as problem:
        return InfoSchema(warnings=(f"dbt's Information Schema is not used: {problem.message}",))
    lineage = tuple(sorted(line for i in models for line in known.lines(i)))
    return InfoSchema(tables, lineage, frozenset(known.children & set(models)))


def _tables(rows: Iterable[tuple[str | None, ...]]) -> dict[str, CatalogTable]:
    """Nodes with a column that the warehouse or the SQL has; a column that only YAML declares proves nothing."""
    found: dict[str, dict[str, CatalogColumn]] = {}
    for node, name, index, seen, inferred, declared in rows:
        if node and name and (seen or inferred):
            type_ = seen or declared or _sql_type(inferred or "")
            found.setdefault(node, {})[name] = CatalogColumn(name, type_, index)
    return {node: CatalogTable(columns) for node, columns in found.items()}


def _sql_type(inferred: str) -> str:
    head, bracket, rest = inferred.partition("(")
    word = _ARROW.get(head.strip().lower())
    if word is None:
        return inferred
    scale = re.match(r"\s*\d+\s*,\s*-?\d+\s*\)", rest)
    return f"{word}({scale[0]}" if word == "decimal" and bracket and scale else word


class _Steps:
    """Lineage step by step, followed to its roots."""

    def __init__(self, rows: Iterable[tuple[str | None, ...]]) -> None:
        self._above: dict[ColumnOf, dict[tuple[str, str], bool]] = {}  # child -> (parent, column) -> a copy
        self._spelled: dict[ColumnOf, str] = {}
        for parent, column, child, name, how in rows:
            if parent and column and child and name and how in ("copy", "mod"):  # "scan" is a filter or a join
                at = (child, name.lower())
                self._spelled.setdefault(at, name)
                above = self._above.setdefault(at, {})
                above[parent, column] = above.get((parent, column), False) or how == "copy"
        self.children = {child for child, _ in self._above}
        self._of: dict[str, list[ColumnOf]] = {}
        for at in self._above:
            self._of.setdefault(at[0], []).append(at)

    def lines(self, model: str) -> Iterator[Lineage]:
        """Every root column of every column of a model."""
        for at in self._of.get(model, ()):
            shown = self._spelled[at]
            for (root, column), copied in self._roots(at).items():
                yield Lineage(root, column, model, shown, _kind(column, shown, copied))

    def _roots(self, start: ColumnOf) -> dict[tuple[str, str], bool]:
        """(source or seed, column) -> whether a way leads there that only copies."""
        roots: dict[tuple[str, str], bool] = {}
        seen: set[tuple[ColumnOf, bool]] = set()
        waiting = [(start, True)]
        while waiting:
            at, copied = waiting.pop()
            if (at, copied) in seen:
                continue
            seen.add((at, copied))
            for (parent, column), copy in self._above.get(at, {}).items():
                if parent.startswith(_ROOTS):
                    roots[parent, column] = roots.get((parent, column), False) or (copied and copy)
                else:
                    waiting.append(((parent, column.lower()), copied and copy))
        return roots


def _kind(source: str, model: str, copied: bool) -> LineageKind:
    if not copied:
        return "derived"
    return "identical" if source.lower() == model.lower() else "renamed"
