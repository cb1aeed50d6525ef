"""Kill -9 processes that write the memo, again and again, and look for what was lost.

    python benchmarks/torture_memo.py --kills 200

Two writers share a memo; each says which group of entries it has stored. One of them is killed. Every group that was
acknowledged must then be there, whole and right, for another process, without a note about damage, and at once; a
group that was not may be there in part, but what is there must be right. Prints a line of JSON.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dbt_schema_embed.embed.disk_store import DiskStore
from dbt_schema_embed.errors import MemoError

GROUP = 300
LONGEST = 0.3


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


def one_kill(folder: Path, number: int, seconds: float) -> tuple[int, int, int]:
    """Groups that two writers acknowledged before their deaths, entries lost, entries or notes that are wrong."""
    command = [sys.executable, __file__, "--write", str(folder)]
    names = [f"{number}{side}" for side in "ab"]
    processes = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in names]
    for process in processes:
        assert process.stdout
        process.stdout.readline()  # the first group is stored
    time.sleep(seconds)
    acknowledged = {}
    for name, process in zip(names, processes, strict=True):
        process.kill()
        assert process.stdout
        acknowledged[name] = [0, *(int(line) for line in process.stdout.read().split())]
        process.stdout.close()
        process.wait()
    notes: list[str] = []
    store = DiskStore(folder, notes=notes)
    lost = wrong = 0
    for name, numbers in acknowledged.items():
        for each in [*numbers, numbers[-1] + 1]:
            expected = group(name, each)
            found = store.read(list(expected))
            wrong += sum(value != expected[key] for key, value in found.items())
            lost += (GROUP - len(found)) if each in numbers else 0
    store.write({"after": b"the kill"})
    return sum(map(len, acknowledged.values())), lost, wrong + len(notes)


def torture(kills: int, rng: random.Random) -> dict[str, object]:
    """Kill ``kills`` times and say what happened."""
    groups = losses = wrong = crashes = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "memo"
        for number in range(kills):
            try:
                result = one_kill(folder, number, rng.uniform(0, LONGEST))
            except MemoError as problem:
                print(f"crash: {problem!r}", file=sys.stderr)
                crashes += 1
            else:
                groups, losses, wrong = groups + result[0], losses + result[1], wrong + result[2]
            if number % 20 == 19:
                DiskStore(folder).clear()
    return {
        "test": "kill -9 on memo writes", "tries": kills, "writes": groups, "losses": losses, "wrong answers": wrong,
        "crashes": crashes,
    }  # fmt: skip


def main() -> int:
    """Run what the command line asks for; 1 when anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write(Path(options.write[0]), options.write[1])
    result = torture(options.kills, random.Random(options.seed))
    print(json.dumps(result))
    return int(any(result[name] for name in ("losses", "wrong answers", "crashes")))


if __name__ == "__main__":
    sys.exit(main())
