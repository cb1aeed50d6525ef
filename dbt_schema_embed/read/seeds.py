"""Rows without a warehouse: a seed whose relation is a source's holds that source's rows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from dbt_schema_embed.errors import ArtifactError, printable
from dbt_schema_embed.files import inside
from dbt_schema_embed.read.artifacts import Node
from dbt_schema_embed.read.constraints import plain
from dbt_schema_embed.records import Column
from dbt_schema_embed.tables.csv_file import read_csv
from dbt_schema_embed.tables.samples import ROWS_LIMIT


@dataclass(frozen=True, slots=True)
class Rows:
    """What a seed's file shows: its columns in order, and a sample of each by name in lower case."""

    names: tuple[str, ...]
    samples: Mapping[str, Column] = field(repr=False)


NO_ROWS = Rows((), {})


def seed_rows(nodes: Mapping[str, Node], project_dir: Path, values: bool) -> tuple[dict[str, Rows], list[str]]:
    """By unique_id, the rows of every seed whose file is found and of every source such a seed feeds; and warnings.

    Without ``values`` only the header is read: what columns there are must not depend on whether values are wanted.
    """
    found: dict[str, Rows] = {}
    warnings: list[str] = []
    fed = _sources_by_table(nodes)
    for unique_id, node in nodes.items():
        path = _file(node, project_dir) if node.resource_type == "seed" else None
        if path is None:
            continue
        try:
            columns = read_csv(path, delimiter=_delimiter(node), rows=ROWS_LIMIT if values else 0)
        except ArtifactError as problem:
            warnings.append(f"the rows of seed {printable(node.name)} are not used: {problem.message}")
            continue
        found[unique_id] = Rows(tuple(c.name for c in columns), {c.name.lower(): c for c in columns})
        for source in {source for key in _tables(node) for source in fed.get(key, ())}:
            found[source] = found[unique_id]
    return found, warnings


def _sources_by_table(nodes: Mapping[str, Node]) -> dict[str, list[str]]:
    readers: dict[str, list[str]] = {}
    for unique_id, node in nodes.items():
        if node.resource_type == "source":
            for key in _tables(node):
                readers.setdefault(key, []).append(unique_id)
    return readers


def _tables(node: Node) -> Iterable[str]:
    """The spellings of the relation a node stands for: as dbt rendered it, and from its parts."""
    parts = plain(".".join(part for part in (node.database, node.schema, node.table) if part))
    return {parts, plain(node.relation_name or parts)}


def _delimiter(node: Node) -> str | None:
    said = node.config.delimiter if node.config else None
    return said if isinstance(said, str) and len(said) == 1 and said not in '"\r\n ' else None


def _file(node: Node, project_dir: Path) -> Path | None:
    """The seed's CSV below the project, where it stands or where dbt unpacked its package; None when not there."""
    places = (path for path in _places(node, project_dir) if path.suffix == ".csv" and path.is_file())
    return next((path for path in places if inside(path, project_dir)), None)


def _places(node: Node, project_dir: Path) -> Iterator[Path]:
    original = _inner(node.original_file_path)
    package = _inner(node.package_name)
    if original:
        yield project_dir / original
        for folder in ("dbt_packages", "dbt_modules"):
            if package:
                yield project_dir / folder / package / original
        root = Path(node.root_path or ".")
        if ".." not in root.parts and root.is_relative_to(project_dir.absolute()):
            yield root / original
        yield project_dir / "seeds" / original.name
    if path := _inner(node.path):
        yield project_dir / "seeds" / path


def _inner(path: str | None) -> PurePosixPath | None:
    """A path the manifest names, only when it leads nowhere but down: manifests come from outside."""
    inner = PurePosixPath((path or "").replace("\\", "/"))
    unsafe = inner.is_absolute() or ".." in inner.parts or not inner.name or "\0" in str(inner) or ":" in inner.parts[0]
    return None if unsafe else inner
