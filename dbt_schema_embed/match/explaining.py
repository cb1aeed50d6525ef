"""`suggest --explain`: the candidates of one column, signal by signal."""

from collections.abc import Sequence

import numpy as np

from dbt_schema_embed.errors import printable
from dbt_schema_embed.match.all_words import Lexicon
from dbt_schema_embed.match.column_values import row_values
from dbt_schema_embed.match.kept_answers import KeptAnswers
from dbt_schema_embed.match.layers import arrivals
from dbt_schema_embed.match.networks import load_weights
from dbt_schema_embed.match.ranking import Ranked
from dbt_schema_embed.match.reasons import because, habit, nothing_reason, reason, undecided_reason
from dbt_schema_embed.match.suggesting import (
    MATCH,
    NOTHING,
    Accepted,
    Rejected,
    assigned,
    existing_edges,
    pairs_in,
    ranked_tables,
    settled_in,
)
from dbt_schema_embed.records import Embedded, Project, Targets, rounded

SHOWN = 3
"""Candidates explained beside each other."""


def explain(
    source_id: str,
    column: str,
    sources: Sequence[Embedded],
    models: Sequence[Embedded],
    *,
    project: Project,
    lexicon: Lexicon | None = None,
    rejected: Rejected = (),
    accepted: Accepted | None = None,
    kept: KeptAnswers | None = None,
    targets: Targets = "auto",
) -> str:
    """The first candidates of ``column`` of the table ``source_id``: each signal's value and what it adds, the habit,
    why not the next. ``sources``: the tables that `competitors` names for it.

    Raises:
        ValueError: the table has no such column.
    """
    (table,) = ranked_tables(sources, models, project, lexicon, rejected, accepted or {}, {source_id}, kept)
    i = [c.name for c in table.block.columns].index(column)
    table, chosen, why = _answered(table, i, project, accepted or {})
    odds = table.odds.candidates[i]
    best = np.argsort(-odds, kind="stable")[:SHOWN].tolist()
    lines = [f"{printable(table.block.source.relation.label)}.{printable(column)}   (targets: {targets})", ""]
    lines.append(f"nothing    {rounded(table.odds.nothing[i]):.2f}   {'' if chosen >= 0 else why}".rstrip())
    for place, j in enumerate(best, 1):
        text, times = habit(table, i, j)
        said = why if j == chosen else because(table, i, j)
        lines.append(f"{place}. {_name(table, j)}   {rounded(odds[j]):.2f}   {said}")
        if times:
            lines.append(f"   habit: {text}, {times} columns follow it")
    parts = _parts(table, i, best) if best else {}
    return "\n".join([*lines, "", *_signals(parts, len(best)), *_difference(table, parts, best)])


def _answered(table: Ranked, i: int, project: Project, accepted: Accepted) -> tuple[Ranked, int, str]:
    """The table with the odds that `suggest` tells, the candidate that it answers, -1 for none, and why."""
    existing, settled = existing_edges(project.lineage, arrivals(project)), settled_in(table.block, accepted)
    if i in settled:
        return table, settled[i], "a person said so"
    table, answers = assigned(table, existing, settled)
    edge = existing.get((table.block.source.relation.id, table.block.columns[i].key.lower()))
    if edge:
        pairs = pairs_in(table.block)
        pair = edge.model, edge.model_column
        return table, pairs.index(pair) if pair in pairs else -1, f"the project's SQL does this: {edge.kind}"
    j = answers[i]
    if j >= 0 and table.odds.candidates[i, j] >= MATCH:
        return table, j, reason(table, i, j)
    return table, -1, (nothing_reason if table.odds.nothing[i] >= NOTHING else undecided_reason)(table, i)


def _name(table: Ranked, j: int) -> str:
    block = table.block
    return printable(f"{block.models[block.model_of[j]].relation.name}.{block.targets[j].name}")


def _parts(table: Ranked, i: int, best: Sequence[int]) -> dict[str, list[tuple[float, float]]]:
    """Signal -> of each candidate its value, and what it adds to the score of the second round, which falls by that
    without it."""
    second = load_weights("project").second
    ways = len(second.names) + 1  # without each signal, then with all
    cells = {name: np.repeat(table.values[name][i : i + 1, best], ways, axis=0) for name in second.names}
    told = {name: value[-1].tolist() for name, value in cells.items()}
    for without, name in enumerate(second.names):
        cells[name][without] = np.nan
    scores, _ = second.scores(cells, np.repeat(row_values(table.block, table.nothing)[i : i + 1], ways, axis=0))
    falls = (scores[-1] - scores[:-1]).tolist()
    return {name: list(zip(told[name], fall, strict=True)) for name, fall in zip(second.names, falls, strict=True)}


def _signals(parts: dict[str, list[tuple[float, float]]], count: int) -> list[str]:
    if not count:
        return []
    lines = [f"{'signal':30}" + "".join(f"{place:>10}.{'adds':>8}" for place in range(1, count + 1))]
    for name in sorted(parts, key=lambda name: (-max(abs(adds) for _, adds in parts[name]), name)):
        if all(np.isnan(value) for value, _ in parts[name]):
            continue
        cells = "".join(
            f"{'silent':>11}{'':>8}" if np.isnan(value) else f"{value:>11.2f}{adds:>+8.2f}"
            for value, adds in parts[name]
        )
        lines.append(f"{name:30}{cells}")
    return lines


def _difference(table: Ranked, parts: dict[str, list[tuple[float, float]]], best: Sequence[int]) -> list[str]:
    """Why the first and not the second: the signals that part them most."""
    if len(best) < 2:
        return []
    gaps = sorted((second - first, name) for name, ((_, first), (_, second), *_) in parts.items())[:3]
    said = ", ".join(f"{name} ({-gap:+.2f})" for gap, name in gaps)
    return ["", f"{_name(table, best[0])} stands before {_name(table, best[1])} by {said}"]
