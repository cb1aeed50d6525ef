"""Names for columns that no model has yet, after the project's habits."""

from dbt_schema_embed.match.habits import ENTITY, Habits, Words, abstract
from dbt_schema_embed.match.names import entity, words
from dbt_schema_embed.records import Column, Relation
from dbt_schema_embed.types import type_family

LEAST = 3
"""Columns that must follow a habit before it shapes a proposal."""


def propose_name(column: Column, source: Relation, habits: Habits) -> str:
    """A name in lower snake case: what columns of that name became elsewhere, else what its type's habit makes of it.

    >>> propose_name(Column("createdAt"), Relation("s", "orders", "source"), Habits())
    'created_at'
    """
    about = entity(source.name)
    before = abstract(words(column.name), about)
    known = habits.precedents.get(before)
    if known:
        after, _ = min(known.items(), key=lambda item: (-item[1], item[0]))
        return _spell(after, about)
    family = type_family(column.type) or ""
    rules = habits.rules.get(family)
    if rules:
        rule, times = min(rules.items(), key=lambda item: (-item[1], str(item[0])))
        fits = before[: len(rule.off_front)] == rule.off_front and _ends(before, rule.off_back)
        if times >= LEAST and times > 0.5 * habits.families[family] and fits:
            kept = before[len(rule.off_front) : len(before) - len(rule.off_back)]
            # a word that is there already is not put on again: is_is_active
            front = () if kept[: len(rule.on_front)] == rule.on_front else rule.on_front
            back = () if _ends(kept, rule.on_back) else rule.on_back
            return _spell((*front, *kept, *back), about)
    return _spell(before, about)


def _ends(name: Words, end: Words) -> bool:
    return name[len(name) - len(end) :] == end


def _spell(name: Words, about: Words) -> str:
    return "_".join(part for word in name for part in (about if word == ENTITY else (word,)))
