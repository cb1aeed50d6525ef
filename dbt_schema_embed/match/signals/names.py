"""Words of the names: equal, found on the other side, same last word, same letters, abbreviated."""

from collections.abc import Sequence
from functools import lru_cache, reduce
from operator import or_

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.names import is_run, squash, stem
from dbt_schema_embed.words import skeleton


def exact(block: Block) -> Matrix:
    """1 where both names have the same words in the same order, whatever the case or separators."""
    left, right = _squashed(block)
    number = {text: i for i, text in enumerate(dict.fromkeys((*left, *right)))}
    rows, columns = np.array([number[t] for t in left]), np.array([number[t] for t in right])
    same: Matrix = (rows[:, None] == columns[None, :]).astype(np.float32)
    return same


def source_words_found(block: Block) -> Matrix:
    """Share of the source name's words that the candidate's name has, rare words counting for more."""
    return block.coverage.of_source


def target_words_found_in_table(block: Block) -> Matrix:
    """Share of the candidate name's words that the source name or its table's has: ``id`` of charge, ``charge_id``."""
    return block.coverage.of_target_in_table


def both_found(block: Block) -> Matrix:
    """The smaller of two shares: the source name's words that the candidate's name or its model's has, and the
    reverse."""
    return block.coverage.both


def head(block: Block) -> Matrix:
    """Likeness of the last words, which say what kind of thing it is."""
    return block.coverage.head


def letters(block: Block) -> Matrix:
    """Likeness of the letters (normalised edit distance), with the table's name in front and without its shared
    beginning tried as well."""
    from rapidfuzz import fuzz, process

    left, right = _squashed(block)
    rights = list(dict.fromkeys(right))
    about = "".join(block.source_entity)
    best: Matrix = process.cdist(left, rights, scorer=fuzz.ratio, dtype=np.float32, workers=1)
    for other in ([about + text for text in left], ["".join(core) for core in block.cores]):
        if other != left:
            ratio: Matrix = process.cdist(other, rights, scorer=fuzz.ratio, dtype=np.float32, workers=1)
            best = np.maximum(best, ratio)
    place = {text: j for j, text in enumerate(rights)}
    return np.asarray(best[:, [place[text] for text in right]] / 100, np.float32)


def same_reading(block: Block) -> Matrix:
    """1 where both names say the same words in English, in any order; 0.8 where the table's own words make the
    difference: ``Kundennummer`` of customers and ``number``."""
    about = frozenset(stem(w) for words in block.lexicon.about[block.source.relation.id] for w in words)
    out = np.zeros(block.shape, np.float32)
    having: dict[tuple[str, ...], list[int]] = {}
    for j, views in enumerate(block.target_views):
        for view in views:
            having.setdefault(view, []).append(j)
    for worth, less in ((0.8, about), (1.0, frozenset[str]())):
        places: dict[frozenset[str], list[int]] = {}
        for view, some in having.items():
            places.setdefault(_said(view, less), []).extend(some)
        for i, views in enumerate(block.source_views):
            for said in {_said(view, less) for view in views}:
                if said and said in places:
                    out[i, places[said]] = worth
    return out


def _said(words: tuple[str, ...], less: frozenset[str]) -> frozenset[str]:
    stems = _stems(words)
    return stems if stems.isdisjoint(less) else stems - less


@lru_cache(maxsize=100_000)
def _stems(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(stem(w) for w in words) - _SILENT


_SILENT = frozenset({"of", "the", "by", "at", "on", "in", "to", "and", "a", "is", "has"})


def abbreviation(block: Block) -> Matrix:
    """1 where one whole name is the other without vowels, or runs the beginnings of its words together; 0.8 where it
    picks letters of each word."""
    rights = list(dict.fromkeys(block.target_words))
    lefts = [core or words for core, words in zip(block.cores, block.source_words, strict=True)]
    found = np.zeros((len(block.columns), len(rights)), np.float32)
    for i, j in np.argwhere(_may_abbreviate(lefts, rights)).tolist():
        found[i, j] = _abbreviates(lefts[i], rights[j])
    place = {words: j for j, words in enumerate(rights)}
    return found[:, [place[words] for words in block.target_words]]


def _may_abbreviate(lefts: Sequence[tuple[str, ...]], rights: Sequence[tuple[str, ...]]) -> NDArray[np.bool_]:
    """(n, k): both begin alike, and one has no consonant that the other lacks. Cheap, and most pairs fail it."""
    sides = [["".join(words) for words in side] for side in (lefts, rights)]
    a, b = (np.array([_consonant_bits(text) for text in side], np.int64) for side in sides)
    first, other = (np.array([text[:1] for text in side], "U1") for side in sides)
    within = ((a[:, None] & ~b) == 0) | ((b & ~a[:, None]) == 0)
    return np.asarray(within & (first[:, None] == other), np.bool_)


@lru_cache(maxsize=200_000)
def _consonant_bits(text: str) -> int:
    return reduce(or_, (1 << ord(c) % 63 for c in text if c not in "aeiou"), 0)


@lru_cache(maxsize=200_000)
def _abbreviates(left: tuple[str, ...], right: tuple[str, ...]) -> float:
    one, other = "".join(left), "".join(right)
    if one == other or min(len(one), len(other)) < 2:
        return 0.0
    short, long = (other, left) if len(other) < len(one) else (one, right)
    if is_run(short, long) or skeleton(one) == skeleton(other):
        return 1.0
    return 0.8 if len(long) > 1 and is_run(short, long, whole=False) else 0.0


def _squashed(block: Block) -> tuple[list[str], list[str]]:
    return [squash(c.name) for c in block.columns], [squash(c.name) for c in block.targets]
