"""Room: columns in; vectors out, each distinct text encoded once and remembered. Importing it loads nothing heavy."""

from dbt_schema_embed.embed.opening import Embedder, default_cache_dir, open_embedder
from dbt_schema_embed.embed.relations import embed_relations
from dbt_schema_embed.embed.text import TEXT_VERSION, FacetTexts, column_texts

__all__ = [
    "TEXT_VERSION",
    "Embedder",
    "FacetTexts",
    "column_texts",
    "default_cache_dir",
    "embed_relations",
    "open_embedder",
]
