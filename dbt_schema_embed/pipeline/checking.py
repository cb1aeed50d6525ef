"""`check`: the project read, its mapping files, the problems, and which of them are known."""

from functools import partial
from pathlib import Path

from dbt_schema_embed.check.project import (
    GRACE,
    Checked,
    below_repository,
    project_files,
    usual_baseline,
    with_decided_sql,
)
from dbt_schema_embed.decide.mappings import load_mappings
from dbt_schema_embed.files import save, shown_path
from dbt_schema_embed.read.opening import open_project
from dbt_schema_embed.records import Artifacts, Problem
from dbt_schema_embed.settings import Settings


def check_project(project_dir: Path, artifacts: Artifacts, settings: Settings, baseline: Path | None) -> Checked:
    """See `SchemaEmbed.check`; ``baseline`` None: nothing is passed over."""
    from dbt_schema_embed.check import read_baseline, unknown_only

    problems, count = _problems(project_dir, artifacts, settings)
    if baseline is None:
        return Checked(tuple(problems), count, below_repository(project_dir))
    left, gone = unknown_only(problems, read_baseline(baseline))
    return Checked(tuple(left), count, below_repository(project_dir), len(problems) - len(left), len(gone))


def write_baseline(
    project_dir: Path, artifacts: Artifacts, settings: Settings, baseline: Path | None
) -> tuple[Path, int]:
    """See `SchemaEmbed.write_baseline`."""
    from dbt_schema_embed.check import baseline_text

    path = baseline or usual_baseline(project_dir, settings.baseline)
    problems, _ = _problems(project_dir, artifacts, settings)
    save(path, baseline_text(problems), root=None if baseline else project_dir)
    return path, len(problems)


def _problems(project_dir: Path, artifacts: Artifacts, settings: Settings) -> tuple[list[Problem], int]:
    """All problems, and how many mapping files there are."""
    from dbt_schema_embed.check import check

    mappings = load_mappings(project_dir, settings.mappings_dir)
    files = [file for _, file in mappings.files]
    decided = partial(with_decided_sql, files)
    opened = open_project(project_dir, artifacts, settings.dialect, lineage_of=decided, values=False)
    manifest = Path(opened.project.manifest)
    problems = check(
        opened.project,
        files,
        mappings.errors,
        severity=settings.severity,
        manifest=(shown_path(project_dir, manifest), manifest.stat().st_mtime + GRACE),
        project_files=dict(project_files(project_dir, opened.project)),
    )
    return problems, len(mappings.files) + len(mappings.errors)
