"""A dbt project opened for a call: its artifacts read, its sources chosen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_schema_embed.errors import ArtifactError, ConfigError, listed, printable, refuse_text
from dbt_schema_embed.files import inside
from dbt_schema_embed.progress import Progress, silent
from dbt_schema_embed.records import Artifacts, Opened, Project, Relation

if TYPE_CHECKING:
    from dbt_schema_embed.read.project import LineageOf

PROFILE = "profile.json"
"""What `profile` keeps in our folder."""

SCRATCH = "schema_embed"
"""Our folder below dbt's target folder: the index, and SQL that was parsed. It can be removed at any time."""


def open_project(
    project_dir: str | Path,
    artifacts: Artifacts,
    dialect: str | None = None,
    *,
    lineage_of: "LineageOf" = None,
    values: bool = True,
    progress: Progress = silent,
    own_files: bool = False,
) -> Opened:
    """Read a project; ``lineage_of``, ``values`` and ``own_files`` as in `read.read_project`.

    What `profile` has kept is taken in as well. A whole project is not read again while its files stand as they were.

    Raises:
        ArtifactError: an artifact is missing or unreadable.
        ConfigError: the dialect is not known; our folder is a link to elsewhere.
    """
    from dbt_schema_embed.read.unchanged import PROJECT, Reading

    root = Path(project_dir)
    scratch = scratch_folder(root, artifacts.get("target_path"))
    whole = values and lineage_of is None and not own_files
    reading = Reading(root, artifacts, dialect, PROJECT) if whole else None
    project = reading.project() if reading else None
    if project is None:
        from dbt_schema_embed.read.project import read_project

        project = read_project(
            root, **artifacts, dialect=dialect, lineage_of=lineage_of, values=values, cache_dir=scratch,
            progress=partial(progress, "Reading SQL"), own_files=own_files,
        )  # fmt: skip
        if reading:
            reading.keep_project(project)
    return Opened(root, scratch, _with_profile(project, scratch / PROFILE, values=values))


def scratch_folder(root: Path, target_path: Path | None = None) -> Path:
    """Our folder of the project in ``root``; it need not exist. We make no links there, so it must hold none.

    Raises:
        ConfigError: it, or something in it, is a link out of the target folder.
    """
    from dbt_schema_embed.read.project import target_folder

    return _scratch_in(target_folder(root, target_path))


def _scratch_in(target: Path) -> Path:
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
    """The files that a project is read from, beside the rows of its seeds; some need not be there. The last one is in
    our folder.

    Raises:
        ConfigError: as `scratch_folder`.
    """
    from dbt_schema_embed.read.info_schema import info_schema_files
    from dbt_schema_embed.read.project import target_folder

    target = target_folder(root, artifacts.get("target_path"))
    manifest = artifacts.get("manifest") or target / "manifest.json"
    catalog = artifacts.get("catalog") or manifest.parent / "catalog.json"
    profile = _scratch_in(target) / PROFILE
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
    refuse_text(select=select, exclude=exclude)
    sources = [r for r in project.relations if r.kind == "source"]
    if not sources:
        raise ConfigError(
            f"the project {printable(project.name)} declares no sources",
            hint="declare the raw tables under `sources:` in a YAML file, then run: dbt parse",
        )
    if not select and not exclude:
        return sources
    from dbt_schema_embed.read.selection import parts
    from dbt_schema_embed.read.selection import select as selected

    said = [name for r in sources for name in (r.source_name, r.label)]
    names = {name.lower(): name for name in said} | {name: name for name in said}
    left = selected(project, _spelled(parts(project, select), names), _spelled(parts(project, exclude), names))
    chosen = [r for r in sources if r.id in left]
    if not chosen:
        raise ConfigError(
            f"the selection {printable(' '.join(select))!r} has no source table in it",
            hint=f"sources are: {listed([printable(r.label) for r in sources])}",
        )
    return chosen


def _spelled(union: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """The parts of a selection, with the bare names of sources as dbt spells them."""

    def spelled(part: str) -> str:
        name = names.get(part) or names.get(part.lower())
        return f"source:{name}" if name else part

    return [",".join(map(spelled, part.split(","))) for part in union]
