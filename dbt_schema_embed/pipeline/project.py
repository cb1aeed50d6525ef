"""A dbt project opened for a call: its artifacts read, its sources chosen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from dbt_schema_embed.errors import ArtifactError, ConfigError, listed, printable
from dbt_schema_embed.files import inside
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
        ConfigError: the dialect is not known; our folder is a link to elsewhere.
    """
    from dbt_schema_embed.pipeline.planned import with_yaml_plans
    from dbt_schema_embed.read import read_project

    root = Path(project_dir)
    scratch = scratch_folder(root, artifacts.get("target_path"))
    project = read_project(
        root, **artifacts, dialect=settings.dialect, lineage_of=lineage_of, values=values, cache_dir=scratch,
        progress=partial(progress, "Reading SQL"),
    )  # fmt: skip
    project = with_yaml_plans(_with_profile(project, scratch / PROFILE, values=values), root)
    return Opened(root, scratch, project)


def scratch_folder(root: Path, target_path: Path | None = None) -> Path:
    """Our folder of the project in ``root``; it need not exist. We make no links there, so it must hold none.

    Raises:
        ConfigError: it, or something in it, is a link out of the target folder.
    """
    from dbt_schema_embed.read import target_folder

    target = target_folder(root, target_path)
    folder = target / SCRATCH
    try:
        link = folder if _leads_out(folder, target) else None
        for pattern in () if link else ("*", "*/*"):  # what is in it, and what is in the index
            link = link or next((path for path in folder.glob(pattern) if _leads_out(path, target)), None)
    except OSError:  # nobody may look into it: what needs it will say so
        link = None
    if link is not None:
        raise ConfigError(
            f"{printable(link)} is a link out of the target folder: nothing is read or written there",
            hint="remove it: what was made there is made anew",
        )
    return folder


def _leads_out(path: Path, top: Path) -> bool:
    return path.is_symlink() and not inside(path, top)


def files_read(root: Path, artifacts: Artifacts) -> tuple[Path, ...]:
    """The files that a project is read from, beside the rows of its seeds; some need not be there.

    Raises:
        ConfigError: as `scratch_folder`.
    """
    from dbt_schema_embed.read import info_schema_files, target_folder

    target = target_folder(root, artifacts.get("target_path"))
    manifest = artifacts.get("manifest") or target / "manifest.json"
    catalog = artifacts.get("catalog") or manifest.parent / "catalog.json"
    profile = scratch_folder(root, artifacts.get("target_path")) / PROFILE
    return (root / "dbt_project.yml", manifest, catalog, *info_schema_files(manifest.parent), profile)


Stamp = tuple[int, ...]
"""Size, times and number of a file; empty: there is none."""


def file_stamps(paths: Iterable[Path]) -> dict[str, Stamp]:
    """A stamp for each file."""
    return {str(path): _stamp(path) for path in paths}


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return ()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


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

    said = [name for r in sources for name in (r.source_name, r.label)]
    names = {name.lower(): name for name in said} | {name: name for name in said}
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

    def spelled(part: str) -> str:
        name = names.get(part) or names.get(part.lower())
        return f"source:{name}" if name else part

    return [",".join(map(spelled, union.split(","))) for union in " ".join(items).split()]


def shared_labels(relations: Sequence[Relation]) -> frozenset[str]:
    """Labels ("stripe.charges") that several packages' sources have."""
    seen: dict[str, int] = {}
    for relation in relations:
        if relation.kind == "source":
            seen[relation.label] = seen.get(relation.label, 0) + 1
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
    for relation in sorted(meant, key=lambda r: table not in (r.label, r.id, f"{r.package}.{r.label}")):
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
