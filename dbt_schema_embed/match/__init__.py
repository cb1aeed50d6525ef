"""Room: embedded source tables and model columns in; suggestions with confidence and evidence out."""

from dbt_schema_embed.match.explaining import explain
from dbt_schema_embed.match.layers import arrivals, choose_targets, competitors
from dbt_schema_embed.match.suggesting import match, suggest

__all__ = ["arrivals", "choose_targets", "competitors", "explain", "match", "suggest"]
