"""The project's own habits, where it has SQL to learn from; silent where it has none."""

import numpy as np

from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.habits import abstract, home, model_pattern, rule_between
from dbt_schema_embed.match.names import words
from dbt_schema_embed.types import type_family


def precedent(block: Block) -> Matrix:
    """How often a column of this name became a column of that name elsewhere in the project."""
    left, right = _abstract(block)
    value = {(a, b): block.habits.precedent(a, b) for a in set(left) for b in set(right)}
    return _silent(block, [[value[a, b] for b in right] for a in left], block.habits.columns)


def name_rule(block: Block) -> Matrix:
    """How usual the change of name is in this project, for a column of that type."""
    left, right = _abstract(block)
    families = [type_family(c.type) or "" for c in block.columns]
    share = block.habits.rule_share
    value = {
        (a, f, b): share(rule_between(a, b), f) for a, f in set(zip(left, families, strict=True)) for b in set(right)
    } if block.habits.columns else {}  # fmt: skip
    rows = [[value.get((a, f, b), 0.0) for b in right] for a, f in zip(left, families, strict=True)]
    return _silent(block, rows, block.habits.columns)


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


def _silent(block: Block, rows: list[list[float]], known: int) -> Matrix:
    return np.array(rows, np.float32).reshape(block.shape) if known else np.full(block.shape, np.nan, np.float32)
