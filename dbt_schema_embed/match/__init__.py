"""Room: embedded source tables and model columns in; suggestions with confidence and evidence out."""

from dbt_schema_embed.match.all_words import Lexicon
from dbt_schema_embed.match.explaining import explain
from dbt_schema_embed.match.glossary import glossary_text, propose_words, read_glossary
from dbt_schema_embed.match.guessing import read_with_guesses
from dbt_schema_embed.match.kept_answers import KeptAnswers
from dbt_schema_embed.match.kept_readings import KeptReadings
from dbt_schema_embed.match.knowledge import knowledge
from dbt_schema_embed.match.layers import arrivals, choose_targets, competitors
from dbt_schema_embed.match.naming import Plans, with_names
from dbt_schema_embed.match.reading import TableReading, read_tables
from dbt_schema_embed.match.suggesting import match, project_words, readable, suggest

__all__ = [
    "KeptAnswers", "KeptReadings", "Lexicon", "Plans", "TableReading", "arrivals", "choose_targets", "competitors",
    "explain", "glossary_text", "knowledge", "match", "project_words", "propose_words", "read_glossary", "read_tables",
    "read_with_guesses", "readable", "suggest", "with_names",
]  # fmt: skip
