"""What feeds a candidate today: a second vendor's column feeds what the first one's like it feeds.

Silent where nothing feeds the candidate's model; the source table itself is not heard.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.names import squash, stem
from dbt_schema_embed.match.phrases import Words


def target_fed(block: Block) -> Matrix:
    """1 where another table's column feeds the candidate today, 0 where only its model's other columns are fed."""
    there = np.array([bool(some) for some in block.feeders], np.float32)
    told = np.where(block.fed[block.model_of], there, np.nan)
    return np.broadcast_to(told, block.shape).astype(np.float32)


def feeder_name(block: Block) -> Matrix:
    """Likeness of the name to the nearest of those that feed the candidate today, by letters, as they stand or as they
    read."""
    names = list(dict.fromkeys(pair for some in block.feeders for pair in some))
    says = {source: block.lexicon.says(source) for source in {source for source, _ in names}}
    plain = _letters([squash(c.name) for c in block.columns], [squash(column) for _, column in names])
    read = _letters(
        [_said(r.variants[0]) for r in block.readings],
        [_said(says[source].get(column, (column,))) for source, column in names],
    )
    return _nearest(block, np.maximum(plain, read), {pair: at for at, pair in enumerate(names)}, block.feeders)


def feeder_table(block: Block) -> Matrix:
    """Likeness of what the table is about to the nearest of the tables that feed the candidate today."""
    tables = [list(dict.fromkeys(source for source, _ in some)) for some in block.feeders]
    place = {table: at for at, table in enumerate(dict.fromkeys(t for some in tables for t in some))}
    about = block.lexicon.about
    own = [_said(words) for words in about[block.source.relation.id]]
    alike = _letters(own, [_said(about[t][-1]) if t in about else "" for t in place])
    best = alike.max(axis=0, keepdims=True) if alike.size else alike
    return _nearest(block, np.repeat(best, len(block.columns), axis=0), place, tables)


def _nearest(block: Block, alike: Matrix, place: Mapping[Any, int], feeders: Sequence[Sequence[Any]]) -> Matrix:
    """(n, k) the best of every candidate's feeders; ``alike``: (n, feeders), ``place``: their columns there."""
    out = np.full(block.shape, np.nan, np.float32)
    out[:, block.fed[block.model_of]] = 0
    told = [j for j, some in enumerate(feeders) if some]
    if told:
        flat = [place[f] for j in told for f in feeders[j]]
        starts = np.cumsum([0, *(len(feeders[j]) for j in told[:-1])])
        out[:, told] = np.maximum.reduceat(alike[:, flat], starts, axis=1)
    return out


def _said(words: Words) -> str:
    return " ".join(sorted(stem(w) for w in words))


def _letters(left: Sequence[str], right: Sequence[str]) -> Matrix:
    from rapidfuzz import fuzz, process

    if not left or not right:
        return np.zeros((len(left), len(right)), np.float32)
    ratio: Matrix = process.cdist(left, right, scorer=fuzz.ratio, dtype=np.float32, workers=1)
    return np.asarray(ratio / 100, np.float32)
