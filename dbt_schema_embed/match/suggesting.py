"""Suggestions for source tables: rank, assign, say why."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.assign import assign
from dbt_schema_embed.match.block import Block, Lexicon
from dbt_schema_embed.match.combine import Odds
from dbt_schema_embed.match.habits import Habits, learn
from dbt_schema_embed.match.layers import arrivals, feeders
from dbt_schema_embed.match.naming import propose_name
from dbt_schema_embed.match.ranking import Progress, Ranked, rank
from dbt_schema_embed.match.reasons import evidence, nothing_reason, reason
from dbt_schema_embed.records import Candidate, Embedded, Lineage, Project, Relation, Suggestion

Rejected = Collection[tuple[str, str, str, str]]
Accepted = Mapping[tuple[str, str], tuple[str, str] | None]
Feeders = Mapping[tuple[str, str], tuple[str, ...]]


def suggest(
    sources: Sequence[Embedded],
    models: Sequence[Embedded],
    *,
    project: Project,
    only: Collection[str] | None = None,
    rejected: Rejected = (),
    accepted: Accepted | None = None,
    top_k: int = 10,
    propose: bool = False,
    progress: Progress | None = None,
) -> tuple[Suggestion, ...]:
    """One row for every column of every source table in ``only``, tables in the order of their ids.

    Args:
        sources: the source tables that `competitors` names.
        models: what `choose_targets` chose.
        project: the whole project, for its lineage, habits and words.
        only: ids of the source tables to answer about; None: all.
        rejected: (source id, source column, model id, model column) that must not be suggested again.
        accepted: (source id, column key) -> (model id, model column), or None for nothing: settled by a person.
        top_k: candidates listed in a row, at most.
        propose: give columns that map to nothing a name after the project's habits.
        progress: told how many source tables are ranked, of how many.
    """
    arrived = arrivals(project)
    habits = habits_of(project, arrived)
    fed = feeders(project.lineage, {r.id: r for r in project.relations})
    existing = existing_edges(project.lineage, arrived)
    ordered = sorted((s for s in sources if s.relation.columns), key=lambda s: s.relation.id)
    taken = accepted or {}
    ranked = rank(
        ordered, models, habits=habits, arrived={s for s, _ in arrived}, lexicon=project_words(project, models),
        barred=lambda block: _barred(block, rejected, taken), progress=progress,
    )  # fmt: skip
    rows: list[Suggestion] = []
    for table in ranked:
        if only is None or table.block.source.relation.id in only:
            rows += table_rows(table, fed=fed, existing=existing, top_k=top_k, propose=propose)
    return tuple(rows)


def match(left: Embedded, right: Embedded, *, top_k: int | None = None) -> tuple[Suggestion, ...]:
    """Which column of ``right`` each column of ``left`` corresponds to; no project is needed.

    ``top_k``: candidates listed in a row, at most; None: all of them.
    """
    (table,) = rank([left], [right], habits=Habits(), mode="tables")
    return tuple(table_rows(table, fed={}, existing={}, top_k=top_k or len(right.relation.columns), propose=False))


def project_words(project: Project, models: Sequence[Embedded]) -> Lexicon:
    """The words of all source tables of the project, whichever are ranked, and of the models."""
    sources = [r for r in project.relations if r.kind == "source" and r.columns]
    return Lexicon(sources, [m.relation for m in models])


def habits_of(project: Project, arrived: Collection[tuple[str, str]]) -> Habits:
    """What the project's own SQL teaches."""
    return learn(project.lineage, {r.id: r for r in project.relations}, arrived)


def existing_edges(lineage: Sequence[Lineage], arrived: Collection[tuple[str, str]]) -> dict[tuple[str, str], Lineage]:
    """(source id, column in lower case) -> the edge by which it first arrives in a model; plain ones before derived."""
    plain = {"identical": 0, "renamed": 1, "cast": 2, "derived": 3}
    found: dict[tuple[str, str], Lineage] = {}
    for edge in sorted(lineage, key=lambda e: (plain[e.kind], e)):
        if (edge.source, edge.model) in arrived:
            found.setdefault((edge.source, edge.source_column.lower()), edge)
    return found


def table_rows(
    table: Ranked,
    *,
    fed: Feeders,
    existing: Mapping[tuple[str, str], Lineage],
    top_k: int,
    propose: bool,
) -> list[Suggestion]:
    """The rows of one ranked table, in the order of its columns."""
    source = table.block.source.relation
    held = np.array([(source.id, c.key.lower()) in existing for c in source.columns])
    answers = assign(_free(table.odds, held))
    rows = []
    for i, column in enumerate(source.columns):
        candidates = _candidates(table, i, fed, top_k)
        edge = existing.get((source.id, column.key.lower()))
        if edge is not None:
            rows.append(_existing(edge, candidates, fed))
        elif answers[i] < 0:
            name = propose_name(column, source, table.block.habits) if propose else None
            rows.append(_nothing(table, i, candidates, name))
        else:
            rows.append(_answer(table, i, answers[i], candidates, fed))
    return rows


def _free(odds: Odds, held: NDArray[np.bool_]) -> Odds:
    """The odds without the rows that need no answer, so that they take nothing from the others."""
    if not held.any():
        return odds
    candidates, nothing = odds.candidates.copy(), odds.nothing.copy()
    candidates[held], nothing[held] = 0, 1
    return Odds(candidates, nothing)


def _barred(block: Block, rejected: Rejected, accepted: Accepted) -> NDArray[np.bool_] | None:
    source = block.source.relation
    refused = {(c, m, mc.lower()) for s, c, m, mc in rejected if s == source.id}
    settled = {key: pair for (s, key), pair in accepted.items() if s == source.id}
    taken = {(m, c.lower()): key for key, pair in settled.items() if pair for m, c in [pair]}
    if not refused and not taken:
        return None
    bar = np.zeros(block.shape, bool)
    for j, (model, target) in enumerate(_pairs(block)):
        holder = taken.get((model, target.lower()))
        for i, column in enumerate(source.columns):
            mine = holder is None or holder == column.key
            bar[i, j] = not mine or (column.name, model, target.lower()) in refused
    return bar


def _pairs(block: Block) -> list[tuple[str, str]]:
    return [(block.models[m].relation.id, t.name) for m, t in zip(block.model_of, block.targets, strict=True)]


def _candidates(table: Ranked, i: int, fed: Feeders, top_k: int) -> tuple[Candidate, ...]:
    block = table.block
    odds = table.odds.candidates[i]
    found = []
    for j in np.lexsort((np.arange(len(odds)), -odds))[:top_k].tolist():
        model: Relation = block.models[block.model_of[j]].relation
        target = block.targets[j]
        by = fed.get((model.id, target.name.lower()), ())
        found.append(Candidate(model.id, target.name, round(float(odds[j]), 4), fed_by=by))
    return tuple(found)


def _existing(edge: Lineage, candidates: tuple[Candidate, ...], fed: Feeders) -> Suggestion:
    others = tuple(
        c for c in candidates if (c.model, c.model_column.lower()) != (edge.model, edge.model_column.lower())
    )
    first = Candidate(edge.model, edge.model_column, 1.0, fed_by=fed.get((edge.model, edge.model_column.lower()), ()))
    return Suggestion(
        edge.source, edge.source_column, edge.model, edge.model_column, 1.0, "existing",
        reason=f"the project's SQL does this: {edge.kind}", candidates=(first, *others[: len(candidates) - 1]),
    )  # fmt: skip


def _nothing(table: Ranked, i: int, candidates: tuple[Candidate, ...], name: str | None) -> Suggestion:
    source = table.block.source.relation
    return Suggestion(
        source.id, source.columns[i].name, None, None, round(float(table.odds.nothing[i]), 4),
        reason=nothing_reason(table, i), candidates=candidates, proposed_name=name,
    )  # fmt: skip


def _answer(table: Ranked, i: int, j: int, candidates: tuple[Candidate, ...], fed: Feeders) -> Suggestion:
    block = table.block
    source = block.source.relation
    model, target = block.models[block.model_of[j]].relation, block.targets[j]
    return Suggestion(
        source.id, source.columns[i].name, model.id, target.name, round(float(table.odds.candidates[i, j]), 4),
        reason=reason(table, i, j), evidence=evidence(table, i, j), candidates=candidates,
        fed_by=fed.get((model.id, target.name.lower()), ()),
    )  # fmt: skip
