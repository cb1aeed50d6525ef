"""The project's own habits, where it has SQL to learn from; silent where it has none."""

from collections.abc import Mapping, Sequence

import numpy as np

from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.habits import Words, home, model_pattern
from dbt_schema_embed.types import type_family


def precedent(block: Block) -> Matrix:
    """How often a column of this name became a column of that name elsewhere in the project."""
    habits = block.habits
    return _placed(block, [habits.became(name) for name in block.abstract_names]) if habits.columns else _silent(block)


def name_rule(block: Block) -> Matrix:
    """How usual the change of name is in this project, for a column of that type."""
    if not block.habits.columns:
        return _silent(block)
    families = [type_family(c.type) or "" for c in block.columns]
    named = zip(block.abstract_names, families, strict=True)
    return _placed(block, [block.habits.ruled(name, family) for name, family in named])


def _placed(block: Block, rows: Sequence[Mapping[Words, float]]) -> Matrix:
    """Each row's values put where a candidate has that name; 0 elsewhere."""
    out = np.zeros(block.shape, np.float32)
    places = block.places_of_names
    for i, row in enumerate(rows):
        for name in row.keys() & places.keys():
            out[i, places[name]] = row[name]
    return out


def _silent(block: Block) -> Matrix:
    return np.full(block.shape, np.nan, np.float32)


def model_name_habit(block: Block) -> Matrix:
    """How usual it is that a table's model is called that: ``stg_<source>__<table>``."""
    names, tables = block.habits.model_names, block.habits.tables
    source = block.source.relation
    values = [names[model_pattern(m.relation.name, source)] / (tables + 1) for m in block.models]
    return _per_model(block, values, tables)


def home_habit(block: Block) -> Matrix:
    """How usual it is that this source's models live in that folder under that first word."""
    homes = block.habits.homes.get(block.source.relation.source_name)
    total = sum(homes.values()) if homes else 0
    values = [homes[home(m.relation)] / (total + 1) if homes else 0.0 for m in block.models]
    return _per_model(block, values, total)


def _per_model(block: Block, values: list[float], known: int) -> Matrix:
    return block.per_model(values if known else [float("nan")] * len(values))
