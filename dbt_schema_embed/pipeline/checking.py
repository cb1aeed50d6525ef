"""`check` around its room: which models' SQL matters, how old the artifacts are, which findings are known."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dbt_schema_embed.decide.mappings import Mappings, load_mappings, shown_path
from dbt_schema_embed.errors import ConfigError, printable
from dbt_schema_embed.files import inside, save
from dbt_schema_embed.read.opening import open_project
from dbt_schema_embed.records import Artifacts, Problem, Project, Relation, Tabular
from dbt_schema_embed.settings import Settings

GRACE = 60.0
"""Seconds a manifest may be older than a file: a fresh checkout writes them in any order."""

_ENDINGS = (".sql", ".py", ".yml", ".yaml", ".csv")


@dataclass(frozen=True, slots=True)
class Checked(Tabular):
    """What `check` found. ``known``: findings that the baseline has; ``gone``: those in it that no longer occur."""

    problems: tuple[Problem, ...]
    files: int  # mapping files that were read
    folder: str  # the project, relative to the repository it stands in
    known: int = 0
    gone: int = 0

    @property
    def failed(self) -> bool:
        """Whether one of the problems is an error."""
        return any(problem.severity == "error" for problem in self.problems)

    def to_dicts(self) -> list[dict[str, Any]]:
        """A row a problem."""
        return [asdict(problem) for problem in self.problems]

    def text(self, form: str, *, color: bool = False) -> str:
        """The problems in one of `check.formats.FORMATS`."""
        from dbt_schema_embed import __version__
        from dbt_schema_embed.check import formatted

        return formatted(self.problems, form, files=self.files, folder=self.folder, version=__version__, color=color)


def check_project(project_dir: Path, artifacts: Artifacts, settings: Settings, baseline: Path | None) -> Checked:
    """See `SchemaEmbed.check`; ``baseline`` None: nothing is passed over."""
    from dbt_schema_embed.check import read_baseline, unknown_only

    problems, count = _problems(project_dir, artifacts, settings)
    if baseline is None:
        return Checked(tuple(problems), count, _below_repository(project_dir))
    left, gone = unknown_only(problems, read_baseline(baseline))
    return Checked(tuple(left), count, _below_repository(project_dir), len(problems) - len(left), len(gone))


def write_baseline(
    project_dir: Path, artifacts: Artifacts, settings: Settings, baseline: Path | None
) -> tuple[Path, int]:
    """See `SchemaEmbed.write_baseline`."""
    from dbt_schema_embed.check import baseline_text

    path = baseline or usual_baseline(project_dir, settings)
    problems, _ = _problems(project_dir, artifacts, settings)
    save(path, baseline_text(problems), root=None if baseline else project_dir)
    return path, len(problems)


def usual_baseline(project_dir: Path, settings: Settings) -> Path:
    """The baseline that the settings name; it need not exist.

    Raises:
        ConfigError: it is outside the project.
    """
    path = project_dir / settings.baseline
    if not inside(path, project_dir):
        raise ConfigError(
            f"the baseline {printable(path)} is outside the project", hint="name it with --baseline, if that is right"
        )
    return path


def _problems(project_dir: Path, artifacts: Artifacts, settings: Settings) -> tuple[list[Problem], int]:
    """All problems, and how many mapping files there are."""
    from dbt_schema_embed.check import check

    mappings = load_mappings(project_dir, settings.mappings_dir)
    decided = partial(_with_decided_sql, mappings)
    opened = open_project(project_dir, artifacts, settings.dialect, lineage_of=decided, values=False)
    manifest = Path(opened.project.manifest)
    problems = check(
        opened.project,
        [file for _, file in mappings.files],
        mappings.errors,
        severity=settings.severity,
        manifest=(shown_path(project_dir, manifest), manifest.stat().st_mtime + GRACE),
        project_files=dict(_project_files(project_dir, opened.project)),
    )
    return problems, len(mappings.files) + len(mappings.errors)


def _with_decided_sql(mappings: Mappings, relations: Sequence[Relation]) -> set[str]:
    """The models whose SQL the mapping files say something about: those named by accepted and existing rows."""
    from dbt_schema_embed.lookup import model_names

    named = {
        (row.model or "").lower()
        for _, file in mappings.files
        for row in file.columns
        if row.status in ("accepted", "existing")
    }
    built = {r.id for r in relations if r.has_sql}
    return {i for i, name in model_names(relations).items() if i in built and name.lower() in named}


def _project_files(root: Path, project: Project) -> Iterator[tuple[str, float]]:
    """The files dbt parses, with the time of their last change: dbt_project.yml and the folders the manifest knows."""
    own = {r.path.partition("/")[0] for r in project.relations if r.package == project.name and "/" in r.path}
    places = [root / "dbt_project.yml", *(root / name for name in sorted(own - {"", "."}) if inside(root / name, root))]
    for place in places:
        for path in [place] if place.is_file() else _files_below(place):
            try:
                yield shown_path(root, path), path.stat().st_mtime
            except OSError:  # removed meanwhile, or a dangling link
                continue


def _files_below(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder):
        yield from (Path(where, name) for name in sorted(names) if name.endswith(_ENDINGS))


def _below_repository(root: Path) -> str:
    """The project's path below the repository it stands in; empty at its top and outside any."""
    here = root.resolve()
    top = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    return here.relative_to(top).as_posix().removeprefix(".")
