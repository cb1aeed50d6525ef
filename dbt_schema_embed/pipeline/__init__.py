"""The calls, in order: read -> embed -> index -> match -> write -> check. Importing it loads no room."""

from dbt_schema_embed.files import save
from dbt_schema_embed.pipeline.engine import SchemaEmbed
from dbt_schema_embed.progress import Progress
from dbt_schema_embed.records import Artifacts
from dbt_schema_embed.show.hits import hits_text, json_text, suggestions_text

__all__ = ["Artifacts", "Progress", "SchemaEmbed", "hits_text", "json_text", "save", "suggestions_text"]
