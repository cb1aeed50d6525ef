"""All selected source tables against all targets: signals, two rounds, probabilities."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from dbt_schema_embed.match.block import Block, Lexicon, Matrix
from dbt_schema_embed.match.candidates import build_block
from dbt_schema_embed.match.column_values import after_first, nothing_rows, row_values
from dbt_schema_embed.match.habits import Habits
from dbt_schema_embed.match.names import squash
from dbt_schema_embed.match.networks import Mode, Round, load_weights
from dbt_schema_embed.match.odds import Odds, as_settled, claims, softmax
from dbt_schema_embed.match.pair_values import signal_values, whole_table
from dbt_schema_embed.match.reading import read_tables
from dbt_schema_embed.match.targets import Targets
from dbt_schema_embed.records import Embedded

Barred = Callable[[Block], NDArray[np.bool_] | None]
Settled = Callable[[Block], Mapping[int, int]]
"""Block -> source columns that a person settled, by place: the candidate's place, or -1 for nothing."""
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Ranked:
    """One source table, ranked."""

    block: Block
    values: dict[str, Matrix]  # every signal of the second round, (n, k)
    odds: Odds
    first: Odds
    nothing: NDArray[np.float32]  # (n, len(NOTHING_NAMES))
    claimed: NDArray[np.float32]  # (models,) columns each candidate model would take, by the second round


def rank(
    sources: Sequence[Embedded],
    models: Sequence[Embedded],
    *,
    habits: Habits,
    arrived: Collection[str] = (),
    fed: Collection[str] = (),
    entered: Collection[str] = (),
    mode: Mode = "project",
    barred: Barred | None = None,
    settled: Settled | None = None,
    lexicon: Lexicon | None = None,
    progress: Progress | None = None,
) -> list[Ranked]:
    """Probabilities of every candidate of every source column, tables in the order given.

    Args:
        sources: the source tables; those without columns are left out by the caller.
        models: the models that may be fed.
        habits: what the project's SQL teaches; empty is fine.
        arrived: ids of source tables that already arrive in some model.
        fed: ids of models that something feeds today.
        entered: ids of models that source tables first arrive in.
        mode: which of the two sets of weights to use.
        barred: block -> (n, k) True where a pair must not be suggested (a person rejected it).
        settled: the source columns that need no answer; others learn from theirs.
        lexicon: holds all words of both sides; None: one of just these.
        progress: told how many source tables are through, of how many.
    """
    # Hundreds of small products: threads that wait for each other cost four times the work where cores are shared.
    with ThreadpoolController().limit(limits=1, user_api="blas"):
        if lexicon is None:
            sides = [s.relation for s in sources], [m.relation for m in models]
            lexicon = Lexicon(*sides, read_tables(*sides))
        tables = _counted(sources, progress)
        return _ranked(tables, Targets(models, fed, entered), habits, arrived, mode, barred, settled, lexicon)


def _counted(sources: Sequence[Embedded], progress: Progress | None) -> Iterator[Embedded]:
    for done, source in enumerate(sources):
        if progress:
            progress(done, len(sources))
        yield source


@dataclass(frozen=True)
class Draft:
    """A table after the first round."""

    block: Block
    values: dict[str, Matrix]
    rows: Matrix  # (n, len(NOTHING_NAMES))
    odds: Odds
    arrives: bool  # it arrives in some model already


def _ranked(
    sources: Iterable[Embedded],
    targets: Targets,
    habits: Habits,
    arrived: Collection[str],
    mode: Mode,
    barred: Barred | None,
    settled: Settled | None,
    lexicon: Lexicon,
) -> list[Ranked]:
    weights = load_weights(mode)
    drafts, bars = [], []
    for source in sources:
        block = build_block(source, targets, lexicon, habits)
        values = signal_values(block)
        rows = nothing_rows(block, values, source.relation.id in arrived)
        bars.append(barred(block) if barred else None)
        odds = softmax(*weights.first.scores(values, row_values(block, rows)), bars[-1])
        odds = as_settled(odds, settled(block)) if settled else odds
        drafts.append(Draft(block, values, rows, odds, source.relation.id in arrived))
    ranked = []
    for draft, (values, rows), bar in zip(drafts, second_look(drafts), bars, strict=True):
        block = draft.block
        final = weights.odds(
            *_second_scores(weights.second, values, row_values(block, rows), draft), block.legible, bar
        )
        ranked.append(Ranked(block, values, final, draft.odds, rows, claims(block, final)))
    return ranked


def _second_scores(second: Round, values: Mapping[str, Matrix], rows: Matrix, draft: Draft) -> tuple[Matrix, Matrix]:
    """The second round's scores of the candidates that the first one gave some column a chance; the others have
    none."""
    alive = np.flatnonzero(draft.odds.candidates.max(axis=0, initial=0) > _HOPELESS)
    some, nothing = second.scores({name: np.take(values[name], alive, axis=1) for name in second.names}, rows)
    out = np.full(draft.block.shape, -np.inf, np.float32)
    out[:, alive] = some
    return out, nothing


_HOPELESS = 5e-4
"""Probability by the first round below which, in all rows, a candidate is not looked at again."""


def second_look(drafts: Sequence[Draft]) -> Iterator[tuple[dict[str, Matrix], Matrix]]:
    """For each table what the first round says about it and about all others: its values and its rows, with more to
    see."""
    claimed = [claims(d.block, d.odds) for d in drafts]
    # A table that arrives already competes with nobody: it has its model.
    total: dict[str, float] = {}
    for draft, claim in zip(drafts, claimed, strict=True):
        if not draft.arrives:
            for model, c in zip(draft.block.models, claim.tolist(), strict=True):
                total[model.relation.id] = total.get(model.relation.id, 0.0) + c
    heard = echoes(drafts)
    for draft, claim, echo in zip(drafts, claimed, heard, strict=True):
        others = np.array([total.get(m.relation.id, 0.0) for m in draft.block.models], np.float32)
        rivals = others + claim if draft.arrives else others
        values = draft.values | whole_table(draft.block, draft.odds, claim, rivals, echo)
        yield values, after_first(draft.block, draft.rows, draft.odds, draft.values["type_fit"])


def echoes(drafts: Sequence[Draft]) -> list[Matrix]:
    """For each table (n, k): the mean probability that columns of that name in the other tables were given for
    targets of that name; NaN where no other table has the name.

    Tables that arrive already are not heard: they are not ranked where only some tables are asked about.
    """
    names = [["".join(core) for core in d.block.cores] for d in drafts]
    open_ = [set() if d.arrives else set(own) for d, own in zip(drafts, names, strict=True)]
    times = Counter(name for own in open_ for name in own)
    heard: dict[str, dict[str, float]] = {name: defaultdict(float) for name in times}
    targets = [[squash(t.name) for t in d.block.targets] for d in drafts]
    for draft, own, wanted in zip(drafts, names, targets, strict=True):
        for i, name in enumerate(own):
            if not draft.arrives and name in times:
                for j in np.flatnonzero(draft.odds.candidates[i] > _FAINT).tolist():
                    heard[name][wanted[j]] += float(draft.odds.candidates[i, j])
    return [
        _echo(draft, own, wanted, times, heard)
        for draft, own, wanted in zip(drafts, names, targets, strict=True)
    ]  # fmt: skip


def _echo(
    draft: Draft,
    names: Sequence[str],
    wanted: Sequence[str],
    times: Counter[str],
    heard: Mapping[str, Mapping[str, float]],
) -> Matrix:
    out = np.full(draft.block.shape, np.nan, np.float32)
    for i, name in enumerate(names):
        others = times[name] - (not draft.arrives)
        if others > 0:
            own = draft.odds.candidates[i] * (not draft.arrives)
            sums = np.array([heard[name].get(w, 0.0) for w in wanted], np.float32)
            out[i] = np.clip((sums - np.where(own > _FAINT, own, 0)) / others, 0, 1)
    return out


_FAINT = 0.02
"""Probabilities that are no voice."""
