"""Words of the names: equal, found on the other side, same last word, same letters, abbreviated."""

from collections.abc import Sequence
from functools import lru_cache, reduce
from operator import or_

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.names import is_prefix_run, skeleton, squash


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


def head(block: Block) -> Matrix:
    """Likeness of the last words, which say what kind of thing it is."""
    return block.coverage.head


def letters(block: Block) -> Matrix:
    """Likeness of the letters (normalised edit distance), the table's name in front tried as well."""
    from rapidfuzz import fuzz, process

    left, right = _squashed(block)
    about = "".join(block.source_entity)
    plain: Matrix = process.cdist(left, right, scorer=fuzz.ratio, dtype=np.float32, workers=1)
    ahead: Matrix = process.cdist(
        [about + text for text in left], right, scorer=fuzz.ratio, dtype=np.float32, workers=1
    )
    return np.asarray(np.maximum(plain, ahead) / 100, np.float32)


def abbreviation(block: Block) -> Matrix:
    """1 where one whole name is the other without vowels, or runs the beginnings of its words together."""
    rights = list(dict.fromkeys(block.target_words))
    found = np.zeros((len(block.columns), len(rights)), np.float32)
    for i, j in np.argwhere(_may_abbreviate(block.source_words, rights)).tolist():
        found[i, j] = _abbreviates(block.source_words[i], rights[j])
    place = {words: j for j, words in enumerate(rights)}
    return found[:, [place[words] for words in block.target_words]]


def _may_abbreviate(lefts: Sequence[tuple[str, ...]], rights: Sequence[tuple[str, ...]]) -> NDArray[np.bool_]:
    """(n, k): both begin alike, and one has no consonant that the other lacks. Cheap, and most pairs fail it."""
    sides = [["".join(words) for words in side] for side in (lefts, rights)]
    a, b = (np.array([_consonant_bits(text) for text in side], np.int64) for side in sides)
    first, other = (np.array([text[:1] for text in side], "U1") for side in sides)
    within = ((a[:, None] & ~b) == 0) | ((b & ~a[:, None]) == 0)
    return np.asarray(within & (first[:, None] == other), np.bool_)


def _consonant_bits(text: str) -> int:
    return reduce(or_, (1 << ord(c) % 63 for c in text if c not in "aeiou"), 0)


@lru_cache(maxsize=200_000)
def _abbreviates(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    one, other = "".join(left), "".join(right)
    if one == other or min(len(one), len(other)) < 2:
        return False
    longer_is_left = len(other) < len(one)
    run = is_prefix_run(other, left) if longer_is_left else is_prefix_run(one, right)
    return run or skeleton(one) == skeleton(other)


def _squashed(block: Block) -> tuple[list[str], list[str]]:
    return [squash(c.name) for c in block.columns], [squash(c.name) for c in block.targets]
