"""`check` around its rules: its answer, the models whose SQL matters, what is told where no manifest is."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dbt_schema_embed.errors import ConfigError, listed, printable
from dbt_schema_embed.files import inside
from dbt_schema_embed.lookup import model_names
from dbt_schema_embed.records import MappingFile, Problem, Project, Relation
from dbt_schema_embed.tabular import Tabular


@dataclass(frozen=True, slots=True)
class Checked(Tabular):
    """What `check` found. ``known``: findings that the baseline has; ``gone``: those in it that no longer occur."""

    problems: tuple[Problem, ...]
    files: int  # mapping files that were read
    folder: str  # the project, relative to the repository it stands in
    known: int = 0
    gone: int = 0
    notes: tuple[str, ...] = ()  # how the project was read, where that bounds what can be found

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


def usual_baseline(project_dir: Path, baseline: str) -> Path:
    """The baseline that the settings name; it need not exist.

    Raises:
        ConfigError: it is outside the project.
    """
    path = project_dir / baseline
    if not inside(path, project_dir):
        raise ConfigError(
            f"the baseline {printable(path)} is outside the project", hint="name it with --baseline, if that is right"
        )
    return path


def worth_reading(project: Project, named: Collection[str]) -> tuple[str, ...]:
    """Files that only dbt can read, without those of models that no mapping file has ``named``."""
    passed_over = {r.path for r in project.relations if r.kind == "model" and r.id not in named}
    return tuple(path for path in project.unread if path not in passed_over)


def without_manifest(project: Project, shown: str) -> tuple[str, ...]:
    """What people are told where no manifest is: how the project was read, and what only dbt could say."""
    lines = [f"there is no {shown}: the project is read from its files, as far as refs and sources go"]
    if project.unread:
        lines.append(f"only dbt can read {printable(listed(list(project.unread)), 400)}: what they feed is not checked")
    if not project.whole:
        lines.append("its packages are not installed: mappings of their sources are not checked")
    return (*lines, *project.warnings)


def with_decided_sql(files: Sequence[MappingFile], relations: Sequence[Relation]) -> set[str]:
    """The models whose SQL the mapping files say something about: those named by accepted and existing rows."""
    named = {
        (row.model or "").lower() for file in files for row in file.columns if row.status in ("accepted", "existing")
    }
    built = {r.id for r in relations if r.has_sql}
    return {i for i, name in model_names(relations).items() if i in built and name.lower() in named}


def below_repository(root: Path) -> str:
    """The project's path below the repository it stands in; empty at its top and outside any."""
    here = root.resolve()
    top = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    return here.relative_to(top).as_posix().removeprefix(".")
