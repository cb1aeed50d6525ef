"""A dbt project opened for a call: its artifacts read, its sources chosen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from dbt_schema_embed.errors import ArtifactError, ConfigError, listed, printable
from dbt_schema_embed.pipeline.watch import Progress, silent
from dbt_schema_embed.records import Project, Relation
from dbt_schema_embed.settings import Settings

if TYPE_CHECKING:
    from dbt_schema_embed.read.project import LineageOf

PROFILE = "profile.json"
"""What `profile` keeps in our folder."""

SCRATCH = "schema_embed"
"""Our folder below dbt's target folder: the index, and SQL that was parsed. It can be removed at any time."""


class Artifacts(TypedDict, total=False):
    """Where dbt's artifacts are, if not where dbt puts them."""

    target_path: Path | None  # relative to the project
    manifest: Path | None
    catalog: Path | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A project and the folders a call works in."""

    root: Path  # of the dbt project
    scratch: Path  # ours; may not exist yet
    project: Project


def open_project(
    project_dir: str | Path,
    artifacts: Artifacts,
    settings: Settings,
    *,
    lineage_of: "LineageOf" = None,
    values: bool = True,
    progress: Progress = silent,
) -> Opened:
    """Read a project; ``lineage_of`` and ``values`` as in `read.read_project`.

    What `profile` has kept is taken in as well.

    Raises:
        ArtifactError: an artifact is missing or unreadable.
        ConfigError: the dialect is not known.
    """
    from dbt_schema_embed.read import read_project, target_folder

    root = Path(project_dir)
    scratch = target_folder(root, artifacts.get("target_path")) / SCRATCH
    project = read_project(
        root, **artifacts, dialect=settings.dialect, lineage_of=lineage_of, values=values, cache_dir=scratch,
        progress=partial(progress, "Reading SQL"),
    )  # fmt: skip
    return Opened(root, scratch, _with_profile(project, scratch / PROFILE, values=values))


def stamp_of(project_dir: str | Path, artifacts: Artifacts) -> tuple[tuple[int, int, int] | None, ...]:
    """What tells whether the artifacts of a project have changed since."""
    from dbt_schema_embed.read import target_folder

    target = target_folder(Path(project_dir), artifacts.get("target_path"))
    manifest = artifacts.get("manifest") or target / "manifest.json"
    catalog = artifacts.get("catalog") or manifest.parent / "catalog.json"
    return file_stamps((manifest, catalog, target / SCRATCH / PROFILE))


def file_stamps(paths: Iterable[Path]) -> tuple[tuple[int, int, int] | None, ...]:
    """A stamp for each file, None where there is none."""
    return tuple(_stamp(path) for path in paths)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _with_profile(project: Project, path: Path, *, values: bool) -> Project:
    if not path.exists():
        return project
    from dbt_schema_embed.read.profiles import read_profiles, with_profiles

    try:
        return with_profiles(project, read_profiles(path), values=values)
    except ArtifactError as problem:  # made by us, and by us again: no reason to stop
        return replace(project, warnings=(*project.warnings, problem.message))


def chosen_sources(project: Project, select: Sequence[str], exclude: Sequence[str]) -> list[Relation]:
    """The source tables that a selection in dbt's syntax leaves, sorted by id. Empty selections: all.

    What bare names select in dbt has no sources in it, so the name of a source or of its table stands for those here:
    ``stripe.charges`` is ``source:stripe.charges``.

    Raises:
        ConfigError: the project has no sources, or the selection leaves none.
    """
    sources = [r for r in project.relations if r.kind == "source"]
    if not sources:
        raise ConfigError(
            f"the project {printable(project.name)} declares no sources",
            hint="declare the raw tables under `sources:` in a YAML file, then run: dbt parse",
        )
    if not select and not exclude:
        return sources
    from dbt_schema_embed.read import select as selected

    names = {name.lower(): name for r in sources for name in (r.source_name, r.label)}
    left = selected(project, _spelled(select, names), _spelled(exclude, names))
    chosen = [r for r in sources if r.id in left]
    if not chosen:
        raise ConfigError(
            f"the selection {printable(' '.join(select))!r} has no source table in it",
            hint=f"sources are: {listed([printable(r.label) for r in sources])}",
        )
    return chosen


def _spelled(items: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """The selection, with the bare names of sources as dbt spells them."""
    unions = " ".join(items).split()
    return [
        ",".join(f"source:{names[part.lower()]}" if part.lower() in names else part for part in union.split(","))
        for union in unions
    ]


def shared_labels(relations: Sequence[Relation]) -> frozenset[str]:
    """Labels ("stripe.charges") that several packages' sources have, in lower case."""
    seen: dict[str, int] = {}
    for relation in relations:
        if relation.kind == "source":
            seen[relation.label.lower()] = seen.get(relation.label.lower(), 0) + 1
    return frozenset(label for label, count in seen.items() if count > 1)


def source_column(project: Project, said: str) -> tuple[Relation, str]:
    """The source table and the column that ``stripe.charges.id`` names; a unique_id before the column will do too.

    Raises:
        ConfigError: there is none; the message names a near one.
    """
    table, _, name = said.rpartition(".")
    sources = [r for r in project.relations if r.kind == "source"]
    meant = [r for r in sources if table.lower() in (r.label.lower(), r.id.lower(), f"{r.package}.{r.label}".lower())]
    if not meant:
        hint = near_hint(table, [r.label for r in sources]) or "write it as source.table.column"
        raise ConfigError(f"the project has no source table {printable(table)!r}", hint=hint)
    for relation in meant:
        if column := relation.column(name):
            return relation, column.name
    raise ConfigError(
        f"{printable(meant[0].label)} has no column {printable(name)!r}",
        hint=near_hint(name, [c.name for c in meant[0].columns]),
    )


def near_hint(word: str, known: Sequence[str]) -> str:
    """A hint that names the nearest of ``known``, blind to case; empty when none is near."""
    from difflib import get_close_matches

    spelled = {name.lower(): name for name in reversed(known)}
    near = get_close_matches(word.lower()[:200], spelled, n=1)
    return f"did you mean {printable(spelled[near[0]])}?" if near else ""
