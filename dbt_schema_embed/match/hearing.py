"""What tables that want the same models say about each other, between the two rounds."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.names import squash
from dbt_schema_embed.match.odds import Odds, claims

_FAINT = 0.02
"""Probabilities that are no voice."""


@dataclass(frozen=True)
class Voice:
    """What the first round found of one table.

    Silent: it arrives in a model already. It competes with nobody, for it has its model, and it is not heard, for it is
    not ranked where only some tables are asked about.
    """

    models: tuple[str, ...]
    claims: NDArray[np.float32]  # (models,) columns that each would take
    names: tuple[str, ...]  # of the columns, without a beginning that the table shares
    said: dict[str, dict[str, float]]  # name -> name of a target -> probability
    silent: bool

    @cached_property
    def claim_of(self) -> dict[str, float]:
        """Model -> columns that it would take."""
        return dict(zip(self.models, self.claims.tolist(), strict=True))


def voice(block: Block, odds: Odds, silent: bool) -> Voice:
    """The voice of a table after the first round."""
    names = tuple("".join(core) for core in block.cores)
    said: dict[str, dict[str, float]] = {}
    for i, name in enumerate(() if silent else names):
        own = said.setdefault(name, {})
        for j in np.flatnonzero(odds.candidates[i] > _FAINT).tolist():
            target = squash(block.targets[j].name)
            own[target] = own.get(target, 0.0) + float(odds.candidates[i, j])
    return Voice(tuple(m.relation.id for m in block.models), claims(block, odds), names, said, silent)


class Heard:
    """What some tables say together; ``by``: who asks, where nobody else does."""

    def __init__(self, voices: Iterable[Voice], by: Voice | None = None) -> None:
        models, names = (set(by.models), set(by.names)) if by else (None, None)
        self._claimed: dict[str, float] = defaultdict(float)
        self._times: Counter[str] = Counter()
        self._said: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for one in voices:
            if one.silent:
                continue
            for model in one.claim_of if models is None else one.claim_of.keys() & models:
                self._claimed[model] += one.claim_of[model]
            for name in one.said if names is None else one.said.keys() & names:
                self._times[name] += 1
                together = self._said[name]
                for target, odd in one.said[name].items():
                    together[target] += odd

    def claimed(self, own: Voice) -> NDArray[np.float32]:
        """(models,) the columns that all and a table itself, which is one of them unless it is silent, would put into
        each of the table's models."""
        everyone = np.array([self._claimed.get(model, 0.0) for model in own.models], np.float32)
        return everyone + own.claims if own.silent else everyone

    def echo(self, block: Block, odds: Odds, own: Voice) -> Matrix:
        """(n, k) the mean probability that columns of that name in the other tables were given for targets of that
        name; NaN where no other table has the name."""
        out = np.full(block.shape, np.nan, np.float32)
        others = [self._times[name] - (not own.silent) for name in own.names]
        if not any(count > 0 for count in others):
            return out
        places: dict[str, list[int]] = {}
        for j, target in enumerate(block.targets):
            places.setdefault(squash(target.name), []).append(j)
        for i, (name, count) in enumerate(zip(own.names, others, strict=True)):
            if count > 0:
                mine = odds.candidates[i] * (not own.silent)
                sums = np.zeros(len(mine), np.float32)
                for wanted in self._said[name].keys() & places.keys():
                    sums[places[wanted]] = self._said[name][wanted]
                out[i] = np.clip((sums - np.where(mine > _FAINT, mine, 0)) / count, 0, 1)
        return out
