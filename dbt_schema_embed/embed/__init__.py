"""Room: columns in; vectors out, each distinct text encoded once and remembered. Importing it loads nothing heavy."""

import os

from dbt_schema_embed.embed.memo_files import export_memo, import_memo, memo_clear, memo_stats
from dbt_schema_embed.embed.opening import Embedder, cache_folder, open_embedder
from dbt_schema_embed.embed.relations import embed_relations
from dbt_schema_embed.embed.text import FacetTexts, column_texts, pair_texts

# onnxruntime reports what runs where to its makers, unless this stands there before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "Embedder",
    "FacetTexts",
    "cache_folder",
    "column_texts",
    "embed_relations",
    "export_memo",
    "import_memo",
    "memo_clear",
    "memo_stats",
    "open_embedder",
    "pair_texts",
]
