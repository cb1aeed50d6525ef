"""Run by test_faults.py under faults.c: the k-th call fails, for every k, while a memo is written.

Prints a line of JSON: tries, writes refused, entries lost, wrong entries, notes about damage.
"""

import ctypes
import json
import shutil
import sys
from pathlib import Path

from dbt_schema_embed.embed.disk_store import DiskStore
from dbt_schema_embed.errors import MemoError

OLD = {f"old {n}": bytes([n]) * 1552 for n in range(40)}
NEW = {f"new {n}": bytes([n]) * 1552 for n in range(60)}


def main(place: Path, error: int, fresh: bool) -> dict[str, int]:
    """``fresh``: the memo is made by the write that fails."""
    library = ctypes.CDLL(None)
    start = place / "start"
    old = {} if fresh else OLD
    if old:
        DiskStore(start).write(old)
    tally = {"tries": 0, "refused": 0, "lost": 0, "wrong": 0, "notes": 0}
    for k in range(1, 2000):
        folder = place / str(k)
        if old:
            shutil.copytree(start, folder)
        notes: list[str] = []
        store = DiskStore(folder, notes=notes)
        acknowledged = old | NEW
        library.fault_arm(ctypes.c_long(k), error)
        try:
            store.write(NEW)
        except MemoError:
            acknowledged = old
        calls = library.fault_calls()
        library.fault_arm(ctypes.c_long(0), 0)
        store = DiskStore(folder, notes=notes)
        found = store.read(list(OLD | NEW))
        tally["tries"] += 1
        tally["refused"] += acknowledged == old
        tally["wrong"] += sum(value != (OLD | NEW)[key] for key, value in found.items())
        tally["lost"] += len(set(acknowledged) - set(found))
        store.write(NEW)
        tally["lost"] += store.read(list(NEW)) != NEW
        tally["notes"] += len(notes)
        shutil.rmtree(folder)
        if calls < k:
            return tally
    raise SystemExit("no run without a fault")


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "fresh")))
