"""The calls, in order: read -> embed -> index -> match -> write -> check. Importing it loads no room."""

from dbt_schema_embed.pipeline.engine import SchemaEmbed
from dbt_schema_embed.pipeline.output import hits_text, json_text, save, suggestions_text
from dbt_schema_embed.pipeline.project import Artifacts
from dbt_schema_embed.pipeline.watch import Progress

__all__ = ["Artifacts", "Progress", "SchemaEmbed", "hits_text", "json_text", "save", "suggestions_text"]
