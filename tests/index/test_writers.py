"""generations.py: writers take turns, and readers keep what they hold."""

import multiprocessing
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dbt_schema_embed.errors import IndexMismatchError, WriteError
from dbt_schema_embed.index import Changes, Index, generations, open_index
from dbt_schema_embed.index.generations import Generations
from tests.index.conftest import DIM, Memo, columns
from tests.index.test_generations import current

Open = Callable[..., Index]


def test_one_writer_waits_for_the_other_and_then_says_so(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "LOCK_SECONDS", 0.3)
    memo = Memo(columns(5))
    with (
        Generations(tmp_path / "index").writing(),
        pytest.raises(WriteError, match=r"another process: waited .*\n  run this again"),
    ):
        opened().update(memo.items, memo)
    assert opened().update(memo.items, memo) == Changes(added=5)


def write_many(folder: str, word: str) -> None:
    """What one of several processes does."""
    index = open_index(Path(folder), encoder_id="e", dim=DIM, text_version=1)
    for n in range(8):
        memo = Memo({f"{word}{i}": f"{word}{i}" for i in range(10 + n)})
        index.update(memo.items, memo)
    index.close()


def test_several_writers_take_turns(tmp_path: Path) -> None:
    """The last one's items stand, whole, and a reader in between sees the items of one or the other."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=write_many, args=(str(tmp_path / "index"), w)) for w in "abc"]
    for worker in workers:
        worker.start()
    reader = open_index(tmp_path / "index", encoder_id="e", dim=DIM, text_version=1)
    seen = 0
    while any(w.is_alive() for w in workers):
        try:
            (ids,) = reader.query(np.ones((1, DIM)), 100)[0]
        except IndexMismatchError:
            ids = []
        if not ids:  # before the first generation, never after
            assert not seen
            continue
        seen += 1
        assert sorted(ids) == sorted(f"{ids[0][0]}{i}" for i in range(len(ids)))
        assert 10 <= len(ids) < 18
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert seen
    assert len(reader.query(np.ones((1, DIM)), 100)[0][0]) == 17
    reader.close()


@pytest.fixture
def held(opened: Open) -> tuple[Memo, Index]:
    """A reader that holds the first generation open."""
    memo = Memo(columns(20))
    writer = opened()
    writer.update(memo.items, memo)
    writer.close()
    reader = opened()
    reader.query(np.ones((1, DIM)), 1)
    return memo, reader


@pytest.mark.skipif(sys.platform == "win32", reason="files in use cannot be removed there anyway")
def test_an_old_generation_stays_while_a_reader_holds_it(
    opened: Open, held: tuple[Memo, Index], tmp_path: Path
) -> None:
    memo, reader = held
    first = current(tmp_path / "index")
    writer = opened()
    memo.items["new"] = "new"
    writer.update(memo.items, memo)
    assert first.is_dir()
    reader.query(np.ones((1, DIM)), 1)  # moves on to the next generation
    writer.update(memo.items, memo)
    assert not first.exists()


def test_what_a_killed_writer_left_is_swept(opened: Open, tmp_path: Path) -> None:
    memo = Memo(columns(20))
    index = opened()
    index.update(memo.items, memo)
    for name in ("0" * 16, "1" * 16):
        (tmp_path / "index/generations" / name).mkdir()
    (tmp_path / "index/generations" / ("1" * 16) / "vectors.f16").write_bytes(b"half")
    index.update(memo.items, memo)
    assert list((tmp_path / "index/generations").iterdir()) == [current(tmp_path / "index")]


def test_a_generation_swept_between_two_steps_of_a_reader(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader has read the old pointer when the writer switches and sweeps."""
    memo = Memo(columns(20))
    writer, reader = opened(), opened()
    writer.update(memo.items, memo)
    old = Generations(tmp_path / "index").pointer()
    memo.items["new"] = "new"
    writer.update(memo.items, memo)
    pointer = Generations.pointer
    stale = [old, old]
    monkeypatch.setattr(Generations, "pointer", lambda self: stale.pop() if stale else pointer(self))
    assert reader.query(memo.of(["new"]), 1)[0] == [["new"]]
    assert stale == []
