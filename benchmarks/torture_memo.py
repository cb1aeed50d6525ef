"""Two processes write to one memo, groups of entries at a time, and both are killed; see torture.py."""

import random
import sys
from pathlib import Path

from torture_kit import Doomed, Tally, until

from dbt_schema_embed.embed.disk_store import DiskStore

GROUP = 300
LONGEST = 0.3
ROUNDS = 20
"""Kills after which the memo is emptied, to keep it small."""


def group(writer: str, number: int) -> dict[str, bytes]:
    """The entries of one write."""
    return {f"{writer} {number} {n}": f"{writer} {number} {n} ".encode() * 60 for n in range(GROUP)}


def write(folder: Path, writer: str) -> None:
    """What the killed process does: store, acknowledge, go on."""
    store = DiskStore(folder)
    number = 0
    while True:
        store.write(group(writer, number))
        print(number, flush=True)
        number += 1


class Remembering:
    """Writing the memo."""

    title = "memo writes, two processes at once"

    def __init__(self, place: Path, rng: random.Random) -> None:
        self._folder, self._rng = place / "memo", rng

    def kill(self, number: int) -> Tally:
        """See `torture_kit.Work`."""
        writers = {name: Doomed(__file__, str(self._folder), name) for name in (f"{number}a", f"{number}b")}
        until(self._rng.uniform(0, LONGEST))
        for writer in writers.values():
            writer.kill()
        notes: list[str] = []
        store = DiskStore(self._folder, notes=notes)
        tally = Tally(kills=1)
        for name, writer in writers.items():
            tally.acknowledged += len(writer.acknowledged)
            for each in [*writer.acknowledged, writer.acknowledged[-1] + 1]:
                expected = group(name, each)
                found = store.read(list(expected))
                tally.wrong += sum(value != expected[key] for key, value in found.items())
                tally.losses += GROUP - len(found) if each in writer.acknowledged else 0
        store.write({"after": b"the kill"})
        tally.wrong += len(notes)
        if number % ROUNDS == ROUNDS - 1:
            store.clear()
        return tally

    def end(self) -> Tally:
        """Nothing but the store's own files stays, and nothing was put aside."""
        return Tally(wrong=sum(not path.name.startswith("cache.db") for path in self._folder.iterdir()))


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2])
