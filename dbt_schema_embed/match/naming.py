"""Names for columns, and for models, that the project does not have yet: in English, after the project's habits."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from dbt_schema_embed.match.habits import ENTITY, Habits, Words, abstract
from dbt_schema_embed.match.layers import arrivals
from dbt_schema_embed.match.lexicon import TECHNICAL_WORDS
from dbt_schema_embed.match.names import entity, singular
from dbt_schema_embed.match.reading import Reading, TableReading
from dbt_schema_embed.match.suggesting import habits_of
from dbt_schema_embed.records import CERTAIN, LIKELY, NEW_COLUMN, PROPOSER, Column, Project, Relation, Suggestion
from dbt_schema_embed.types import type_family
from dbt_schema_embed.words import words

LEAST = 3
"""Columns that must follow a habit before it shapes a proposal."""

PLAUSIBLE = 0.1
"""A planned column that nothing feeds, and that is this likely, is a better answer than a new column."""

_MODEL = "stg_<source>__<table>"
_SNAKE = re.compile(r"[a-z][a-z0-9_]*")
_KEYS = {"number", "identifier"}
_SMALL = frozenset({"id", "at", "by", "for", "from", "has", "in", "is", "of", "on", "to", "was"})


@dataclass(frozen=True, slots=True)
class Plans:
    """What proposals must know of the models."""

    project: Project
    readings: Mapping[str, TableReading]
    plain: Collection[str] = frozenset()  # English words that mean what they say
    into: Mapping[str, str] = field(default_factory=dict)  # source id -> the model that people say it feeds, by id
    unfed: Collection[tuple[str, str]] = ()  # (model id, column in lower case) that is planned, and nothing feeds it


def with_names(rows: Iterable[Suggestion], plans: Plans) -> tuple[Suggestion, ...]:
    """``rows`` in which columns that map to nothing have a name and a model that they could go to.

    None is proposed where it is undecided what a column feeds, nor where a planned column that nothing feeds yet is
    `PLAUSIBLE`: planned columns come first. But a table that has no model of its own does not go into its siblings'.
    """
    habits = habits_of(plans.project, arrivals(plans.project))
    relations = {r.id: r for r in plans.project.relations}
    owners = {model_name(r, habits): r.id for r in relations.values() if r.kind == "source"}
    named: list[Suggestion] = []
    for source_id, group in groupby(rows, key=lambda row: row.source):
        table, source = list(group), relations[source_id]
        if source_id not in plans.into and _homeless(table):
            siblings = {
                r.id for r in relations.values() if r.has_sql or owners.get(r.name.lower(), source_id) != source_id
            }
            table = [_without(row, siblings) for row in table]
        named += _table(source, table, plans, habits, relations)
    return tuple(named)


def _homeless(rows: Sequence[Suggestion]) -> bool:
    """Whether nobody says where the columns of a table go, and the matcher is certain of less than half of them."""
    if any(row.model and (row.status != "suggested" or row.decided_by) for row in rows):
        return False
    return 2 * sum(bool(row.model) and row.confidence >= CERTAIN for row in rows) < len(rows)


def _without(row: Suggestion, models: Collection[str]) -> Suggestion:
    """The row without what leads into one of ``models``."""
    left = tuple(c for c in row.candidates if c.model not in models)
    if row.model is None:
        return replace(row, undecided=row.undecided and bool(left or not row.candidates), candidates=left)
    if row.model not in models:
        return replace(row, candidates=left)
    sure = 1 - row.confidence
    return replace(row, model=None, model_column=None, confidence=sure, candidates=left, evidence={}, fed_by=())


def _table(
    source: Relation, rows: Sequence[Suggestion], plans: Plans, habits: Habits, relations: Mapping[str, Relation]
) -> list[Suggestion]:
    home = relations.get(plans.into.get(source.id, "")) or _home(rows, relations)
    name = home.name if home else model_name(source, habits)
    home = home or next((r for r in plans.project.relations if r.kind == "model" and r.name.lower() == name), None)
    taken = {c.name.lower() for c in home.columns} if home else set()
    reading = plans.readings.get(source.id)
    columns = dict(zip((c.name for c in source.columns), reading.columns, strict=True)) if reading else {}
    named = []
    for row in rows:
        column = source.column(row.source_column)
        asked = row.answer == "nothing" and row.status == "suggested" and not row.decided_by
        if not asked or column is None or _better(row, plans.unfed):
            named.append(row)
            continue
        said = propose_name(column, source, habits, columns.get(column.name), plans.plain)
        if home and (home.id, said) in plans.unfed:
            named.append(row)
            continue
        new = next(n for n in (said, *(f"{said}_{i}" for i in range(2, len(taken) + 3))) if n not in taken)
        taken.add(new)
        named.append(
            replace(row, proposed_model=name, proposed_name=new, decided_by=PROPOSER, reason=_why(column, new))
        )
    return named


def _home(rows: Sequence[Suggestion], relations: Mapping[str, Relation]) -> Relation | None:
    """The model that most columns of the table feed."""
    held = (r.model for r in rows if r.model and (r.status in ("accepted", "existing") or r.confidence >= LIKELY))
    counts = Counter(model for model in held if model in relations)
    return relations[counts.most_common(1)[0][0]] if counts else None


def _better(row: Suggestion, unfed: Collection[tuple[str, str]]) -> bool:
    return any(c.confidence >= PLAUSIBLE and (c.model, c.model_column.lower()) in unfed for c in row.candidates)


def _why(column: Column, name: str) -> str:
    plain = "_".join(words(column.name)) == name
    return NEW_COLUMN if plain else f"{NEW_COLUMN}: {column.name} in plain words"


def model_name(source: Relation, habits: Habits) -> str:
    """What a staging model of the table would be called, as most of the project's are."""
    patterns = {p: n for (p,), n in habits.model_names.items() if "<table>" in p}
    pattern = min(patterns, key=lambda p: (-patterns[p], p)) if patterns else _MODEL
    return pattern.replace("<source>", _snake(source.source_name)).replace("<table>", _snake(source.name))


def _snake(name: str) -> str:
    return name if _SNAKE.fullmatch(name) else "_".join(words(name))


def propose_name(
    column: Column, source: Relation, habits: Habits, reading: Reading | None = None, plain: Collection[str] = ()
) -> str:
    """A name in lower snake case: what columns of that name became elsewhere, else what its type's habit makes of it.

    >>> propose_name(Column("createdAt"), Relation("s", "orders", "source"), Habits())
    'created_at'
    """
    about = entity(source.name)
    own = abstract(words(column.name), about)
    known = habits.precedents.get(own)
    if known:
        after, _ = min(known.items(), key=lambda item: (-item[1], item[0]))
        # PatID became patient_id in patients: there "pat" was the table, and in visits it is not.
        if ENTITY not in after or ENTITY in own or set(own) <= set(after):
            return _spell(after, about)
    before = abstract(in_english(column.name, reading, plain), about)
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


def in_english(name: str, reading: Reading | None, plain: Collection[str] = ()) -> Words:
    """The words of a name; in English where it is a foreign or a cryptic one that is understood whole."""
    own = words(name)
    if reading is None or not reading.translated or reading.legible < 1:
        return own
    if all(w in plain or w in _SMALL or w in TECHNICAL_WORDS or w.isdigit() for w in own):
        return own
    said = tuple(w for part in reading.parts if part.known for w in words(part.meanings[0]))
    if own[-1] in ("id", "ids") or own[-1].endswith("id"):
        said = (*said[:-1], "id") if said and said[-1] in _KEYS else said
    return said or own


def _ends(name: Words, end: Words) -> bool:
    return name[len(name) - len(end) :] == end


def _spell(name: Words, about: Words) -> str:
    """The words as a name; of the table, one row is meant."""
    one = (*about[:-1], singular(about[-1])) if about else ()
    return "_".join(part for word in name for part in (one if word == ENTITY else (word,)))
