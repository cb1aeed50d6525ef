"""vectors.py: the nearest of all, exactly, over any history of updates."""

import contextlib
import errno
import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbt_schema_embed.arrays import Parts
from dbt_schema_embed.errors import ConfigError, IndexMismatchError, WriteError
from dbt_schema_embed.index import Index, largest, vectors
from tests.faults import Faults
from tests.index.conftest import DIM, Memo, Open, brute_force, right, some

ROWS = 300


def test_answers_are_those_of_brute_force(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "_SPACE", 1000)
    texts = some(ROWS)
    index = opened()
    assert index.update(texts, Memo()) == ROWS
    queries = np.concatenate([Memo().of(texts[:20]), np.random.default_rng(1).normal(size=(20, DIM))])
    for k in (1, 7, ROWS, 1000):
        for some_queries in (queries, queries[:2], queries[:0]):
            rows, cosines = index.query(some_queries, k)
            expected = brute_force(texts, some_queries, k)
            assert rows.tolist() == expected[0]
            assert np.allclose(cosines, expected[1], atol=2e-6)
    picked = np.array([5, 299, 5])
    assert np.allclose(index.cosines(queries[30], picked), brute_force(texts, queries, ROWS)[1][30][
        [brute_force(texts, queries, ROWS)[0][30].index(row) for row in picked]], atol=2e-6)  # fmt: skip


def test_equal_vectors_come_in_order_and_zeros_are_near_to_nothing(opened: Open) -> None:
    index = opened()
    index.update(some(40), lambda texts: np.ones((len(texts), DIM)))
    assert index.query(np.ones((1, DIM)), 3)[0].tolist() == [[0, 1, 2]]
    assert index.query(np.zeros((1, DIM)), 3)[1].tolist() == [[0, 0, 0]]
    index.update(["zero"], lambda texts: np.zeros((len(texts), DIM)))
    assert index.query(np.ones((1, DIM)), 3)[1].tolist() == [[0]]
    index.update([], Memo())
    assert index.query(np.ones((1, DIM)), 3)[0].shape == (1, 0)


def test_the_largest_of_equal_values_are_the_first() -> None:
    values = np.array([1, 3, 2, 3, 2, 2])
    assert [sorted(largest(values, k).tolist()) for k in (1, 2, 3, 4, 9)] == [
        [1], [1, 3], [1, 2, 3], [1, 2, 3, 4], [0, 1, 2, 3, 4, 5],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "bad", [np.ones(DIM), np.ones((1, DIM + 1)), np.full((1, DIM), np.nan), np.full((1, DIM), np.inf)]
)
def test_queries_and_vectors_that_are_none(opened: Open, folder: Path, bad: np.ndarray) -> None:
    index = opened()
    index.update(["a"], Memo())
    before = (folder / "columns.index").read_bytes()
    with pytest.raises(ValueError, match="vector"):
        index.query(bad, 1)
    with pytest.raises(ValueError, match="vector"):
        index.update(["a", "b"], lambda _: bad)
    with pytest.raises(ValueError, match="k is 0"):
        index.query(np.ones((1, DIM)), 0)
    with pytest.raises(ZeroDivisionError):
        index.update(["a", "b"], lambda _: 1 / 0)  # type: ignore[arg-type, return-value]
    assert (folder / "columns.index").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["columns.index"]


@pytest.mark.parametrize("bad", [{"dim": 0}, {"dimensions": 0}])
def test_no_dimensions(opened: Open, bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be 1 or more"):
        opened(**bad)


def test_only_new_texts_are_asked_for_and_nothing_new_writes_nothing(opened: Open, folder: Path) -> None:
    index, memo = opened(), Memo()
    index.update(some(50), memo)
    memo.asked.clear()
    wanted, told = ["new", *some(50)[:9:-1]], list[tuple[list[str], list[str]]]()
    ahead = lambda new: told.append((new, [*memo.asked]))  # noqa: E731
    assert index.update(wanted, memo, beside={"words": np.arange(3)}, meta={"said": [1]}, ahead=ahead) == 1
    assert memo.asked == ["new"]
    assert told == [(["new"], [])]
    assert right(index, wanted)
    before = (folder / "columns.index").stat().st_ino
    assert index.update(wanted, memo, beside={"words": np.arange(3)}, meta={"said": [1]}) == 0
    assert (folder / "columns.index").stat().st_ino == before
    for beside, meta in (({"words": np.arange(4)}, {"said": [1]}), ({"words": np.arange(4)}, {"said": [2]})):
        index.update(wanted, memo, beside=beside, meta=meta, ahead=ahead)
        with index.read() as parts:
            assert parts["words"].tolist() == [0, 1, 2, 3]
            assert parts.meta["said"] == meta["said"]
    assert memo.asked == ["new"]
    assert len(told) == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.text(max_size=3), unique=True, max_size=30), max_size=4))
def test_any_history_ends_in_the_last_texts(tmp_path_factory: pytest.TempPathFactory, history: list[list[str]]) -> None:
    index = Index(tmp_path_factory.mktemp("any") / "ours" / "index", encoder_id="e", dim=DIM)
    for texts in (*history, ["the last"]):
        index.update(texts, Memo())
        assert right(index, texts)
    index.close()


def test_vectors_are_asked_for_in_pieces(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbt_schema_embed.arrays._BLOCK", 640)
    monkeypatch.setattr(vectors, "_CHUNK", 50)
    sizes: list[int] = []
    index = opened()
    index.update(some(130), lambda texts: (sizes.append(len(texts)), Memo().of(texts))[1])
    assert sizes == [40, 40, 40, 10]
    assert right(index, some(130))
    assert right(opened(), some(130))


def test_another_encoder_and_no_index(opened: Open) -> None:
    with pytest.raises(IndexMismatchError, match=r"there is no index in .*\n  run: dbt-schema-embed index"):
        opened().query(np.ones((1, DIM)), 1)
    index, other = opened(), opened(encoder_id="f")
    index.update(["a"], Memo())
    with pytest.raises(IndexMismatchError, match=r"made for another encoder\n  run: dbt-schema-embed index"):
        other.query(np.ones((1, DIM)), 1)
    assert other.update(["a"], Memo()) == 1
    assert "made for another encoder: it is built anew" in other.notes[0]
    assert index.update(["a"], Memo()) == 1


def test_a_reader_sees_the_next_state_and_keeps_one_while_it_works(opened: Open) -> None:
    writer, reader = opened(), opened()
    writer.update(some(10), Memo())
    with reader.read() as parts:
        writer.update(some(20), Memo())
        assert len(reader.query(np.ones((1, DIM)), 100)[0][0]) == len(parts["digests"]) == 10
    assert len(reader.query(np.ones((1, DIM)), 100)[0][0]) == 20
    reader.close()
    assert right(reader, some(20))


def test_threads_may_share_an_index(opened: Open) -> None:
    index = opened()
    index.update(some(100), Memo())
    wrong: list[int] = []

    def work(number: int) -> None:
        for turn in range(10):
            if number == 0:
                index.update(some(100 + turn), Memo())
            elif index.query(Memo().of(["text 5"]), 1)[0].tolist() != [[5]]:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("cut", [False, True])
def test_damage_is_seen_before_an_answer_and_mended_from_the_memo(opened: Open, folder: Path, cut: bool) -> None:
    texts, path = some(60), folder / "columns.index"
    opened().update(texts, Memo(), beside={"words": np.arange(500)})
    whole = path.read_bytes()
    for at in range(3, len(whole), len(whole) // 25):
        path.write_bytes(whole[:at] if cut else whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        index = opened()
        with contextlib.suppress(IndexMismatchError):
            assert right(index, texts)  # what is damaged is beside the vectors, or between
        index.update(texts, Memo(), beside={"words": np.arange(500)})
        assert right(index, texts)
        assert path.read_bytes() == whole or not cut
        path.write_bytes(whole)


def test_vectors_that_are_no_numbers(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(vectors, "unit", lambda rows, *_: np.full(rows.shape, np.nan, np.float32))
        opened().update(some(3), Memo())
    with pytest.raises(IndexMismatchError, match="not all numbers"):
        opened().query(np.ones((1, DIM)), 1)
    with pytest.raises(IndexMismatchError, match="not all numbers"):
        opened().cosines(np.ones(DIM), np.array([0]))


def test_verify_asks_for_every_text_and_mends_what_differs(opened: Open) -> None:
    texts, memo = some(40), Memo()
    index = opened()
    index.update(texts, lambda some_texts: -Memo().of(some_texts))
    assert index.update(texts, memo, verify=True) == 40
    assert index.notes == ["the index held 40 vectors that are not the memo's: it is built anew"]
    assert right(index, texts)
    memo.asked.clear()
    assert index.update(texts, memo, verify=True) == 0
    assert sorted(memo.asked) == sorted(texts)


def test_fewer_dimensions(opened: Open) -> None:
    texts, memo = some(ROWS), Memo()
    index = opened(dimensions=12)
    index.update(texts, memo)
    with index.read() as parts:
        assert parts.shape("vectors") == (ROWS, 12)
    queries = memo.of(texts)
    pairs = zip(index.query(queries, 10)[0].tolist(), brute_force(texts, queries, 10)[0], strict=True)
    assert np.mean([len(set(a) & set(b)) for a, b in pairs]) > 7
    index.update([*texts, "new"], memo)
    assert index.query(memo.of(["new"]), 1)[0].tolist() == [[ROWS]]
    assert index.update([*texts, "new"], memo, verify=True) == 0
    assert index.notes == []
    with pytest.raises(ConfigError, match="dimensions is 12: the project has 3 distinct texts of 16 dimensions"):
        opened(folder=Path(index._path.parent.parent / "other"), dimensions=12).update(some(3), memo)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("first", [0, 20])
def test_the_kth_call_fails_for_every_k(tmp_path: Path, error: int, first: int) -> None:
    """Each call of the operating system fails once: the old state or the new one stands, and says so."""
    old, new = some(first), [*some(20)[3:], "new"]
    for k in range(1, 500):
        where = tmp_path / str(k) / "index"
        index = Index(where, encoder_id="e", dim=DIM)
        if first:
            index.update(old, Memo())
        with pytest.MonkeyPatch.context() as patch:
            faults = Faults(patch, k, error)
            with contextlib.suppress(WriteError):
                index.update(new, Memo())
        index.close()
        reader = Index(where, encoder_id="e", dim=DIM)
        if first or Path(where / "columns.index").exists():
            count = len(reader.query(np.ones((1, DIM)), 100)[0][0])
            assert right(reader, new if count == len(new) else old)
        reader.update(new, Memo())
        assert right(reader, new)
        assert reader.notes == []
        reader.close()
        if faults.calls < k:
            return
    pytest.fail("no run without a fault")


def test_a_full_and_a_read_only_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if os.getuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no small file system can be mounted here")
    try:
        index = Index(disk / "index", encoder_id="e", dim=DIM)
        index.update(some(100), Memo())
        with pytest.raises(WriteError, match="No space left on device"):
            index.update(some(20_000), Memo())
        assert right(index, some(100))
        assert [path.name for path in (disk / "index").iterdir()] == ["columns.index"]
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        reader = Index(disk / "index", encoder_id="e", dim=DIM)
        assert right(reader, some(100))
        with pytest.raises(WriteError, match="Read-only file system"):
            reader.update(some(3), Memo())
        reader.close()
        index.close()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def write_many(where: str, word: str) -> None:
    """What one of several processes does."""
    index = Index(Path(where), encoder_id="e", dim=DIM)
    for n in range(8):
        index.update([f"{word}{i}" for i in range(10 + n)], Memo(), meta={"word": word})
    index.close()


def test_several_writers_leave_a_whole_state_of_one(tmp_path: Path) -> None:
    where = tmp_path / "ours" / "index"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=write_many, args=(str(where), word)) for word in "abc"]
    for worker in workers:
        worker.start()
    reader, seen = Index(where, encoder_id="e", dim=DIM), 0
    while any(worker.is_alive() for worker in workers) or not seen:
        try:
            with reader.read(whole=True) as parts:
                word, count = parts.meta["word"], len(parts["digests"])
                assert right(reader, [f"{word}{i}" for i in range(count)])
        except IndexMismatchError:
            assert not seen  # before the first state, never after
            continue
        seen += 1
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    with reader.read() as parts:
        assert len(parts["digests"]) == 17
    reader.close()
    assert [path.name for path in where.iterdir()] == ["columns.index"]


@pytest.mark.parametrize("name", ["generations", "chroma", "columns.index", "chroma.copy", "lock"])
def test_no_link_in_the_folder_leads_to_what_is_deleted_or_written(
    opened: Open, folder: Path, tmp_path: Path, name: str
) -> None:
    """A repository may hold a target folder with links in it."""
    theirs = tmp_path / "theirs"
    (theirs / "0123456789abcdef").mkdir(parents=True)
    (theirs / "0123456789abcdef" / "precious").write_text("x")
    (theirs / "manifest.json").write_text("{}")
    folder.mkdir(parents=True)
    (folder / name).symlink_to(theirs)
    index = opened()
    index.update(some(20), Memo())
    index.update(some(10), Memo(), verify=True)
    assert right(index, some(10))
    assert sorted(path.name for path in theirs.rglob("*")) == ["0123456789abcdef", "manifest.json", "precious"]
    assert (theirs / "0123456789abcdef" / "precious").read_text() == "x"


def test_a_folder_that_is_a_link(opened: Open, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    folder.parent.mkdir()
    folder.symlink_to(tmp_path / "theirs")
    with pytest.raises(WriteError, match="is a link: nothing is written there"):
        opened().update(some(3), Memo())
    assert list((tmp_path / "theirs").iterdir()) == []


def test_what_a_killed_writer_left_is_swept(opened: Open, folder: Path) -> None:
    opened().update(some(3), Memo())
    left = folder / ".schema-embed-0123456789abcdef.tmp"
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    opened().update(some(4), Memo())
    assert not left.exists()


def test_two_digests_with_equal_halves(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    real = vectors._digests
    monkeypatch.setattr(vectors, "_digests", lambda texts: real(texts) * np.array([0, 1], np.uint64))
    index = opened()
    index.update(some(5), Memo())
    index.update(some(6), Memo())
    assert right(index, some(6))


def test_exact_search_imports_numpy_and_little_else(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
import numpy
before = set(sys.modules)
from dbt_schema_embed.index import Index
index = Index(Path({str(tmp_path)!r}) / "a" / "index", encoder_id="e", dim=2)
index.update(["a", "b"], lambda texts: numpy.ones((len(texts), 2)))
index.query(numpy.ones((1, 2)), 1)
print(*{{"torch", "chromadb", "httpx", "scipy", "filelock"}} & (set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_file_says_what_it_holds(opened: Open, folder: Path) -> None:
    opened().update(some(3), Memo())
    parts = Parts(folder / "columns.index")
    assert parts.names() == ["vectors", "digests"]
    assert parts.meta["identity"] == {"encoder_id": "e", "dim": DIM, "dimensions": None}
    parts.close()
