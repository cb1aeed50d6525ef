"""`report`: suggestions, the map of names and what changed, as one HTML file."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from dbt_schema_embed.decide.mappings import load_mappings, looked_at, owners
from dbt_schema_embed.files import refuse_links, save, shown_path
from dbt_schema_embed.observe.evaluating import KEPT, kept_evaluation
from dbt_schema_embed.pipeline.session import Session
from dbt_schema_embed.records import Opened, Problem, Relation, Suggestions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REPORT = "report.html"


@dataclass(frozen=True, slots=True)
class Reported:
    """A report that was written."""

    path: Path
    shown: str  # as people are told it
    columns: int
    people: int  # columns that need a person: doubtful and undecided ones, and planned ones that nothing feeds


def write_report(
    session: Session, opened: Opened, answer: Suggestions, problems: Sequence[Problem], output: Path | None
) -> Reported:
    """See `SchemaEmbed.report`; ``problems``: what `check` found in the project."""
    from dbt_schema_embed.records import LIKELY
    from dbt_schema_embed.show.report import earlier_data, to_html
    from dbt_schema_embed.show.report_data import ReportInput, report_data
    from dbt_schema_embed.show.report_map import drawn

    root = opened.root
    path = output or opened.scratch / REPORT
    if output:
        refuse_links(output)
    chosen = {row.source for row in answer.rows}
    relations = [r for r in opened.project.relations if r.columns and (r.kind == "model" or r.id in chosen)]
    session.progress("Drawing the report")
    mappings = load_mappings(root, session.settings.mappings_dir)
    files = {i: file for i, (_, file) in owners(opened, mappings).items() if i in chosen}
    others = {file.path for _, file in mappings.files} - {file.path for file in files.values()}
    given = ReportInput(
        project=opened.project.name,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        suggestions=answer,
        relations=relations,
        vectors=_name_vectors(session, drawn(relations)),
        measured=kept_evaluation(opened.scratch / KEPT),
        decisions=looked_at(mappings),
        notes=answer.warnings,
        problems=[p for p in problems if p.path not in others],
        files=files,
        base=_way(path, root),
    )
    save(path, to_html(report_data(given, earlier_data(path))), root=None if output else opened.scratch.parent)
    open_ = [row for row in answer.rows if row.status == "suggested"]
    people = sum(row.undecided or row.confidence < LIKELY for row in open_) + len(answer.unfed)
    return Reported(path, shown_path(root, path), len(answer.rows), people)


def _way(path: Path, root: Path) -> str:
    """The way from the report's folder to the project's, as links have it; "" where there is none, on another disk."""
    try:
        way = os.path.relpath(root.resolve(), path.resolve().parent)
    except (OSError, ValueError):
        return ""
    return quote(Path(way).as_posix()) + "/"


def _name_vectors(session: Session, relations: Sequence[Relation]) -> dict[str, "NDArray[np.float32]"]:
    """Relation id -> (n_columns, d): the vectors of its columns' names, from the memo."""
    return {e.relation.id: e.facets["name"] for e in session.embedded(relations)}
