"""Model columns that are planned and that nothing feeds: neither SQL, nor a mapping file, nor a suggestion."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dbt_schema_embed.records import Column, Opened, Project, Relation, Suggestion, Unfed

if TYPE_CHECKING:
    from dbt_schema_embed.decide.mappings import Mappings


def half_built(project: Project, relation: Relation) -> tuple[Column, ...]:
    """The columns that the YAML of a model lists and its SQL lacks; none where the model has no SQL, or not ours."""
    if relation.kind != "model" or not relation.has_sql or relation.package not in ("", project.name):
        return ()
    return tuple(column for column in relation.columns if column.absent)


def planned_columns(project: Project, relation: Relation) -> tuple[Column, ...]:
    """The columns that a model is to have and that no SQL makes yet."""
    if relation.kind == "model" and not relation.has_sql and relation.package in ("", project.name):
        return relation.columns
    return half_built(project, relation)


def unfed_columns(
    opened: Opened, mappings: "Mappings", rows: Sequence[Suggestion], models: Sequence[Relation]
) -> tuple[Unfed, ...]:
    """Planned columns that nothing feeds, of ``models`` and of every model that ``rows`` name."""
    from dbt_schema_embed.lookup import model_names

    project = opened.project
    ids = {name.lower(): i for i, name in model_names(project.relations).items()}
    fed = {(line.model, line.model_column.lower()) for line in project.lineage}
    fed |= {(row.model, row.model_column.lower()) for row in rows if row.model and row.model_column}
    for _, file in mappings.files:
        for row in file.columns:
            if row.status != "rejected" and row.model and row.model_column:
                fed.add((ids.get(row.model.lower(), ""), row.model_column.lower()))
    wanted = {model.id for model in models} | {row.model for row in rows if row.model}
    return tuple(
        Unfed(relation.id, column.name, relation.requires(column))
        for relation in project.relations
        if relation.id in wanted
        for column in planned_columns(project, relation)
        if (relation.id, column.name.lower()) not in fed
    )
