"""What names may be taken to say, in numbers: the words of many views, and what each counts."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.lexicon import SLIGHT_WORDS
from dbt_schema_embed.match.phrases import Words
from dbt_schema_embed.match.pool import Matrix
from dbt_schema_embed.match.reading import MOST

VIEWS = MOST + 1
"""Most views of one name: its words as they stand, and its readings."""

_SLIGHT = 0.3
"""What a word of SLIGHT_WORDS counts beside another."""


class Some(NamedTuple):
    """Some views, by the distinct words that occur in them."""

    words: NDArray[np.int64]  # places in the table of words
    places: NDArray[np.int64]  # (views, longest): each view's words, as places in ``words``; padded with "no word"
    weights: Matrix  # (views, words): what each word counts of a view; they sum to 1
    last: NDArray[np.int64]  # (views,) the last word of each


class Views:
    """The distinct views of many relations' columns; ``rows`` has (said, VIEWS) numbers of them, -1 for none."""

    def __init__(
        self,
        of: Mapping[str, NDArray[np.int64]],
        said: Sequence[Sequence[Words]],
        place: Mapping[str, int],
        weight: Mapping[str, float],
    ) -> None:
        """``of``: for each column of a relation the place in ``said`` of what it may be taken to say."""
        number: dict[Words, int] = {}
        self.rows = np.full((len(said), VIEWS), -1, np.int64)
        for n in dict.fromkeys(chain.from_iterable(columns.tolist() for columns in of.values())):
            self.rows[n, : len(said[n])] = [number.setdefault(v, len(number)) for v in said[n]]
        self._places = placed(list(number), place)
        counts = np.array([*(_count(w, weight) for w in place), 0.0], np.float32)[self._places]
        self._weights = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-9)
        self._last = np.array([place.get(v[-1], len(place)) if v else len(place) for v in number], np.int64)

    def some(self, numbers: NDArray[np.int64]) -> Some:
        """Those of ``numbers``."""
        places, last = self._places[numbers], self._last[numbers]
        weights = self._weights[numbers]
        width = max(1, int(np.count_nonzero(weights, axis=1).max(initial=0)))  # padding stands at the end
        words, local = distinct(places[:, :width])
        counts = np.zeros((len(numbers), len(words)), np.float32)
        np.add.at(counts, (np.arange(len(numbers))[:, None], local), weights[:, :width])
        return Some(words, local, counts, np.searchsorted(words, last))


def distinct(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct values, ascending, and where each value is among them. np.unique would import numpy.ma."""
    flat = values.ravel()
    order = np.argsort(flat, kind="stable")
    first = np.diff(flat[order], prepend=flat[order[:1]] - 1) > 0
    places = np.empty(len(flat), np.int64)
    places[order] = np.cumsum(first) - 1
    return flat[order][first], places.reshape(values.shape)


def _count(word: str, weight: Mapping[str, float]) -> float:
    return weight.get(word, 1.0) * (_SLIGHT if word in SLIGHT_WORDS else 1.0)


def placed(lists: Sequence[Sequence[str]], place: Mapping[str, int]) -> NDArray[np.int64]:
    """The places of each list's words, padded with the empty one to the longest list."""
    empty = len(place)
    width = max((len(ws) for ws in lists), default=0) or 1
    rows = [[place.get(w, empty) for w in ws] + [empty] * (width - len(ws)) for ws in lists]
    return np.array(rows, np.int64).reshape(len(lists), width)
