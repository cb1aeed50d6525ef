"""All selected source tables against all targets: signals, two rounds, probabilities."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from dbt_schema_embed.match.all_words import Lexicon
from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.candidates import build_block
from dbt_schema_embed.match.column_values import after_first, nothing_rows, row_values
from dbt_schema_embed.match.habits import Habits
from dbt_schema_embed.match.hearing import Heard, Voice, voice
from dbt_schema_embed.match.kept_answers import KeptAnswers
from dbt_schema_embed.match.layers import Feeding
from dbt_schema_embed.match.nearby import Rivals
from dbt_schema_embed.match.networks import Mode, Round, load_weights
from dbt_schema_embed.match.odds import Odds, as_settled, claims, softmax
from dbt_schema_embed.match.pair_values import signal_values, silent, whole_table
from dbt_schema_embed.match.pool import Pool
from dbt_schema_embed.progress import Counted
from dbt_schema_embed.records import Embedded

Barred = Callable[[Block], NDArray[np.bool_] | None]
Settled = Callable[[Block], Mapping[int, int]]
"""Block -> source columns that a person settled, by place: the candidate's place, or -1 for nothing."""


@dataclass(frozen=True)
class Ranked:
    """One source table, ranked."""

    block: Block
    values: dict[str, Matrix]  # every signal of the second round, (n, k)
    odds: Odds
    first: Odds
    nothing: NDArray[np.float32]  # (n, len(NOTHING_NAMES))
    claimed: NDArray[np.float32]  # (models,) columns each candidate model would take, by the second round
    trust: NDArray[np.float32]  # (5,) see `odds.as_chosen`


@dataclass(frozen=True)
class Draft:
    """A table after the first round."""

    block: Block
    values: Mapping[str, Matrix] | None  # None: there are many tables, and the signals are asked again
    rows: Matrix  # (n, len(NOTHING_NAMES))
    odds: Odds
    arrives: bool  # it arrives in some model already
    voice: Voice
    met: NDArray[np.bool_]  # (models,) see `acquainted`
    apart: tuple[int, ...] = ()  # places of columns that people say feed nothing


WHOLE, KEPT = 400_000, 2_000_000
"""Pairs whose signals are kept from one round to the next, about 250 bytes each: all of a table's, and then those of
its candidates that are looked at again."""


def rank(
    sources: Sequence[Embedded],
    models: Sequence[Embedded],
    *,
    habits: Habits,
    lexicon: Lexicon,
    arrived: Collection[str] = (),
    feeding: Feeding | None = None,
    entered: Collection[str] = (),
    mode: Mode = "project",
    barred: Barred | None = None,
    settled: Settled | None = None,
    rivals: Rivals | None = None,
    only: Collection[str] | None = None,
    kept: KeptAnswers | None = None,
    progress: Counted | None = None,
) -> Iterator[Ranked]:
    """Probabilities of every candidate of every source column, tables in the order given; those that already arrive in
    some model come last.

    Args:
        sources: the source tables; those without columns are left out by the caller.
        models: the models that may be fed.
        habits: what the project's SQL teaches; empty is fine.
        lexicon: holds all words of both sides.
        arrived: ids of source tables that already arrive in some model.
        feeding: which source columns feed which model columns today.
        entered: ids of models that source tables first arrive in.
        mode: which of the two sets of weights to use.
        barred: block -> (n, k) True where a pair must not be suggested (a person rejected it).
        settled: the source columns that need no answer; others learn from theirs.
        rivals: which tables are weighed against each other; None: all.
        only: ids of the tables to answer about, the others are only heard; None: all.
        kept: what tables said when they were ranked before, and is told what they say now.
        progress: told how many source tables are through, of how many.
    """
    weights, pool = load_weights(mode), Pool(models, feeding, entered)
    voices: dict[str, Voice] = {}
    tables = sorted(sources, key=lambda source: source.relation.id in arrived)

    def drafts() -> Iterator[Draft]:
        for done, source in enumerate(tables):
            if progress:
                progress(done, len(tables))
            own = source.relation.id
            wanted = only is None or own in only
            if kept and not wanted and (known := kept.voice(own)):
                voices[own] = known
                continue
            block = build_block(source, pool, lexicon, habits)
            answered = settled(block) if settled else {}
            apart = tuple(i for i, j in answered.items() if j < 0)
            values = signal_values(block, weights.first.names, apart)
            arrives = own in arrived
            rows = nothing_rows(block, values, arrives)
            odds = softmax(*weights.first.scores(values, row_values(block, rows)), barred(block) if barred else None)
            odds = as_settled(odds, answered)
            voices[own] = voice(block, odds, arrives)
            if kept:
                kept.keep_voice(own, voices[own])
            if wanted:
                yield Draft(block, values, rows, odds, arrives, voices[own], acquainted(block, values), apart)

    # Hundreds of small products: threads that wait for each other cost four times the work where cores are shared.
    with ThreadpoolController().limit(limits=1, user_api="blas"):
        for draft, values, rows in second_look(_heard_first(drafts()), voices, rivals, weights.first.names):
            block = draft.block
            scores = _second_scores(weights.second, values, row_values(block, rows), draft)
            final = weights.odds(*scores, block.legible, barred(block) if barred else None)
            yield Ranked(block, values, final, draft.odds, rows, claims(block, final), weights.trust)


def _heard_first(drafts: Iterator[Draft]) -> Iterator[Draft]:
    """The drafts, once all that others hear have been made: those that arrive nowhere yet, which come first."""
    waiting: deque[Draft] = deque()
    pairs = 0
    for draft in drafts:
        if draft.arrives:
            drafts = chain([draft], drafts)
            break
        if pairs + draft.odds.candidates.size > WHOLE:
            alive = _alive(draft)
            draft = _light(draft, alive if pairs + len(draft.rows) * len(alive) <= KEPT else None)
        pairs += draft.values["exact"].size if draft.values else 0
        waiting.append(draft)
    while waiting:
        yield waiting.popleft()
    yield from drafts


def _second_scores(second: Round, values: Mapping[str, Matrix], rows: Matrix, draft: Draft) -> tuple[Matrix, Matrix]:
    """The second round's scores of the candidates that are looked at again; the others have none."""
    alive = _alive(draft)
    some, nothing = second.scores({name: np.take(values[name], alive, axis=1) for name in second.names}, rows)
    out = np.full(draft.block.shape, -np.inf, np.float32)
    out[:, alive] = some
    return out, nothing


def _alive(draft: Draft) -> NDArray[np.int64]:
    """The candidates that the first round gave some column a chance."""
    return np.flatnonzero((draft.odds.candidates.max(axis=0, initial=0) > _HOPELESS) & at_home(draft))


def _light(draft: Draft, alive: NDArray[np.int64] | None) -> Draft:
    """The draft without what its block has worked out, for a copy of a block forgets that, and of its signals what
    they say of those candidates; silent ones need no room."""
    if alive is None or draft.values is None:
        return replace(draft, block=replace(draft.block), values=None)
    shape = len(draft.rows), len(alive)
    nan = np.broadcast_to(np.float32(np.nan), shape)
    values = {name: nan if silent(v) else np.take(v, alive, axis=1) for name, v in draft.values.items()}
    return replace(draft, block=replace(draft.block), values=values | {"type_fit": draft.values["type_fit"]})


def _whole(draft: Draft, values: Mapping[str, Matrix]) -> dict[str, Matrix]:
    """(n, k) what was kept of the signals; those that were not are silent."""
    shape, alive = draft.block.shape, None
    found = {}
    for name, v in values.items():
        if v.shape != shape:
            alive = _alive(draft) if alive is None else alive
            some, v = v, np.full(shape, np.nan, np.float32)
            v[:, alive] = some
        found[name] = v
    return found


def at_home(draft: Draft) -> NDArray[np.bool_]:
    """(k,) the candidates that a table may feed: models that something else feeds get a second source only from tables
    that no planned model is for, and that share a word with them or have columns enough that fit."""
    block, claimed = draft.block, claims(draft.block, draft.odds)
    homes = (
        ~block.fed & (claimed >= _HOME * max(1e-6, float(claimed.sum()))) & (claimed >= _OF_COLUMNS * block.shape[0])
    )
    if draft.arrives:
        return np.ones(block.shape[1], bool)
    welcome = ~block.fed | ((draft.met | (claimed >= _MANY)) & ~homes.any())
    return np.asarray(welcome[block.model_of])


def acquainted(block: Block, values: Mapping[str, Matrix]) -> NDArray[np.bool_]:
    """(models,) where the words of some column's name are found, or the table's own: two ids and two texts are no
    reason to take a table for a second source of a model."""
    if 0 in block.shape:
        return np.ones(len(block.models), bool)
    found = np.fmax(values["both_found"], values["same_reading"]).max(axis=0)
    return np.asarray(np.maximum(np.maximum.reduceat(found, block.starts), block.names_alike) >= _FOUND)


_HOME, _OF_COLUMNS = 0.5, 0.3
"""Shares of what a table claims, and of its columns, from which a planned model is for it."""
_FOUND = 0.5
"""Weighted share of two names' words that are found in each other, from which a table is no stranger to a model."""
_MANY = 4
"""Columns that a table claims of a model, from which it may be its second source though their names share no word."""
_HOPELESS = 5e-4
"""Probability by the first round below which, in all rows, a candidate is not looked at again."""


def second_look(
    drafts: Iterable[Draft],
    voices: Mapping[str, Voice],
    rivals: Rivals | None = None,
    wanted: Sequence[str] = (),
) -> Iterator[tuple[Draft, dict[str, Matrix], Matrix]]:
    """Each table with what the first round says about it and about its rivals: its values and its rows, with more to
    see.

    ``voices``: of all that may be heard, by id, once the first draft is there. ``rivals``: who is; None: all.
    ``wanted``: as `signal_values` has it.
    """
    everyone: Heard | None = None
    for draft in drafts:
        if everyone is None:
            everyone, place = Heard(voices.values()), {i: at for at, i in enumerate(voices)}
        own, heard = draft.voice, everyone
        if rivals and not rivals.few:
            some = sorted(rivals.of(draft.block.source.relation) & place.keys(), key=place.__getitem__)
            heard = Heard([own, *(voices[i] for i in some)], own)
        values = _whole(draft, draft.values or signal_values(replace(draft.block), wanted, draft.apart))
        echo = heard.echo(draft.block, draft.odds, own)
        more = whole_table(draft.block, draft.odds, own.claims, heard.claimed(own), echo)
        yield draft, {**values, **more}, after_first(draft.block, draft.rows, draft.odds, values["type_fit"])
