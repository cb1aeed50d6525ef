"""How alike two words are, as a table over all words of a run."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dbt_schema_embed.match.lexicon import SYNONYMS
from dbt_schema_embed.match.names import is_subsequence, stem
from dbt_schema_embed.words import skeleton

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What each kind of likeness is worth. Equal is 1 by definition; the others were set by hand once, and what they are
# worth beside the other signals is learned (weights.json).
STEM, SYNONYM, SKELETON, ABBREVIATION, TYPO = 0.97, 0.85, 0.85, 0.7, 0.75


class WordTable:
    """Likeness in [0, 1] of every left word to every right word.

    The last row and the last column stand for "no word" and are 0, so that ragged lists of words can be padded with it.
    """

    def __init__(self, left: Iterable[str], right: Iterable[str]) -> None:
        self.left = {w: i for i, w in enumerate(sorted(set(left)))}
        self.right = {w: i for i, w in enumerate(sorted(set(right)))}
        self.likeness = np.zeros((len(self.left) + 1, len(self.right) + 1), np.float32)
        self._typos()
        self._abbreviations()
        self._shared(lambda w: [f"m{m}" for m in SYNONYMS.get(w, ())], SYNONYM)
        self._shared(lambda w: [skeleton(w)] if len(skeleton(w)) > 2 else [], SKELETON)
        self._shared(lambda w: [stem(w)], STEM)
        self._shared(lambda w: [w], 1.0)

    def rows(self, words: Sequence[str]) -> "NDArray[np.int64]":
        """Row numbers of left words; unknown ones give the empty row."""
        return np.array([self.left.get(w, len(self.left)) for w in words], np.int64)

    def columns(self, words: Sequence[str]) -> "NDArray[np.int64]":
        """Column numbers of right words; unknown ones give the empty column."""
        return np.array([self.right.get(w, len(self.right)) for w in words], np.int64)

    def _raise(self, i: int, j: int, value: float) -> None:
        if value > self.likeness[i, j]:
            self.likeness[i, j] = value

    def _shared(self, keys_of: "Keys", value: float) -> None:
        """Words with a key in common are alike by ``value``."""
        at: dict[str, list[int]] = defaultdict(list)
        for word, j in self.right.items():
            for key in keys_of(word):
                at[key].append(j)
        for word, i in self.left.items():
            for key in keys_of(word):
                for j in at.get(key, ()):
                    self._raise(i, j, value)

    def _abbreviations(self) -> None:
        """One word holds the letters of the other in order and begins alike: ``cnfdnc`` and ``confidence``."""
        by_letter: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for word, j in self.right.items():
            by_letter[word[:1]].append((word, j))
        for word, i in self.left.items():
            for other, j in by_letter.get(word[:1], ()):
                short, long = sorted((word, other), key=len)
                if not 2 <= len(short) < len(long) or not short.isalpha() or not long.isalpha():
                    continue
                if is_subsequence(short, long):
                    # `dt` stands for many words, `cnfdnc` for one: long abbreviations and beginnings count for more
                    whole = skeleton(short) == short or long.startswith(short)
                    self._raise(i, j, ABBREVIATION * min(1.0, 0.5 + len(short) / 10 + 0.2 * whole))

    def _typos(self) -> None:
        from rapidfuzz import fuzz, process

        left, right = list(self.left), list(self.right)
        if not left or not right:
            return
        ratio = process.cdist(left, right, scorer=fuzz.ratio, score_cutoff=80, dtype=np.float32, workers=1) / 100
        short = np.array([len(w) < 5 for w in left])[:, None] | np.array([len(w) < 5 for w in right])[None, :]
        digits = np.array([w.isdigit() for w in left])[:, None] | np.array([w.isdigit() for w in right])[None, :]
        ratio[short | digits] = 0
        self.likeness[:-1, :-1] = ratio * TYPO


if TYPE_CHECKING:
    from collections.abc import Callable

    Keys = Callable[[str], Sequence[str]]
