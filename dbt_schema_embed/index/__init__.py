"""Room: vectors in; nearest columns out."""

from dbt_schema_embed.index.chroma_server import Shared
from dbt_schema_embed.index.columns import Changes, Columns, Filter, changes, gathered, states
from dbt_schema_embed.index.vectors import Index, largest

__all__ = ["Changes", "Columns", "Filter", "Index", "Shared", "changes", "gathered", "largest", "states"]
