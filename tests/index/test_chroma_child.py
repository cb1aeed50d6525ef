"""chroma_worker.py: a child that hangs, dies or answers nonsense harms nobody."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.index import chroma
from dbt_schema_embed.index.approximate import BackendError
from tests.index.conftest import DIM, Memo, columns
from tests.index.test_chroma import ROWS, Open, built, folder, right, served
from tests.index.test_generations import current

__all__ = ["built", "folder"]


def fake(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Let another program be the child."""
    monkeypatch.setattr(chroma, "_command", lambda *_: [sys.executable, "-c", program])


def test_a_child_that_hangs_while_starting(opened: Open, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chroma, "START_SECONDS", 0.5)
    fake(monkeypatch, "import time; time.sleep(600)")
    started = time.monotonic()
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    assert right(index, memo)
    assert time.monotonic() - started < 10
    assert "it gave no answer in 0 s" in index.notes[0]


READY = """
import struct, sys, time
sys.stdin.buffer.readline()
sys.stdout.buffer.write(b'{"error": ""}\\n')
sys.stdout.buffer.flush()
def answer(row, distance):
    while header := sys.stdin.buffer.read(16):
        count, n = struct.unpack("<qq", header)
        sys.stdin.buffer.read(count * WIDTH * 4)
        sys.stdout.buffer.write(struct.pack("<q", row) * (count * n) + struct.pack("<f", distance) * (count * n))
        sys.stdout.buffer.flush()
""".replace("WIDTH", str(DIM))


@pytest.mark.parametrize(
    ("program", "note"),
    [
        ("", "its process ended with status 0"),
        ("raise SystemExit(3)", "its process ended with status 3"),
        ("print('not JSON')", "its process ended with status"),
        ("print('[]')", "its process ended with status"),
        ("import os; os.kill(os.getpid(), 11)", "status -11"),
        (READY + "sys.stdin.buffer.read(16); raise SystemExit(4)", "exit status 4"),
        (READY + "time.sleep(600)", "it gave no answer in 1 s"),
        (READY + "answer(10**12, 0.0)", "rows that are not there"),
        (READY + "answer(-5, 0.0)", "rows that are not there"),
        (READY + "answer(3, 0.0)", "distances are not those"),
        (READY + "answer(3, float('nan'))", "distances are not those"),
        (READY + "answer(-1, float('inf'))", ""),  # it finds nothing: exact search answers what is missing
    ],
)
def test_a_child_that_fails(
    opened: Open, folder: Path, monkeypatch: pytest.MonkeyPatch, program: str, note: str
) -> None:
    monkeypatch.setattr(chroma, "QUERY_SECONDS", 1.0)
    fake(monkeypatch, program)
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    assert right(index, memo)
    assert [note in n for n in index.notes] == [True] * bool(note)


def test_a_child_killed_between_two_queries(opened: Open, folder: Path) -> None:
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    assert right(index, memo)
    index._search._worker._process.kill()
    assert right(index, memo)
    assert len(index.notes) == 1


def test_a_child_ends_with_its_parent(folder: Path) -> None:
    """No process and no copy of the store stays when the caller is killed."""
    program = f"""
from pathlib import Path
import numpy as np
from dbt_schema_embed.index import open_index
index = open_index(Path({str(folder)!r}), encoder_id="e", dim={DIM}, text_version=1, approximate=True)
index.query(np.ones((1, {DIM})), 1)
print(index._search._worker._process.pid, flush=True)
input()
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        parent.kill()
    for _ in range(200):
        if not list((current(folder) / "readers").iterdir()):
            break
        time.sleep(0.05)
    assert list((current(folder) / "readers").iterdir()) == []


def test_a_build_that_fails_is_not_tried_again_on_the_same_columns(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memo = Memo(columns(50))
    index = opened(approximate=True)
    with monkeypatch.context() as patch:
        fake(patch, "import os; os.kill(os.getpid(), 11)")
        index.update(memo.items, memo)
        assert index.notes == [
            "Chroma could not index the columns (its process ended with status -11): exact search serves"
        ]
        index.update(memo.items, memo)
        assert right(index, memo)
        assert len(index.notes) == 1
    memo.items["new"] = "new"
    index.update(memo.items, memo)
    assert right(index, memo)
    assert served(index)


def test_a_store_that_cannot_be_added_to_is_built_afresh(
    opened: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memo = Memo(columns(ROWS))
    memo.items["new"] = "new"
    index = opened(approximate=True)
    copy = chroma._copy

    def fail(*arguments: Any) -> int:
        copy(*arguments)
        raise BackendError("no")

    monkeypatch.setattr(chroma, "_copy", fail)
    index.update(memo.items, memo)
    assert right(index, memo)
    assert served(index)
    assert index.notes == ["the Chroma store of the index failed (no): it is built anew"]


def test_a_build_that_hangs(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chroma, "START_SECONDS", 0.5)
    fake(monkeypatch, "import time; time.sleep(600)")
    memo = Memo(columns(5))
    index = opened(approximate=True)
    index.update(memo.items, memo)
    assert "it took more than" in index.notes[0]
    assert right(index, memo)
