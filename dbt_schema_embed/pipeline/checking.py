"""`check`: the project read, its mapping files, the problems, and which of them are known."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dbt_schema_embed.check.project import (
    Checked,
    below_repository,
    usual_baseline,
    with_decided_sql,
    without_manifest,
    worth_reading,
)
from dbt_schema_embed.decide.mappings import load_mappings
from dbt_schema_embed.files import save, shown_path
from dbt_schema_embed.read.opening import open_project
from dbt_schema_embed.records import Artifacts, Relation
from dbt_schema_embed.settings import Settings


def check_project(project_dir: Path, artifacts: Artifacts, settings: Settings, baseline: Path | None) -> Checked:
    """See `SchemaEmbed.check`; ``baseline`` None: nothing is passed over."""
    from dbt_schema_embed.check import read_baseline, unknown_only

    found = _all(project_dir, artifacts, settings)
    if baseline is None:
        return found
    left, gone = unknown_only(found.problems, read_baseline(baseline))
    return replace(found, problems=tuple(left), known=len(found.problems) - len(left), gone=len(gone))


def write_baseline(
    project_dir: Path, artifacts: Artifacts, settings: Settings, baseline: Path | None
) -> tuple[Path, int]:
    """See `SchemaEmbed.write_baseline`."""
    from dbt_schema_embed.check import baseline_text

    path = baseline or usual_baseline(project_dir, settings.baseline)
    problems = _all(project_dir, artifacts, settings).problems
    save(path, baseline_text(problems), root=None if baseline else project_dir)
    return path, len(problems)


def _all(project_dir: Path, artifacts: Artifacts, settings: Settings) -> Checked:
    """Every problem; the project's own files count more than the manifest, which need not be there."""
    from dbt_schema_embed.check import check

    mappings = load_mappings(project_dir, settings.mappings_dir)
    files = [file for _, file in mappings.files]
    named: set[str] = set()

    def decided(relations: Sequence[Relation]) -> set[str]:
        named.update(with_decided_sql(files, relations))
        return named

    opened = open_project(project_dir, artifacts, settings.dialect, lineage_of=decided, values=False, own_files=True)
    project = replace(opened.project, unread=worth_reading(opened.project, named))
    manifest = Path(project.manifest)
    shown = shown_path(project_dir, manifest)
    problems = check(
        project,
        files,
        mappings.errors,
        severity=settings.severity,
        manifest=shown if manifest.exists() else "",
    )
    notes = () if manifest.exists() else without_manifest(project, shown)
    return Checked(
        tuple(problems), len(mappings.files) + len(mappings.errors), below_repository(project_dir), notes=notes
    )
