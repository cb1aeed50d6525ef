"""What each kind of evidence adds to an answer's confidence: by how much it falls where that kind is silent."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.block import Matrix
from dbt_schema_embed.match.column_values import NOTHING_NAMES
from dbt_schema_embed.match.networks import load_weights
from dbt_schema_embed.match.odds import Odds, as_chosen
from dbt_schema_embed.match.pair_values import WHOLE_TABLE_NAMES
from dbt_schema_embed.match.ranking import Ranked
from dbt_schema_embed.match.signals import SIGNALS
from dbt_schema_embed.records import Suggestion

_FILES = {
    "names": "name", "kinds": "name", "habits": "habit", "tables": "table", "types_keys": "type", "values": "values",
    "feeders": "fed",
}  # fmt: skip
_OF_VECTORS = {
    "name_meaning": "meaning", "meaning_in_table": "meaning", "description": "description",
    "name_in_description": "description", "name_with_values": "values", "value_meaning": "values",
}  # fmt: skip
_FIRST = ("column_share", "margin", "first_round", "balanced")  # what the first round thought, of all kinds together
_KIND_OF = {
    **{s.__name__: _FILES.get(s.__module__.rpartition(".")[2]) or _OF_VECTORS[s.__name__] for s in SIGNALS},
    **{n: "table" if n.startswith("table_") else "neighbours" for n in WHOLE_TABLE_NAMES if n not in _FIRST},
}
"""Signal -> the kind of evidence that it is."""
_KINDS = tuple(dict.fromkeys(_KIND_OF.values()))
_BEST = NOTHING_NAMES.index("best_first")  # from here on the first round knows nothing yet


def with_shares(table: Ranked, rows: Sequence[Suggestion]) -> list[Suggestion]:
    """``rows`` of a table, ranked and not yet assigned, whose matches say what each kind of evidence adds.

    A kind is silenced in both rounds, for the answer alone: the other columns and candidates stay as they are.
    """
    block = table.block
    pairs = [(block.models[m].relation.id, t.name) for m, t in zip(block.model_of, block.targets, strict=True)]
    place = {pair: j for j, pair in enumerate(pairs)}
    told = [i for i, row in enumerate(rows) if row.evidence]
    if not told:
        return list(rows)
    chosen = [place[rows[i].model or "", rows[i].model_column or ""] for i in told]
    out = list(rows)
    for i, falls in zip(told, _falls(table, np.array(told), np.array(chosen)), strict=True):
        out[i] = replace(rows[i], adds={kind: round(float(fall), 4) for kind, fall in zip(_KINDS, falls, strict=True)})
    return out


def _falls(table: Ranked, at: NDArray[np.int64], chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """(answers, kinds) by how much the confidence falls."""
    weights, times = load_weights("project"), len(_KINDS) + 1
    names = {*weights.first.names, *weights.second.names}
    # One pair a row: an answer as it is, then without each kind.
    seen = {name: np.repeat(table.values[name][at, chosen], times)[:, None] for name in names}
    for name, cells in seen.items():
        if kind := _kind(name):
            cells[_KINDS.index(kind) + 1 :: times] = np.nan
    legible = np.repeat(table.block.legible[at], times)
    rows = np.column_stack([np.repeat(table.nothing[at], times, axis=0), legible]).astype(np.float32)
    early = rows.copy()
    early[:, _BEST : len(NOTHING_NAMES)] = 0  # as the first round had it
    first = _moved(table.first, at, chosen, weights.first.scores(seen, early)[0].reshape(-1, times))
    seen |= _thought(table, at, chosen, first)
    rows[:, _BEST] = np.maximum(first, _best_other(table.first, at, chosen, first)).ravel()
    cool = np.exp(-(weights.calibration[0] + weights.calibration[1] * (1 - table.block.legible[at])))
    scores = weights.second.scores(seen, rows)[0].reshape(-1, times) * cool[:, None]
    raw = _moved(table.odds, at, chosen, scores)
    said = as_chosen(Odds(raw.reshape(-1, 1), 1 - raw.ravel()), [0] * raw.size, table.trust).candidates
    behind = raw < _best_other(table.odds, at, chosen, raw)  # ... it would hardly have been chosen, unless it was so
    after = np.where(behind & ~behind[:, :1], raw, said.reshape(raw.shape)).astype(np.float64)
    return np.asarray(after[:, :1] - after[:, 1:])


def _moved(odds: Odds, at: NDArray[np.int64], chosen: NDArray[np.int64], scores: Matrix) -> Matrix:
    """(answers, ways) the probabilities of the answers where their score moves from the first way's to the others'."""
    before = np.clip(odds.candidates[at, chosen].astype(np.float64), 1e-7, 1 - 1e-7)[:, None]
    against = np.exp(np.clip(scores - scores[:, :1], -60, 60)) * before / (1 - before)
    return np.asarray(against / (1 + against), np.float32)


def _best_other(odds: Odds, at: NDArray[np.int64], chosen: NDArray[np.int64], moved: Matrix) -> Matrix:
    """(answers, ways) the probability of the best other candidate where that of the answer is ``moved``."""
    others = odds.candidates[at].copy()
    was = others[np.arange(len(at)), chosen][:, None]
    others[np.arange(len(at)), chosen] = 0
    left = (1 - moved) / np.maximum(1 - was, 1e-6)
    return np.asarray(others.max(axis=1, keepdims=True) * left)


def _thought(table: Ranked, at: NDArray[np.int64], chosen: NDArray[np.int64], first: Matrix) -> dict[str, Matrix]:
    """What the first round thinks of the answers, (answers * ways, 1), where their probability is ``first``."""
    p = table.first.candidates
    was = p[at, chosen][:, None]
    found = {
        "first_round": first,
        "column_share": first / np.maximum(p.sum(axis=0)[chosen][:, None] - was + first, 1e-6),
        "margin": (first - _best_other(table.first, at, chosen, first)) * 0.5 + 0.5,
        "balanced": np.minimum(table.values["balanced"][at, chosen][:, None] * first / np.maximum(was, 1e-6), 1),
    }
    return {name: np.asarray(values, np.float32).reshape(-1, 1) for name, values in found.items()}


def _kind(signal: str) -> str | None:
    """That of a signal, or of how it stands among others; None: the first round's, or another package brings it."""
    plain = signal.removesuffix("_relative").partition("_over_")[0]
    return _KIND_OF.get(plain)
