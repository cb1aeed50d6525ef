"""A process updates the index, and the parent reads from it as any other reader does; see torture.py.

After each kill the index must hold exactly the columns of the last acknowledged update, or of the one after it, and
answer every query rightly, without an error, a note or a wait.
"""

import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torture_kit import Doomed, Tally, until

from dbt_schema_embed.index import Index

DIM = 16
COLUMNS = 60
LONGEST = {False: 0.1, True: 1.5}
"""Seconds a writer lives after its first update, at most; an update takes hundredths, with Chroma about one."""


def texts(state: int) -> list[str]:
    """The texts of the n-th update: each tenth differs from the one before, and one has come and one has gone."""
    return [f"{i} {(state + i) // 10}" for i in range(state, state + COLUMNS)]


def vectors(wanted: Sequence[str]) -> NDArray[np.float32]:
    """A vector of its own for each text."""
    rows = [np.random.default_rng(list(text.encode())).normal(size=DIM) for text in wanted]
    return np.array(rows, np.float32)


def opened(folder: Path, approximate: bool) -> Index:
    """The index under torture."""
    return Index(folder, encoder_id="torture", dim=DIM, approximate=approximate)


def update(index: Index, state: int) -> None:
    """The n-th update. What stands beside the vectors says which it is."""
    index.update(texts(state), vectors, beside={"state": np.array([state])})
    index.copied()


def write(folder: Path, approximate: bool, state: int) -> None:
    """What the killed process does: update, acknowledge, go on."""
    index = opened(folder, approximate)
    while True:
        update(index, state)
        print(state, flush=True)
        state += 1


def state_of(index: Index) -> int | None:
    """Which update the index holds, whole and with every answer right; None: none."""
    with index.read(whole=True) as parts:
        state = int(parts["state"][0])
        found = index.query(vectors(texts(state)), 1)[0][:, 0].tolist()
        return state if found == list(range(COLUMNS)) and parts.shape("digests") == (COLUMNS, 2) else None


class Indexing:
    """Updating the index."""

    def __init__(self, place: Path, rng: random.Random, *, approximate: bool) -> None:
        self.title = f"index, {'Chroma' if approximate else 'exact'}"
        self._folder, self._rng, self._approximate = place / "ours" / "index", rng, approximate
        self._state = 0

    def kill(self, number: int) -> Tally:  # noqa: ARG002
        """See `torture_kit.Work`."""
        tally = Tally(kills=1)
        reader = opened(self._folder, self._approximate)
        writer = Doomed(__file__, str(self._folder), str(int(self._approximate)), str(self._state))

        def read() -> None:
            found = state_of(reader)
            tally.wrong += found is None or found < self._state

        until(self._rng.uniform(0, LONGEST[self._approximate]), read)
        writer.kill()
        tally.wrong += len(reader.notes)
        reader.close()
        index = opened(self._folder, self._approximate)
        found, last = state_of(index), writer.acknowledged[-1]
        tally.wrong += found is None or bool(index.notes)
        tally.losses += found is not None and found not in (last, last + 1)
        index.close()
        tally.acknowledged = len(writer.acknowledged)
        self._state = last + 2
        return tally

    def end(self) -> Tally:
        """One more update sweeps: nothing but the index stays, and its copy."""
        for left in self._folder.glob(".schema-embed-*"):
            os.utime(left, (0, 0))  # an hour later
        index = opened(self._folder, self._approximate)
        update(index, self._state)
        index.close()
        stays = {"columns.index", *(["chroma.copy"] if self._approximate else [])}
        return Tally(wrong=int({path.name for path in self._folder.iterdir()} != stays))


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2] == "1", int(sys.argv[3]))
