"""The names of a project's tables and columns, for shells that complete them. Loads no numpy and parses no SQL."""

from pathlib import Path
from typing import Unpack

from dbt_schema_embed.errors import SchemaEmbedError, printable
from dbt_schema_embed.read.opening import open_project
from dbt_schema_embed.records import Artifacts

Names = dict[str, tuple[str, ...]]
"""Table -> its columns."""


def project_names(project_dir: Path, dialect: str | None, **artifacts: Unpack[Artifacts]) -> tuple[Names, Names]:
    """Source tables ("stripe.charges") and models, each with its columns; empty where the project cannot be read."""
    try:
        opened = open_project(project_dir, artifacts, dialect, lineage_of=(), values=False)
    except SchemaEmbedError:  # while somebody types is no time to say so
        return {}, {}
    sources: Names = {}
    models: Names = {}
    for relation in opened.project.relations:
        columns = tuple(printable(column.name) for column in relation.columns)
        if relation.kind == "source":
            sources[printable(relation.label)] = columns
        elif relation.kind == "model":
            models[printable(relation.name)] = columns
    return sources, models
