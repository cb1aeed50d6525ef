"""From signals to probabilities: small networks over a pair's signals, a conditional logit over a column's candidates.

A network sees every signal of a pair (or that it is silent) and what is known about the column, and gives the pair a
score;
"nothing" has a score too. A softmax over a source column's candidates and "nothing" gives probabilities that sum to 1
(a conditional logit with an outside option; McFadden 1974). That is done twice: the second round also knows what the
first one thought of the whole table, and its networks are several, whose scores are averaged. Last come four numbers
that
were fitted on projects which the networks had not seen: they make the probabilities hold elsewhere.

Networks, not sums of curves, for what a signal is worth depends on the others: an unlike name speaks against a pair
only
where names are legible (benchmarks/RESULTS.md has both).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.block import Matrix
from dbt_schema_embed.match.odds import Odds, softmax

Vector = NDArray[np.float32]
Mode = Literal["project", "tables"]
CHUNK = 200_000
"""Pairs that the networks see at once: bounds memory, and costs nothing."""


@dataclass(frozen=True)
class Round:
    """The networks of one round, side by side. h hidden units each, e networks, s signals, r row values and
    legibility."""

    names: tuple[str, ...]  # the signals, in the order of the weights
    first: Matrix  # (2 s, e h): of the signals' values and silences
    rows: Matrix  # (r + 1, e h)
    first_bias: Vector  # (e h,)
    second: NDArray[np.float32]  # (e, h, h / 2)
    second_bias: Matrix  # (e, h / 2)
    third: Matrix  # (e, h / 2)
    straight: Vector  # (2 s,): what a signal adds by itself, the networks' mean
    bias: float
    nothing: tuple[NDArray[np.float32], Matrix, Matrix, Vector]  # (e, r + 1, q), (e, q), (e, q), (e,)

    def scores(self, values: Mapping[str, Matrix], rows: Matrix) -> tuple[Matrix, Vector]:
        """((n, k) scores of the candidates, (n,) of nothing); ``rows``: (n, r + 1)."""
        n, k = values[self.names[0]].shape
        if not k:
            return np.zeros((n, 0), np.float32), self._nothing(rows)
        about = (rows @ self.rows + self.first_bias).T[:, :, None]  # (e h, n, 1)
        out = np.empty((n, k), np.float32)
        step = max(1, CHUNK // k)
        for start in range(0, n, step):
            some = slice(start, start + step)
            seen, used, always = _inputs([values[name][some] for name in self.names])
            hidden = (self.first[used].T @ seen).reshape(len(about), -1, k)
            hidden += about[:, some] + self.first[always].sum(axis=0)[:, None, None]
            np.maximum(hidden, 0, out=hidden)
            straight = self.straight[used] @ seen + self.straight[always].sum()
            out[some] = (self._deep(hidden.reshape(len(about), -1)) + straight).reshape(-1, k)
        return out, self._nothing(rows)

    def _deep(self, hidden: Matrix) -> Vector:
        """(e h, pairs) -> (pairs,) mean of the networks."""
        count, width = self.second.shape[:2]
        total = np.full(hidden.shape[1], self.bias, np.float32)
        for e in range(count):
            deep = self.second[e].T @ hidden[e * width : (e + 1) * width] + self.second_bias[e][:, None]
            total += (self.third[e] / count) @ np.maximum(deep, 0)
        return total

    def _nothing(self, rows: Matrix) -> Vector:
        first, first_bias, second, bias = self.nothing
        hidden = np.maximum(np.einsum("nr,erq->neq", rows, first) + first_bias, 0)
        return np.asarray((np.einsum("neq,eq->ne", hidden, second) + bias).mean(axis=1), np.float32)


def _inputs(values: Sequence[Matrix]) -> tuple[Matrix, list[int], list[int]]:
    """What a network sees of s signals, 2 s rows of pairs: each value put on -1..1 and 0 where it is silent, then 1
    where it is silent. The rows that are not the same for all pairs, which ones these are, and which are all 1."""
    count, pairs = len(values), values[0].size
    used: list[int] = []
    some, always = [], []
    out = np.empty((2 * count, pairs), np.float32)
    for place, value in enumerate(values):
        row = out[len(used)]
        row[:] = value.ravel()
        silences = np.isnan(row)
        times = int(np.count_nonzero(silences))
        if times == pairs:
            always.append(count + place)
            continue
        used.append(place)
        if times:
            row[silences] = 0.5
            some.append((count + place, silences))
    x = out[: len(used)]
    np.clip(x, 0, 1, out=x)
    x *= 2
    x -= 1
    for at, (_, silences) in enumerate(some, len(used)):
        out[at] = silences
    return out[: len(used) + len(some)], [*used, *(place for place, _ in some)], always


@dataclass(frozen=True)
class Weights:
    """What a mode knows."""

    first: Round
    second: Round
    calibration: (
        Vector  # (9,): log temperature and what illegibility adds to it; the same of the bias of nothing; trust
    )

    @property
    def trust(self) -> Vector:
        """(5,) what being chosen by the assignment, or not, makes of log odds: see `odds.as_chosen`."""
        return self.calibration[4:]

    def odds(self, scores: Matrix, nothing: Vector, legible: Vector, barred: NDArray[np.bool_] | None = None) -> Odds:
        """Probabilities from the second round's scores."""
        unlike = 1 - legible
        cool = np.exp(-(self.calibration[0] + self.calibration[1] * unlike)).astype(np.float32)
        return softmax(
            scores * cool[:, None], (nothing + self.calibration[2] + self.calibration[3] * unlike) * cool, barred
        )


@lru_cache(maxsize=2)
def load_weights(mode: Mode) -> Weights:
    """The weights shipped with the package."""
    with np.load(Path(__file__).with_name("weights.npz"), allow_pickle=False) as file:
        return unpacked({name: file[name] for name in file.files if name.startswith(mode)}, mode)


def unpacked(arrays: Mapping[str, NDArray[np.float32]], mode: Mode) -> Weights:
    """`Weights` from named arrays, as `weights.npz` holds them: ``project/1/first``."""

    def round_of(number: int) -> Round:
        at = f"{mode}/{number}/"
        plain = {n: arrays[at + n].astype(np.float32) for n in _PLAIN}
        nothing = tuple(arrays[f"{at}nothing_{i}"].astype(np.float32) for i in range(4))
        names = tuple(str(n) for n in arrays[at + "names"])
        return Round(names=names, bias=float(arrays[at + "bias"]), nothing=nothing, **plain)  # type: ignore[arg-type]

    return Weights(round_of(1), round_of(2), arrays[f"{mode}/calibration"].astype(np.float32))


_PLAIN = ("first", "rows", "first_bias", "second", "second_bias", "third", "straight")
