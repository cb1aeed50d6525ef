"""The project's own habits, where it has SQL to learn from; silent where it has none."""

import numpy as np

from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.habits import abstract, home, model_pattern, rule_between
from dbt_schema_embed.match.names import words
from dbt_schema_embed.types import type_family


def precedent(block: Block) -> Matrix:
    """How often a column of this name became a column of that name elsewhere in the project."""
    if not block.habits.columns:
        return np.full(block.shape, np.nan, np.float32)
    out = np.zeros(block.shape, np.float32)
    left, right = _abstract(block)
    for i, name in enumerate(left):
        if name in block.habits.precedents:
            out[i] = [block.habits.precedent(name, other) for other in right]
    return out


def name_rule(block: Block) -> Matrix:
    """How usual the change of name is in this project, for a column of that type."""
    if not block.habits.columns:
        return np.full(block.shape, np.nan, np.float32)
    left, right = _abstract(block)
    families = [type_family(c.type) or "" for c in block.columns]
    share = block.habits.rule_share
    before = sorted(set(zip(left, families, strict=True)))
    value = {(a, f, b): share(rule_between(a, b), f) for a, f in before for b in set(right)}
    rows = [[value[a, f, b] for b in right] for a, f in zip(left, families, strict=True)]
    return np.array(rows, np.float32).reshape(block.shape)


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


def _abstract(block: Block) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    about = block.source_entity
    return [abstract(words(c.name), about) for c in block.columns], [
        abstract(words(c.name), about) for c in block.targets
    ]


def _per_model(block: Block, values: list[float], known: int) -> Matrix:
    return block.per_model(values if known else [float("nan")] * len(values))
