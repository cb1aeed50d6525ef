"""A project as it was before some of its source tables had a model: what the matcher is measured on."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from dbt_schema_embed.match.layers import arrivals, base_models
from dbt_schema_embed.records import Project, Relation


def measurable(project: Project) -> tuple[Relation, ...]:
    """The source tables that arrive in a model with known columns, sorted by id: those that can be hidden and asked."""
    fed = {source for source, _ in arrivals(project)}
    tables = (r for r in project.relations if r.kind == "source" and r.columns and r.id in fed)
    return tuple(sorted(tables, key=lambda r: r.id))


def folds(sources: Sequence[Relation], count: int) -> tuple[tuple[Relation, ...], ...]:
    """``sources`` in at most ``count`` rounds, each table in one: every count-th by id, so that vendors are spread.

    Hiding a part of the tables at a time costs ``count`` runs instead of one a table, and leaves the habits of the
    rest to learn from. It asks more than hiding one: the answer lies among the hidden models of the whole round.
    """
    ordered = sorted(sources, key=lambda r: r.id)
    return tuple(tuple(ordered[at::count]) for at in range(min(count, len(ordered))))


def hidden(project: Project, source_ids: Collection[str]) -> Project:
    """The project as if the models that those source tables arrive in were planned: names and columns, no SQL.

    What feeds these models is forgotten, whatever table it comes from, and so is everything that the source tables
    feed. Base models on the way are gone. Models further down keep their SQL and what other tables feed there.
    """
    planned = {model for source, model in arrivals(project) if source in source_ids}
    base = {model for source, model in base_models(project) if source in source_ids} - planned
    gone = planned | base
    lineage = tuple(e for e in project.lineage if e.model not in gone and e.source not in source_ids)
    relations = tuple(
        replace(r, has_sql=False, parents=()) if r.id in planned else r for r in project.relations if r.id not in base
    )
    return replace(project, relations=relations, lineage=lineage)
