"""Room: vectors in; nearest columns out."""

from dbt_schema_embed.index.index import Index, VectorIndex, open_index
from dbt_schema_embed.index.shared import Shared
from dbt_schema_embed.index.update import Changes

__all__ = ["Changes", "Index", "Shared", "VectorIndex", "open_index"]
