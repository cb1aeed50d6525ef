"""Kill -9 a process that updates the index, again and again, and look for what was lost.

    python benchmarks/torture_index.py --kills 200 --chroma-kills 20

The oracle is what the killed process had acknowledged: after each kill the index must hold exactly the columns of the
last acknowledged update, or of the one after it, and answer every query rightly, without an error, a note or a wait.
While the process lives, the parent reads from the index as any other reader does. Prints a line of JSON for each kind.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.errors import IndexMismatchError
from dbt_schema_embed.index import Index, open_index

DIM = 16
COLUMNS = 60


def items(state: int) -> dict[str, str]:
    """The columns of the n-th update: each tenth differs from the one before, and one has come and one has gone."""
    return {f"c{i}": f"{i} {(state + i) // 10}" for i in range(state, state + COLUMNS)}


def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """A vector of its own for each text."""
    rows = [np.random.default_rng(list(text.encode())).normal(size=DIM) for text in texts]
    return np.array(rows, np.float32)


def opened(folder: Path, approximate: bool) -> Index:
    """The index under torture."""
    return open_index(folder, encoder_id="torture", dim=DIM, text_version=1, approximate=approximate)


def write(folder: Path, approximate: bool, state: int) -> None:
    """What the killed process does: update, acknowledge, go on."""
    index = opened(folder, approximate)
    while True:
        now = items(state)
        index.update(now, lambda ids, now=now: vectors([now[i] for i in ids]))  # type: ignore[misc]
        print(state, flush=True)
        state += 1


def state_of(index: Index) -> int | None:
    """Which update the index holds, whole and with every answer right; None: none."""
    while True:
        before = columns_of(index)
        state = min(int(i[1:]) for i in before)
        now = items(state)
        found = index.query(vectors(list(now.values())), 1)[0]
        if columns_of(index) == before:  # else the writer was faster than these three queries
            return state if before == sorted(now) and found == [[i] for i in now] else None


def columns_of(index: Index) -> list[str]:
    """Every column in the index."""
    return sorted(index.query(np.ones((1, DIM)), 10 * COLUMNS)[0][0])


class Life:
    """One writer's life and death."""

    def __init__(self, folder: Path, approximate: bool, state: int, seconds: float) -> None:
        command = [sys.executable, __file__, "--write", str(folder), str(int(approximate)), str(state)]
        self.acknowledged: list[int] = []
        self.read = self.wrong = 0
        reader = opened(folder, approximate)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            self.acknowledged.append(int(process.stdout.readline()))
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                self.read += 1
                self.wrong += (state_of(reader) or 0) < state
            process.kill()
            self.acknowledged += [int(line) for line in process.stdout.read().split()]
        self.wrong += len(reader.notes)
        reader.close()


def torture(kills: int, approximate: bool, longest: float, rng: random.Random) -> dict[str, object]:
    """Kill ``kills`` times and say what happened."""
    state = reads = updates = losses = wrong = crashes = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "index"
        for _ in range(kills):
            try:
                life = Life(folder, approximate, state, rng.uniform(0, longest))
                reads, wrong, updates = reads + life.read, wrong + life.wrong, updates + len(life.acknowledged)
                index = opened(folder, approximate)
                found = state_of(index)
                wrong += found is None or bool(index.notes)
                losses += found is not None and found not in (life.acknowledged[-1], life.acknowledged[-1] + 1)
                index.close()
                state = life.acknowledged[-1] + 2
            except (IndexMismatchError, OSError, ValueError) as problem:
                print(f"crash: {problem!r}", file=sys.stderr)
                crashes += 1
        left = generations_left(folder, approximate, state) if kills else 0
    return {
        "test": "kill -9 on index" + (", Chroma" if approximate else ", exact"), "tries": kills, "updates": updates,
        "reads": reads, "losses": losses, "wrong answers": wrong, "crashes": crashes, "generations left": left,
    }  # fmt: skip


def generations_left(folder: Path, approximate: bool, state: int) -> int:
    """What stands there after one more update, which sweeps: one generation, the last."""
    index = opened(folder, approximate)
    now = items(state)
    index.update(now, lambda ids: vectors([now[i] for i in ids]))
    index.close()
    return len(list((folder / "generations").iterdir()))


def main() -> int:
    """Run what the command line asks for; 1 when anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="kills with exact search")
    parser.add_argument("--chroma-kills", type=int, default=20, help="kills while Chroma indexes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        folder, approximate, state = options.write
        write(Path(folder), approximate == "1", int(state))
    rng = random.Random(options.seed)
    results = [torture(options.kills, False, 0.1, rng), torture(options.chroma_kills, True, 4.0, rng)]
    bad = 0
    for result in results:
        if result["tries"]:
            print(json.dumps(result))
            bad += sum(int(str(result[name])) for name in ("losses", "wrong answers", "crashes"))
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
