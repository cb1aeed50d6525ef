"""All selected source tables against all targets: signals, two rounds, probabilities."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from dbt_schema_embed.match.block import Block, Lexicon, Matrix
from dbt_schema_embed.match.candidates import Targets, build_block
from dbt_schema_embed.match.combine import (
    Mode,
    Odds,
    claims,
    load_rounds,
    nothing_rows,
    signal_values,
    softmax,
    whole_table,
)
from dbt_schema_embed.match.habits import Habits
from dbt_schema_embed.records import Embedded

Barred = Callable[[Block], NDArray[np.bool_] | None]
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
    mode: Mode = "project",
    barred: Barred | None = None,
    lexicon: Lexicon | None = None,
    progress: Progress | None = None,
) -> list[Ranked]:
    """Probabilities of every candidate of every source column, tables in the order given.

    Args:
        sources: the source tables; those without columns are left out by the caller.
        models: the models that may be fed.
        habits: what the project's SQL teaches; empty is fine.
        arrived: ids of source tables that already arrive in some model.
        mode: which of the two sets of weights to use.
        barred: block -> (n, k) True where a pair must not be suggested (a person rejected it).
        lexicon: holds all words of both sides; None: one of just these.
        progress: told how many source tables are through, of how many.
    """
    # Hundreds of small products: threads that wait for each other cost four times the work where cores are shared.
    with ThreadpoolController().limit(limits=1, user_api="blas"):
        lexicon = lexicon or Lexicon([s.relation for s in sources], [m.relation for m in models])
        return _ranked(_counted(sources, progress), models, habits, arrived, mode, barred, lexicon)


def _counted(sources: Sequence[Embedded], progress: Progress | None) -> Iterator[Embedded]:
    for done, source in enumerate(sources):
        if progress:
            progress(done, len(sources))
        yield source


def _ranked(
    sources: Iterable[Embedded],
    models: Sequence[Embedded],
    habits: Habits,
    arrived: Collection[str],
    mode: Mode,
    barred: Barred | None,
    lexicon: Lexicon,
) -> list[Ranked]:
    targets = Targets(models)
    first, second = load_rounds(mode)
    drafts = []
    for source in sources:
        block = build_block(source, targets, lexicon, habits)
        values = signal_values(block)
        nothing = nothing_rows(block, source.relation.id in arrived)
        bar = barred(block) if barred else None
        odds = softmax(first.scores(values), first.nothing_scores(nothing), bar)
        drafts.append((block, values, nothing, bar, odds, claims(block, odds)))
    # A table that arrives already competes with nobody: it has its model.
    total: dict[str, float] = {}
    for block, *_, claimed in drafts:
        if block.source.relation.id not in arrived:
            for model, claim in zip(block.models, claimed.tolist(), strict=True):
                total[model.relation.id] = total.get(model.relation.id, 0.0) + claim
    ranked = []
    for block, values, nothing, bar, odds, claimed in drafts:
        others = np.array([total.get(m.relation.id, 0.0) for m in block.models], np.float32)
        rivals = others + claimed if block.source.relation.id in arrived else others
        values |= whole_table(block, odds, claimed, rivals)
        final = softmax(second.scores(values), second.nothing_scores(nothing), bar)
        ranked.append(Ranked(block, values, final, odds, nothing, claims(block, final)))
    return ranked
