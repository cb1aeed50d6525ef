"""update(verify=True): everything is asked for again, and what differs is mended."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dbt_schema_embed.index import Changes, Index, Shared, chroma
from tests.index.conftest import DIM, Memo, columns
from tests.index.test_bad_server import Fake, fake
from tests.index.test_chroma import ROWS, built, folder, right, served
from tests.index.test_generations import current, planted

__all__ = ["built", "fake", "folder"]
Open = Callable[..., Index]


@pytest.mark.parametrize("dimensions", [None, 8])
def test_a_sound_index_is_left_alone(opened: Open, tmp_path: Path, dimensions: int | None) -> None:
    memo = Memo(columns(60))
    index = opened(dimensions=dimensions)
    index.update(memo.items, memo)
    before = current(tmp_path / "index")
    memo.asked.clear()
    assert index.update(memo.items, memo, verify=True).kept == 60
    assert sorted(memo.asked) == sorted(memo.items)
    assert current(tmp_path / "index") == before
    assert index.notes == []


def test_vectors_that_are_not_those_of_their_texts(opened: Open, tmp_path: Path) -> None:
    """Whole files, right checksums, wrong contents: two vectors have changed places."""
    memo = Memo(columns(60))
    index = opened()
    index.update(memo.items, memo)
    index.close()
    matrix = np.fromfile(current(tmp_path / "index") / "vectors.f16", "<f2").reshape(60, DIM)
    matrix[[3, 4]] = matrix[[4, 3]]
    planted(tmp_path / "index", "vectors.f16", matrix.tobytes())
    assert index.update(memo.items, memo) == Changes(kept=60)
    assert index.query(memo.of(list(memo.items)), 1)[0] != [[i] for i in memo.items]
    assert index.update(memo.items, memo, verify=True) == Changes(added=60)
    assert index.notes == ["the index held 2 vectors that are not the memo's: it is built anew"]
    assert index.query(memo.of(list(memo.items)), 1)[0] == [[i] for i in memo.items]


def test_chroma_is_asked_for_every_row(opened: Open, folder: Path) -> None:
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    assert index.update(memo.items, memo, verify=True) == Changes(kept=ROWS)
    assert index.notes == []
    chroma.verify(index._current())
    # the same store, over rows in another order: what Chroma gives back is not what was asked for
    matrix = np.fromfile(current(folder) / "vectors.f16", "<f2").reshape(-1, DIM)
    planted(folder, "vectors.f16", np.roll(matrix, 1, axis=0).tobytes())
    with pytest.raises(chroma.BackendError, match=f"{ROWS} of {ROWS} vectors were not found again"):
        chroma.verify(index._current())
    assert index.update(memo.items, memo, verify=True) == Changes(added=ROWS)
    assert right(index, memo)
    assert served(index)


def test_the_server_is_asked_for_every_vector(opened: Open, fake: Fake) -> None:
    """One of many is gone: a sample of a larger index would rarely show it."""
    memo = Memo(columns(60))
    index = opened(shared=Shared(fake.url))
    index.update(memo.items, memo)
    del fake.rows[list(fake.rows)[7]]
    fake.seen.clear()
    index.update(memo.items, memo, verify=True)
    assert [what for what, _ in fake.seen].count("add") == 1
    assert len(fake.rows) == 60
    assert index.notes == []


def test_changes_and_verification_in_one(opened: Open, folder: Path) -> None:
    memo = Memo(columns(ROWS))
    memo.items["new"] = "new"
    index = opened(approximate=True)
    assert index.update(memo.items, memo, verify=True) == Changes(added=1, kept=ROWS)
    assert sorted(memo.asked) == sorted(memo.items)
    assert right(index, memo)
    assert (index.notes, served(index)) == ([], True)
