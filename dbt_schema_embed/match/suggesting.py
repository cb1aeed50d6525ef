"""Suggestions for source tables: rank, assign, say why."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.all_words import Lexicon
from dbt_schema_embed.match.assign import assign, in_turn
from dbt_schema_embed.match.block import Block
from dbt_schema_embed.match.habits import Habits, learn
from dbt_schema_embed.match.kept_answers import KeptAnswers
from dbt_schema_embed.match.layers import arrivals, feeders, feeding, rivals
from dbt_schema_embed.match.names import squash
from dbt_schema_embed.match.odds import Odds, as_chosen
from dbt_schema_embed.match.pieces import AT_ONCE, pieces
from dbt_schema_embed.match.ranking import Ranked, rank
from dbt_schema_embed.match.reading import TableReading, read_tables
from dbt_schema_embed.match.reasons import evidence, nothing_reason, reason, undecided_reason
from dbt_schema_embed.match.shares import with_shares
from dbt_schema_embed.progress import Counted
from dbt_schema_embed.records import Candidate, Embedded, Lineage, Project, Relation, Suggestion

MATCH, NOTHING = 0.5, 0.5
"""From which probability a column is matched, and said to feed nothing: what is likelier right than wrong. What reaches
neither is undecided. F1 is the same from 0.4 to 0.55 (benchmarks/RESULTS.md)."""

Rejected = Collection[tuple[str, str, str, str]]
Accepted = Mapping[tuple[str, str], tuple[str, str] | None]
Feeders = Mapping[tuple[str, str], tuple[str, ...]]


def suggest(
    sources: Sequence[Embedded],
    models: Sequence[Embedded],
    *,
    project: Project,
    lexicon: Lexicon | None = None,
    only: Collection[str] | None = None,
    rejected: Rejected = (),
    accepted: Accepted | None = None,
    top_k: int = 10,
    shares: bool = False,
    kept: KeptAnswers | None = None,
    progress: Counted | None = None,
) -> tuple[Suggestion, ...]:
    """One row for every column of every source table in ``only``, tables in the order of their ids.

    Args:
        sources: the source tables that `competitors` names.
        models: what `choose_targets` chose.
        project: the whole project, for its lineage, habits and words.
        lexicon: what `project_words` gives; None: it is asked here.
        only: ids of the source tables to answer about; None: all.
        rejected: (source id, source column, model id, model column) that must not be suggested again.
        accepted: (source id, column key) -> (model id, model column), or None for nothing: settled by a person.
        top_k: candidates listed in a row, at most.
        shares: matches say what each kind of evidence adds.
        kept: what tables said when they were ranked before.
        progress: told how many source tables are ranked, of how many.
    """
    arrived = arrivals(project)
    fed = feeders(project.lineage, {r.id: r for r in project.relations})
    existing = existing_edges(project.lineage, arrived)
    taken = accepted or {}
    ranked = ranked_tables(sources, models, project, lexicon, rejected, taken, only, kept, progress)
    rows: dict[str, list[Suggestion]] = {}
    for table in ranked:
        found = table_rows(table, fed=fed, existing=existing, settled=settled_in(table.block, taken), top_k=top_k)
        rows[table.block.source.relation.id] = with_shares(table, found) if shares else found
    return tuple(row for source in sorted(rows) for row in rows[source])


def ranked_tables(
    sources: Sequence[Embedded],
    models: Sequence[Embedded],
    project: Project,
    lexicon: Lexicon | None,
    rejected: Rejected,
    accepted: Accepted,
    only: Collection[str] | None = None,
    kept: KeptAnswers | None = None,
    progress: Counted | None = None,
) -> Iterator[Ranked]:
    """The source tables with columns ranked with all that the project and its people say; ``only``: ids."""
    arrived = arrivals(project)
    return rank(
        sorted((s for s in sources if s.relation.columns), key=lambda s: s.relation.id), models,
        habits=habits_of(project, arrived), arrived={s for s, _ in arrived}, feeding=feeding(project.lineage),
        entered={m for _, m in arrived},
        lexicon=lexicon or project_words(project, [m.relation for m in models]),
        barred=lambda block: _barred(block, rejected, accepted),
        settled=lambda block: settled_in(block, accepted), rivals=rivals(project), only=only, kept=kept,
        progress=progress,
    )  # fmt: skip


def match(
    left: Embedded, right: Embedded, *, readings: Mapping[str, TableReading] | None = None, top_k: int | None = None
) -> tuple[Suggestion, ...]:
    """Which column of ``right`` each column of ``left`` corresponds to; no project is needed.

    ``top_k``: candidates listed in a row, at most; None: all of them. Two tables of more than `AT_ONCE` pairs are
    compared in pieces.
    """
    readings = readings or read_tables([left.relation], [right.relation])
    n, k = len(left.relation.columns), len(right.relation.columns)
    if n * k <= AT_ONCE:
        return tuple(_matched(left, right, readings, top_k or k))
    rows: dict[int, Suggestion] = {}
    for places, sides, read in pieces(left, right, readings):
        rows.update(zip(places, _matched(*sides, read, top_k or k), strict=True))
    return _taken_once([rows[i] for i in range(n)])


def _matched(left: Embedded, right: Embedded, readings: Mapping[str, TableReading], top_k: int) -> list[Suggestion]:
    lexicon = Lexicon([left.relation], [right.relation], readings)
    (table,) = rank([left], [right], habits=Habits(), mode="tables", lexicon=lexicon)
    return table_rows(table, fed={}, existing={}, settled=(), top_k=top_k)


def _taken_once(rows: Sequence[Suggestion]) -> tuple[Suggestion, ...]:
    """The rows of several pieces: of those that want the same column the one of that name has it, else the surest;
    nobody can tell about the others."""

    def worth(i: int) -> tuple[bool, float]:
        return squash(rows[i].source_column) == squash(rows[i].model_column or ""), rows[i].confidence

    holder: dict[str, int] = {}
    for i in sorted(range(len(rows)), key=worth, reverse=True):
        holder.setdefault(rows[i].model_column or "", i)
    return tuple(
        row if row.model_column is None or holder[row.model_column] == i else _refused(row)
        for i, row in enumerate(rows)
    )


def _refused(row: Suggestion) -> Suggestion:
    said = f"cannot tell: {row.model_column} fits another column better"
    return replace(row, model=None, model_column=None, undecided=True, reason=said, evidence={})


def project_words(
    project: Project, models: Sequence[Relation], readings: Mapping[str, TableReading] | None = None
) -> Lexicon:
    """The words of all source tables of the project, whichever are ranked, and of the models."""
    sources = readable(project)
    return Lexicon(sources, models, readings or read_tables(sources, models))


def readable(project: Project) -> list[Relation]:
    """The source tables with columns."""
    return [r for r in project.relations if r.kind == "source" and r.columns]


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
    settled: Collection[int],
    top_k: int,
) -> list[Suggestion]:
    """The rows of one ranked table, in the order of its columns. ``settled``: places of columns that need no answer."""
    source = table.block.source.relation
    table, answers = assigned(table, existing, settled)
    rows = []
    for i, column in enumerate(source.columns):
        candidates = _candidates(table, i, fed, top_k)
        edge = existing.get((source.id, column.key.lower()))
        if edge is not None:
            rows.append(_existing(edge, candidates, fed))
        elif answers[i] < 0 or table.odds.candidates[i, answers[i]] < MATCH:
            rows.append(_no_match(table, i, candidates))
        else:
            rows.append(_answer(table, i, answers[i], candidates, fed))
    return rows


def assigned(
    table: Ranked, existing: Mapping[tuple[str, str], Lineage], settled: Collection[int]
) -> tuple[Ranked, list[int]]:
    """The table with the odds that people are told, and the candidate of each of its columns, -1 for none."""
    source = table.block.source.relation
    held = [(source.id, c.key.lower()) in existing or i in settled for i, c in enumerate(source.columns)]
    names = ["" if out else column.name for out, column in zip(held, source.columns, strict=True)]
    odds = in_turn(table.odds, names, [t.name for t in table.block.targets])
    answers = assign(_free(odds, np.array(held, bool)))
    return replace(table, odds=as_chosen(odds, answers, table.trust)), answers


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
    for j, (model, target) in enumerate(pairs_in(block)):
        holder = taken.get((model, target.lower()))
        for i, column in enumerate(source.columns):
            mine = holder is None or holder == column.key
            bar[i, j] = not mine or (column.name, model, target.lower()) in refused
    return bar


def settled_in(block: Block, accepted: Accepted) -> dict[int, int]:
    """Columns of the table that a person settled -> the candidate, or -1 for nothing or for what is none."""
    source = block.source.relation
    mine = {key: pair for (s, key), pair in accepted.items() if s == source.id}
    if not mine:
        return {}
    place = {(m, c.lower()): j for j, (m, c) in enumerate(pairs_in(block))}
    pairs = {i: mine[c.key] for i, c in enumerate(source.columns) if c.key in mine}
    return {i: place.get((pair[0], pair[1].lower()), -1) if pair else -1 for i, pair in pairs.items()}


def pairs_in(block: Block) -> list[tuple[str, str]]:
    """(model id, column) of every candidate."""
    ids = [m.relation.id for m in block.models]
    return [(ids[m], t.name) for m, t in zip(block.model_of.tolist(), block.targets, strict=True)]


def _candidates(table: Ranked, i: int, fed: Feeders, top_k: int) -> tuple[Candidate, ...]:
    block = table.block
    odds = table.odds.candidates[i]
    best = np.argsort(-odds, kind="stable")[:top_k]
    found = []
    for j, m, odd in zip(best.tolist(), block.model_of[best].tolist(), odds[best].tolist(), strict=True):
        model, target = block.models[m].relation, block.targets[j]
        by = fed.get((model.id, target.name.lower()), ())
        found.append(Candidate(model.id, target.name, round(odd, 4), fed_by=by))
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


def _no_match(table: Ranked, i: int, candidates: tuple[Candidate, ...]) -> Suggestion:
    """Nothing where that is likely, else undecided; confidence is that of nothing, and of an undecided column what its
    best candidate has."""
    source, nothing = table.block.source.relation, float(table.odds.nothing[i])
    undecided = nothing < NOTHING
    said = undecided_reason(table, i) if undecided else nothing_reason(table, i)
    confidence = float(table.odds.candidates[i].max(initial=0)) if undecided else nothing
    return Suggestion(
        source.id, source.columns[i].name, None, None, round(confidence, 4), reason=said, candidates=candidates,
        undecided=undecided,
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
