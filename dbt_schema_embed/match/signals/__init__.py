"""The signals. Each maps a block to an (n, k) float32 matrix, higher is likelier, NaN where it has nothing to say.

To add one: write the function in the file it belongs to (or a new one), add it to SIGNALS, and train again.
Its name is what evidence and the weights file show.
"""

from collections.abc import Callable

from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.signals import embeddings, feeders, habits, kinds, names, tables, types_keys, values

SIGNALS: tuple[Callable[[Block], Matrix], ...] = (
    names.exact,
    names.source_words_found,
    names.target_words_found_in_table,
    names.both_found,
    names.head,
    names.letters,
    names.abbreviation,
    names.same_reading,
    embeddings.name_meaning,
    embeddings.meaning_in_table,
    embeddings.description,
    embeddings.name_in_description,
    embeddings.name_with_values,
    embeddings.value_meaning,
    tables.table_words,
    tables.source_covered,
    tables.model_covered,
    tables.source_named,
    tables.model_free,
    tables.model_entered,
    feeders.target_fed,
    feeders.feeder_name,
    feeders.feeder_table,
    types_keys.type_fit,
    types_keys.key_fit,
    kinds.kind_said,
    habits.precedent,
    habits.name_rule,
    habits.model_name_habit,
    habits.home_habit,
    values.value_overlap,
    values.value_kind,
    values.value_letters,
    values.value_range,
    values.value_spread,
)

RELATIVE = (
    "name_meaning",
    "description",
    "name_in_description",
    "name_with_values",
    "value_meaning",
    "value_letters",
)
"""Signals that also count by how far a candidate stands above the others of its row: their level says little."""

RIVALS = ("exact", "both_found", "letters", "abbreviation", "name_meaning", "feeder_name")
"""Signals that also count by how far a candidate stands above the best other one of its row, of its column,
and of its row in its model."""
