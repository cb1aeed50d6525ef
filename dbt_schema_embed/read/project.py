"""dbt's artifacts -> Project."""

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dbt_schema_embed.dialects import adapter_dialect, checked_dialect
from dbt_schema_embed.errors import ArtifactError, ConfigError, printable
from dbt_schema_embed.files import inside
from dbt_schema_embed.read.artifacts import (
    CatalogTable,
    Manifest,
    Metadata,
    Node,
    load_catalog,
    load_manifest,
    root_package,
)
from dbt_schema_embed.read.constraints import plain, promises
from dbt_schema_embed.read.info_schema import read_info_schema
from dbt_schema_embed.read.planned import plans_in_yaml, plans_off, unparsed
from dbt_schema_embed.read.relations import KINDS, Known, enabled, has_sql, relation, with_sql
from dbt_schema_embed.read.seeds import NO_ROWS, seed_rows
from dbt_schema_embed.records import Lineage, Project, Relation

if TYPE_CHECKING:
    from dbt_schema_embed.progress import Counted
    from dbt_schema_embed.read.own_files import Own
    from dbt_schema_embed.sql.lineage import SqlFacts

LineageOf: TypeAlias = Collection[str] | Callable[[Sequence[Relation]], Collection[str]] | None
"""Models whose SQL is wanted, see `read_project`."""


def read_project(
    project_dir: Path,
    *,
    target_path: Path | None = None,
    manifest: Path | None = None,
    catalog: Path | None = None,
    dialect: str | None = None,
    lineage_of: LineageOf = None,
    values: bool = True,
    cache_dir: Path | None = None,
    progress: "Counted | None" = None,
    own_files: bool = False,
) -> Project:
    """Read the dbt project in ``project_dir`` from its artifacts.

    Args:
        project_dir: The folder of dbt_project.yml; ``target/`` and ``seeds/`` alone will do.
        target_path: The folder of the artifacts, relative to ``project_dir``. None: DBT_TARGET_PATH, else
            ``target-path`` of dbt_project.yml, else ``target``.
        manifest: The manifest, where it is not ``manifest.json`` there.
        catalog: The catalog, where it is not ``catalog.json`` beside the manifest. Without one, types and columns are
            those of dbt 2's Information Schema, see `read_info_schema`, or of the YAML.
        dialect: sqlglot's dialect or dbt's adapter, where the manifest does not say or sqlglot does not know it.
        lineage_of: unique_ids of the models whose SQL is read, with the models they select from, or what says them when
            called with the relations. None: all models; empty: none, and sqlglot is not imported.
        values: Whether rows of seeds, accepted values and literals are kept as sample values.
        cache_dir: Where parsed SQL may be kept between runs; None: nowhere.
        progress: Is told, before each model's SQL that is parsed, how many of how many are through.
        own_files: Whether the project's own files count more than the manifest, which then need not be there, see
            `read_own_files`.

    Returns:
        The project; relations and lineage sorted. A project without sources is not an error.

    Raises:
        ArtifactError: an artifact is missing, unreadable or of another project.
        ConfigError: the dialect is not known.
    """
    asked = checked_dialect(dialect)
    folder = target_folder(project_dir, target_path)
    homes = project_dir, folder
    named = manifest is not None
    manifest = manifest or _found(folder / "manifest.json", homes)
    read, own = _nodes(project_dir, manifest, own_files=own_files, needed=named)
    name = root_package(read.metadata, (node.package_name for node in own.nodes.values())) or own.name
    nodes = {unique_id: node for unique_id, node in own.nodes.items() if enabled(node)}
    in_yaml, switched = _plans(project_dir, name, read, own, own_files=own_files)
    nodes = {**in_yaml, **switched, **nodes}
    beside = manifest.parent / "catalog.json"
    catalog = catalog or (_found(beside, homes) if beside.exists() else None)
    known = read_info_schema(
        manifest.parent,
        nodes if lineage_of is None or lineage_of else (),
        found=partial(_found, homes=homes),
    )
    # What the warehouse has counts more than what dbt works out.
    tables = {**known.tables, **_catalog(manifest, catalog, nodes)}
    tables = {i: table for i, table in tables.items() if i not in own.changed}
    rows, warnings = seed_rows(nodes, project_dir, values)
    warnings += [*own.warnings, *known.warnings, *unparsed(project_dir, in_yaml)]
    promised = promises(nodes)
    relations = [
        relation(i, node, Known(tables.get(i), promised.get(i, {}), rows.get(i, NO_ROWS), values), nodes)
        for i, node in sorted(nodes.items())
        if node.resource_type in KINDS
    ]
    adapter = read.metadata.adapter_type if read.metadata else None
    spoken = adapter_dialect(adapter) or asked
    wanted = _with_ancestors(nodes, lineage_of(relations) if callable(lineage_of) else lineage_of)
    lineage: tuple[Lineage, ...] = ()
    if wanted:
        facts = _read_sql({r.id: r for r in relations}, nodes, wanted, tables, spoken, cache_dir, progress)
        relations = _told(relations, facts, values)
        lineage = _joined(facts.lineage, known.lineage, known.traced & wanted)
        stubs = _stubs(relations, facts.stars, nodes)
        relations = [stubs.get(r.id, r) for r in relations]
        lineage = tuple(line for line in lineage if line.model not in stubs)
        warnings += [*_unknown_adapter(adapter, spoken), *facts.warnings]
    return Project(
        name, spoken, tuple(relations), lineage, tuple(warnings), manifest=str(manifest), unread=tuple(own.unread),
        whole=own.whole,
    )  # fmt: skip


def _plans(
    project_dir: Path, name: str, read: Manifest, own: "Own", *, own_files: bool
) -> tuple[Mapping[str, Node], Mapping[str, Node]]:
    """The planned models that dbt does not build, and their tests: in YAML alone, and switched off.

    Where the project's files are judged, YAML without a file plans what the manifest does not know as built: else the
    file may have been renamed. So they do where the manifest knows nothing at all, for it is not of this project.
    """
    from dbt_schema_embed.read.own_files import switched_off

    off = switched_off(read) | {i: node for i, node in own.nodes.items() if not enabled(node)}
    built = read.every_node() if own_files else {}
    known = {*off, *own.nodes, *built}
    in_yaml = (
        plans_in_yaml(project_dir, name, known, built_by_files=own_files or not own.nodes)
        if built or not own_files
        else {}
    )
    return in_yaml, plans_off(off, name)


def _nodes(project_dir: Path, manifest: Path, *, own_files: bool, needed: bool) -> "tuple[Manifest, Own]":
    """The manifest, empty where there is none, and the nodes to read: its own, or as the project's files have them.

    Raises:
        ArtifactError: there is no manifest, and it is ``needed``, or the files do not count or are no dbt project.
    """
    from dbt_schema_embed.read.own_files import Own, adapter_of, read_own_files

    own_files = own_files and (project_dir / "dbt_project.yml").is_file()
    if own_files and not needed and not manifest.exists():
        return Manifest(Metadata(adapter_type=adapter_of(project_dir))), read_own_files(project_dir, None)
    if not manifest.exists() and not (project_dir / "dbt_project.yml").exists():
        raise ArtifactError(
            f"there is no dbt project in {printable(project_dir.resolve())}: neither dbt_project.yml nor a manifest",
            hint="go to the project's folder, or name it with --project-dir",
        )
    read = load_manifest(manifest)
    own = read_own_files(project_dir, read, manifest.stat().st_mtime) if own_files else Own(read.every_node())
    return read, own


_PROJECT_FILE = 2**20  # characters of dbt_project.yml that are looked at


def target_folder(project_dir: Path, target_path: Path | None = None) -> Path:
    """Where dbt puts its artifacts, in its own order: flag, environment, project file, default.

    Raises:
        ConfigError: the project, not the user, says that it is outside the project.
    """
    if said := target_path or os.environ.get("DBT_TARGET_PATH", "").strip():
        return project_dir / said
    folder = project_dir / (_declared_target(project_dir) or "target")
    if not inside(folder, project_dir):
        raise ConfigError(
            f"the target path {printable(folder)} leads out of the project",
            hint="if that is right, name it with --target-path or DBT_TARGET_PATH",
        )
    return folder


def _declared_target(project_dir: Path) -> str | None:
    """``target-path`` of dbt_project.yml: one plain line, or the default of an env_var() nobody set."""
    path = project_dir / "dbt_project.yml"
    try:
        if not inside(path, project_dir):
            return None
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            text = file.read(_PROJECT_FILE)
    except OSError:
        return None
    line = re.search(r"""^["']?target-path["']?[ \t]*:(.*)$""", text, re.MULTILINE)
    said = re.split(r"[ \t]#", line[1], maxsplit=1)[0].strip().strip("\"'") if line else ""
    call = re.search(r"""env_var\(\s*["'](\w+)["']\s*(?:,\s*["']([^"']*)["']\s*)?\)""", said)
    if call:
        return os.environ.get(call[1]) or call[2]
    return said if said and "{{" not in said else None


def _found(path: Path, homes: Sequence[Path]) -> Path:
    """An artifact that nobody named.

    Raises:
        ArtifactError: it is a link out of all of ``homes``.
    """
    if path.is_symlink() and not any(inside(path, home) for home in homes):
        raise ArtifactError(f"{printable(path)} is a link out of the project: it is not read")
    return path


def _catalog(manifest: Path, path: Path | None, nodes: Mapping[str, Node]) -> Mapping[str, CatalogTable]:
    """The catalog's tables; none without a catalog."""
    tables = load_catalog(path).tables() if path else {}
    relations = [i for i, node in nodes.items() if node.resource_type in KINDS]
    if tables and relations and not any(i in tables for i in relations):
        raise ArtifactError(
            f"the catalog {printable(path)} belongs to another project: "
            f"it shares no table with the manifest {printable(manifest)}",
            hint="run `dbt docs generate` in this project, or name its catalog with --catalog",
        )
    return tables


def _with_ancestors(nodes: Mapping[str, Node], models: Collection[str] | None) -> set[str]:
    """The models whose SQL is needed: those asked for and all models they select from."""
    readable = {i for i, n in nodes.items() if n.resource_type in ("model", "snapshot") and has_sql(n)}
    if models is None:
        return readable
    wanted: set[str] = set()
    waiting = [i for i in models if i in readable]
    while waiting:
        unique_id = waiting.pop()
        if unique_id not in wanted:
            wanted.add(unique_id)
            waiting += [i for i in nodes[unique_id].parents if i in readable]
    return wanted


def _read_sql(
    relations: Mapping[str, Relation],
    nodes: Mapping[str, Node],
    wanted: Collection[str],
    catalog: Collection[str],
    dialect: str | None,
    cache_dir: Path | None,
    progress: "Counted | None",
) -> "SqlFacts":
    from dbt_schema_embed.sql.lineage import ModelSql, TableInfo, read_sql, silent

    columns = {i: tuple(c.name for c in r.columns) for i, r in relations.items()}
    models = [
        ModelSql(i, n.compiled or n.raw, n.relation_name or "", n.parents, columns[i], compiled=bool(n.compiled))
        for i, n in ((i, nodes[i]) for i in sorted(wanted))
    ]
    sharing: dict[str, list[str]] = {}  # sources first: a seed with a source's relation stands in for it
    for unique_id in sorted(columns, key=lambda i: (nodes[i].resource_type != "source", i)):
        if name := nodes[unique_id].relation_name:
            sharing.setdefault(plain(name), []).append(unique_id)
    tables = {
        name: TableInfo(ids[0], columns[ids[0]], relations[ids[0]].kind, ids[0] in catalog, tuple(ids[1:]))
        for name, ids in sharing.items()
    }
    return read_sql(models, tables, dialect, cache_dir, progress or silent)


def _joined(ours: tuple[Lineage, ...], dbts: tuple[Lineage, ...], traced: Collection[str]) -> tuple[Lineage, ...]:
    """Lineage as dbt has followed it for the models ``traced``, as we read it from SQL for all others."""
    if not traced:
        return ours
    return tuple(sorted([*(x for x in ours if x.model not in traced), *(x for x in dbts if x.model in traced)]))


def _stubs(relations: Sequence[Relation], stars: Collection[str], nodes: Mapping[str, Node]) -> dict[str, Relation]:
    """Models that select * alone while their YAML lists columns that * does not give, as the plans that they are."""
    found = {}
    for stub in (r for r in relations if r.id in stars and any(c.absent for c in r.columns)):
        place = {name.lower(): i for i, (name, _) in enumerate(nodes[stub.id].documented())}
        listed = sorted((c for c in stub.columns if c.key in place), key=lambda c: place[c.key])
        columns = tuple(replace(c, absent=False, position=i) for i, c in enumerate(listed))
        found[stub.id] = replace(stub, columns=columns, has_sql=False)
    return found


def _told(relations: list[Relation], facts: "SqlFacts", values: bool) -> list[Relation]:
    """The relations with what SQL says of them: columns where there is no catalog, and literals."""
    literals: dict[str, dict[str, tuple[str, ...]]] = {}
    for (unique_id, column), texts in facts.literals.items() if values else ():
        literals.setdefault(unique_id, {})[column] = texts
    read_from: dict[str, dict[str, None]] = {}  # columns of a source, as the SQL that reads it names them
    for line in facts.lineage:
        read_from.setdefault(line.source, {})[line.source_column] = None
    told = []
    for known in relations:
        names: tuple[str, ...] = ()
        listed_by_sql = known.id in facts.columns and known.id not in facts.open
        if not known.in_catalog:  # a source's YAML often lists the tested columns only: it goes first
            listed = dict.fromkeys(c.name for c in known.columns) if known.kind == "source" else {}
            names = facts.columns.get(known.id) or tuple(listed | read_from.get(known.id, {}))
        told.append(with_sql(known, names, literals.get(known.id, {}), complete=listed_by_sql and bool(names)))
    return told


def _unknown_adapter(adapter: str | None, dialect: str | None) -> list[str]:
    if dialect:
        return []
    said = f"the adapter {printable(adapter)} is not known" if adapter else "nothing says which adapter the project has"
    return [f"{said}: SQL is read in no particular dialect; say which with --dialect"]
