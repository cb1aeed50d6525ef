"""`suggest`: a project's tables and models embedded and matched, people's decisions put over the answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_schema_embed.decide.mappings import decided, load_mappings, with_decisions, write_suggestions
from dbt_schema_embed.decide.pins import barred, pinned, targets_with
from dbt_schema_embed.decide.unfed import unfed_columns
from dbt_schema_embed.read.opening import chosen_sources
from dbt_schema_embed.records import Artifacts, Opened, Relation, Suggestion, Suggestions, Targets

if TYPE_CHECKING:
    from dbt_schema_embed.decide.reranking import Reranker
    from dbt_schema_embed.pipeline.session import Session


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks of `suggest`; see `SchemaEmbed.suggest`."""

    select: Sequence[str] = ()
    exclude: Sequence[str] = ()
    targets: Targets | None = None
    top_k: int = 10
    propose: bool = False
    write: bool = False
    profile: bool = False
    into: Sequence[str] = ()
    not_into: Sequence[str] = ()
    rerank: "Reranker | None" = None


def suggest_project(
    session: "Session", project_dir: str | Path, wish: Wish, artifacts: Artifacts
) -> tuple[Opened, Suggestions]:
    """The project, and what `SchemaEmbed.suggest` answers and raises."""
    from dbt_schema_embed.decide.mappings import glossary_path
    from dbt_schema_embed.match import choose_targets, suggest
    from dbt_schema_embed.observe.profiling import with_values
    from dbt_schema_embed.pipeline.matching import prepare, too_wide

    opened = session.open(project_dir, artifacts)
    sources = chosen_sources(opened.project, wish.select, wish.exclude)
    if wish.profile:
        opened, sources = with_values(opened, sources, session.progress, session.told)
    mappings = load_mappings(opened.root, session.settings.mappings_dir)
    known = decided(opened, mappings)
    pins = pinned(opened, mappings, sources, wish.into, wish.not_into)
    targets = wish.targets or session.settings.targets
    models = targets_with(opened.project, choose_targets(opened.project, targets), pins)
    only = {source.id for source in sources}
    glossary = glossary_path(opened.root, session.settings.mappings_dir)
    ready = prepare(session, opened.project, only, targets, glossary, models=models)
    session.progress("Matching tables")
    with session.timed("match"):
        found = suggest(
            ready.sources, ready.models, project=ready.project, readings=ready.readings, only=only,
            rejected={*known.rejected, *barred(opened.project, models, pins)}, accepted=known.accepted,
            top_k=wish.top_k, propose=wish.propose, progress=partial(session.progress, "Matching tables"),
        )  # fmt: skip
    failures: list[str] = []
    if wish.rerank is not None:
        from dbt_schema_embed.decide.reranking import reranked

        found, failures = reranked(opened, mappings.folder, found, wish.rerank)
    keys = {(source.id, column.name): column.key for source in sources for column in source.columns}
    compared = with_decisions(found, known, keys)
    rows = _with_the_rest(compared, sources)
    wide = [line for relation in (*sources, *models) if (line := too_wide(relation))]
    said = [*opened.project.warnings, *failures, *wide]
    written = write_suggestions(opened, mappings, compared, pins, said.extend) if wish.write else ()
    everything = not wish.select and not wish.exclude
    unfed = unfed_columns(opened, mappings, rows, models if everything else ())
    return opened, Suggestions(rows, session.told(said), written, unfed)


def _with_the_rest(rows: tuple[Suggestion, ...], sources: Sequence[Relation]) -> tuple[Suggestion, ...]:
    """The rows, and undecided ones for the columns of tables that were not compared; tables by id."""
    from dbt_schema_embed.pipeline.matching import too_wide

    rest = [
        Suggestion(source.id, column.name, None, None, 0.0, reason="its table has too many columns", undecided=True)
        for source in sources if too_wide(source) for column in source.columns
    ]  # fmt: skip
    return tuple(sorted((*rows, *rest), key=lambda row: row.source)) if rest else rows
