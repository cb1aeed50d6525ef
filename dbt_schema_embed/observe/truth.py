"""What is known to be right: from the lineage of a project's own SQL, or from a file of known answers."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt_schema_embed.errors import ArtifactError, printable
from dbt_schema_embed.records import Lineage, Relation

Place = tuple[str, str]
"""A column: unique_id of its relation, and its name in lower case."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The known answers for columns of source tables."""

    answers: dict[Place, frozenset[Place]]  # source column -> model columns that are right; empty: it feeds nothing
    # (*source column, *model column): neither right nor wrong, for the column ends up there, further down
    descends: frozenset[tuple[str, str, str, str]] = frozenset()
    unknown: frozenset[tuple[str, str]] = field(default=frozenset())  # (source, model) whose SQL nobody could read

    def open(self, source: Place, answer: Place) -> bool:
        """Whether ``answer`` is neither right nor wrong for ``source``."""
        return answer not in self.answers[source] and (
            (*source, *answer) in self.descends or (source[0], answer[0]) in self.unknown
        )


def from_lineage(tables: Iterable[Relation], lineage: Iterable[Lineage], arrived: Collection[tuple[str, str]]) -> Truth:
    """The answers that a project's SQL gives for the columns of ``tables``.

    A column is right in the models its table arrives in; where it feeds nothing at all, nothing is right. No answer is
    known, and none scored, for a column that is only part of an expression of several columns, and for one that is
    used further down alone.

    Args:
        tables: source tables.
        lineage: of the whole project.
        arrived: (source id, model id) where tables first arrive.
    """
    parts: dict[tuple[str, Place], set[str]] = defaultdict(set)  # (table, model column) -> columns it is made of
    edges = [(e.source, e.source_column.lower(), e.model, e.model_column.lower()) for e in lineage]
    for source, column, model, made in edges:
        parts[source, (model, made)].add(column)
    used: dict[Place, set[Place]] = defaultdict(set)
    for source, column, model, made in edges:
        right = (source, model) in arrived and len(parts[source, (model, made)]) == 1
        used[source, column] |= {(model, made)} if right else set()
    answers = {}
    for table in tables:
        for column_ in table.columns:
            place = (table.id, column_.name.lower())
            if place not in used or used[place]:
                answers[place] = frozenset(used.get(place, ()))
    return Truth(answers, frozenset(edges))


def from_gold(path: Path) -> Truth:
    """The answers in a gold.json, for the tables that arrive in hidden models only.

    Its keys: ``pairs`` (source, source_column, model, model_column, visible), ``unmapped`` ([source, column]), and if
    there are any ``multi_column`` (no answer is known), ``also_descends`` and ``unknown_models``.

    Raises:
        ArtifactError: the file is missing or is no such JSON.
    """
    try:
        return _gold(json.loads(path.read_text("utf-8")))
    except OSError as problem:
        raise ArtifactError(f"{printable(path)} cannot be read: {problem.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise ArtifactError(
            f"{printable(path)} holds no known answers: {printable(repr(problem))}",
            hint='it must have "pairs" of source, source_column, model, model_column, visible, and "unmapped"',
        ) from None


def _gold(raw: dict[str, Any]) -> Truth:
    visible = {pair["source"] for pair in raw["pairs"] if pair["visible"]}
    hidden = {pair["source"] for pair in raw["pairs"]} - visible
    answers: dict[Place, set[Place]] = defaultdict(set)
    for pair in raw["pairs"]:
        if pair["source"] in hidden:
            answers[pair["source"], pair["source_column"].lower()].add((pair["model"], pair["model_column"].lower()))
    skipped = {(source, column.lower()) for source, column, *_ in raw.get("multi_column", [])}
    for source, column in raw["unmapped"]:
        place = (source, column.lower())
        if source in hidden and place not in skipped:
            answers.setdefault(place, set())
    return Truth(
        {place: frozenset(right) for place, right in answers.items()},
        frozenset((s, c.lower(), m, made.lower()) for s, c, m, made in raw.get("also_descends", [])),
        frozenset((s, m) for s, models in dict(raw.get("unknown_models") or {}).items() for m in models),
    )
