"""index.py: what other rooms call."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbt_schema_embed.errors import IndexMismatchError
from dbt_schema_embed.index import Changes, Index, open_index, store, update
from tests.index.conftest import DIM, Memo, brute_force, columns

Open = Callable[..., Index]


def test_answers_are_those_of_brute_force(opened: Open) -> None:
    memo = Memo(columns(300))
    index = opened()
    assert index.update(memo.items, memo) == Changes(added=300)
    queries = np.concatenate([memo.of(list(memo.items)[:40]), np.random.default_rng(1).normal(size=(20, DIM))])
    ids, similarities = index.query(queries, 10)
    expected, cosines = brute_force(memo, queries, 10)
    assert ids == expected
    assert similarities == pytest.approx(cosines, abs=2e-6)
    assert similarities.dtype == np.float32
    assert index.notes == []


def test_a_matrix_too_large_for_memory_gives_the_same(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    memo = Memo(columns(1000))
    index = opened()
    index.update(memo.items, memo)
    queries = memo.of(list(memo.items)[::50])
    expected = index.query(queries, 7)
    monkeypatch.setattr(store, "CACHED_BYTES", 0)
    monkeypatch.setattr(store, "BLOCK_ROWS", 256)
    ids, similarities = opened().query(queries, 7)
    assert ids == expected[0]
    assert similarities.tolist() == expected[1].tolist()


def test_equal_vectors_come_in_the_order_of_their_ids(opened: Open) -> None:
    memo = Memo({f"c{n}": "id" for n in range(30)} | {"a": "other"})
    index = opened()
    index.update(memo.items, memo)
    assert len(memo.asked) == 2  # each text once
    ids, similarities = index.query(memo.of(["c7"]), 12)
    assert ids == [sorted(f"c{n}" for n in range(30))[:12]]
    assert similarities == pytest.approx(1, abs=1e-3)


def test_fewer_items_than_asked_for(opened: Open) -> None:
    memo = Memo(columns(3))
    index = opened()
    index.update(memo.items, memo)
    ids, similarities = index.query(memo.of(list(memo.items)), 10)
    assert [len(found) for found in ids] == [3, 3, 3]
    assert similarities.shape == (3, 3)


def test_no_items_and_no_queries(opened: Open) -> None:
    index = opened()
    assert index.update({}, Memo({})) == Changes()
    ids, similarities = index.query(np.ones((2, DIM)), 5)
    assert (ids, similarities.shape) == ([[], []], (2, 0))
    memo = Memo(columns(5))
    index.update(memo.items, memo)
    ids, similarities = index.query(np.empty((0, DIM)), 5)
    assert (ids, similarities.shape) == ([], (0, 5))


def test_a_vector_of_zeros_is_near_to_nothing(opened: Open) -> None:
    memo = Memo(columns(20))
    vectors = {i: memo.vector(t) for i, t in memo.items.items()}
    vectors["model.shop.m0|c3"] = np.zeros(DIM, np.float32)
    index = opened()
    index.update(memo.items, lambda ids: np.array([vectors[i] for i in ids]))
    ids, similarities = index.query(np.zeros((1, DIM)), 4)
    assert ids == [sorted(memo.items)[:4]]
    assert similarities.tolist() == [[0, 0, 0, 0]]
    ids, similarities = index.query(memo.of(["model.shop.m0|c4"]), 20)
    assert dict(zip(ids[0], similarities[0], strict=True))["model.shop.m0|c3"] == 0


def test_the_length_of_a_vector_does_not_matter(opened: Open) -> None:
    memo = Memo(columns(50))
    index = opened()
    index.update(memo.items, lambda ids: 1000 * memo(ids).astype(np.float64))
    query = memo.of(["model.shop.m1|c11"])
    assert index.query(query * 1e6, 5)[0] == index.query(query, 5)[0] == brute_force(memo, query, 5)[0]


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one(opened: Open, k: int) -> None:
    with pytest.raises(ValueError, match="must be 1 or more"):
        opened().query(np.ones((1, DIM)), k)


@pytest.mark.parametrize(
    "bad",
    [np.ones((2, DIM + 1)), np.ones(DIM), np.full((1, DIM), np.nan), np.full((1, DIM), np.inf), np.empty((0, 3))],
)
def test_queries_that_are_no_vectors(opened: Open, bad: np.ndarray) -> None:
    memo = Memo(columns(5))
    index = opened()
    index.update(memo.items, memo)
    with pytest.raises(ValueError, match=r"vectors of shape|NaN or infinity"):
        index.query(bad, 3)


@pytest.mark.parametrize(
    "answer",
    [np.ones((5, DIM - 1)), np.ones((4, DIM)), np.full((5, DIM), np.nan), np.ones(5)],
)
def test_a_memo_that_gives_no_vectors_changes_nothing(opened: Open, tmp_path: Path, answer: np.ndarray) -> None:
    memo = Memo(columns(3))
    index = opened()
    index.update(memo.items, memo)
    with pytest.raises(ValueError, match=r"vectors of shape|NaN or infinity"):
        index.update(columns(8), lambda _: answer)
    assert index.query(memo.of(list(memo.items)), 1)[0] == [[i] for i in memo.items]
    assert len(list((tmp_path / "index/generations").iterdir())) == 1


def test_an_error_of_the_memo_passes_through_and_changes_nothing(opened: Open, tmp_path: Path) -> None:
    def fail(_: object) -> np.ndarray:
        raise OSError(5, "the memo's disk is gone")

    index = opened()
    with pytest.raises(OSError, match="memo's disk"):
        index.update(columns(3), fail)
    assert list((tmp_path / "index/generations").iterdir()) == []


def test_only_new_texts_are_asked_for(opened: Open) -> None:
    memo = Memo(columns(100))
    opened().update(memo.items, memo)
    memo.asked.clear()
    index = opened()
    assert index.update(memo.items, memo) == Changes(kept=100)
    assert memo.asked == []
    first, second, third = list(memo.items)[:3]
    del memo.items[first]
    memo.items[second] = "another text"
    memo.items["new with a known text"] = memo.items[third]
    memo.items["new"] = "a new text"
    assert index.update(memo.items, memo) == Changes(added=2, changed=1, removed=1, kept=98)
    assert sorted(memo.asked) == sorted([second, "new"])
    queries = memo.of(list(memo.items))
    assert index.query(queries, 5)[0] == brute_force(memo, queries, 5)[0]


def test_nothing_new_writes_nothing(opened: Open, tmp_path: Path) -> None:
    memo = Memo(columns(100))
    index = opened()
    index.update(memo.items, memo)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file() and p.name != "lock"}
    index.update(memo.items, memo)
    opened().update(memo.items, memo)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file() and p.name != "lock"} == before


IDS = st.text(max_size=4) | st.sampled_from(["\0", "\ud800", "a\nb", "../x", "\u202e", "é", "e\u0301"])
ITEMS = st.dictionaries(IDS, st.sampled_from(["t1", "t2", "t3", "t4", "\ud800", ""]), max_size=8)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ITEMS, min_size=1, max_size=5), st.booleans())
def test_any_history_ends_in_the_last_items(
    tmp_path_factory: pytest.TempPathFactory, history: list[dict[str, str]], reopen: bool
) -> None:
    """The oracle is a dictionary and brute force; ids are whatever text there is."""
    folder = tmp_path_factory.mktemp("history")
    index = open_index(folder, encoder_id="e", dim=DIM, text_version=1, approximate=False)
    before: dict[str, str] = {}
    for items in history:
        memo = Memo(items)
        changes = index.update(items, memo)
        kept = {i for i in items if before.get(i) == items[i]}
        assert changes.kept == len(kept)
        assert changes.added == len(items.keys() - before.keys())
        assert changes.removed == len(before.keys() - items.keys())
        assert changes.changed == len(items.keys() & before.keys()) - len(kept)
        assert {items[i] for i in memo.asked}.isdisjoint(before.values())
        assert len(memo.asked) == len(set(items.values()) - set(before.values()))
        before = items
        if reopen:
            index.close()
        queries = memo.of(sorted(items))
        assert index.query(queries, 3)[0] == brute_force(memo, queries, 3)[0]
    index.close()


def test_vectors_are_asked_for_in_chunks(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update, "CHUNK", 7)
    memo = Memo(columns(50))
    sizes = []
    index = opened()
    index.update(memo.items, lambda ids: sizes.append(len(ids)) or memo(ids))  # type: ignore[func-returns-value]
    assert sizes == [7] * 7 + [1]
    more = Memo(columns(60))
    index.update(more.items, more)
    queries = more.of(list(more.items))
    assert index.query(queries, 5)[0] == brute_force(more, queries, 5)[0]


@pytest.mark.parametrize("other", [{"encoder_id": "f"}, {"dim": DIM + 1}, {"text_version": 2}, {"dimensions": 4}])
def test_vectors_of_another_kind_are_never_compared(opened: Open, other: dict[str, object]) -> None:
    memo = Memo(columns(40))
    opened().update(memo.items, memo)
    index = opened(**other)
    dim = DIM + 1 if "dim" in other else DIM
    with pytest.raises(IndexMismatchError, match=r"was made for encoder e, 16 dimensions.*\n  run: dbt-schema-embed"):
        index.query(np.ones((1, dim)), 3)
    again = Memo(memo.items, dim)
    index.update(again.items, again)
    assert len(again.asked) == 40
    assert len(index.notes) == 1
    assert "it is built anew" in index.notes[0]
    assert index.query(again.of(["model.shop.m0|c0"]), 1)[0] == [["model.shop.m0|c0"]]


def test_an_index_that_was_never_built(opened: Open, tmp_path: Path) -> None:
    with pytest.raises(IndexMismatchError, match=r"there is no index in .*\n  run: dbt-schema-embed index"):
        opened().query(np.ones((1, DIM)), 3)
    assert not (tmp_path / "index").exists()


def test_a_reader_sees_the_next_generation_without_reopening(opened: Open) -> None:
    memo = Memo(columns(20))
    writer, reader = opened(), opened()
    writer.update(memo.items, memo)
    query = memo.of(["model.shop.m0|c5"])
    assert reader.query(query, 1)[0] == [["model.shop.m0|c5"]]
    del memo.items["model.shop.m0|c5"]
    memo.items["new"] = "text 5"
    writer.update(memo.items, memo)
    assert reader.query(query, 1)[0] == [["new"]]


def test_a_closed_index_opens_again(opened: Open) -> None:
    memo = Memo(columns(20))
    index = opened()
    index.update(memo.items, memo)
    index.close()
    index.close()
    assert index.query(memo.of(["model.shop.m0|c5"]), 1)[0] == [["model.shop.m0|c5"]]


def test_threads_may_share_an_index(opened: Open) -> None:
    memo = Memo(columns(60))
    index = opened()
    index.update(memo.items, memo)
    queries = memo.of(list(memo.items))
    expected = index.query(queries, 3)[0]

    def work(number: int) -> bool:
        if number % 5 == 0:
            index.close()
        if number % 7 == 0:
            index.update(memo.items | {"new": str(number)}, lambda ids: np.ones((len(ids), DIM)))
        ids = index.query(queries, 4)[0]
        return all([i for i in found if i != "new"][:3] == best for found, best in zip(ids, expected, strict=True))

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(work, range(60)))
    assert index.notes == []


@pytest.mark.parametrize("bad", [{"dim": 0}, {"dimensions": 0}])
def test_no_dimensions(tmp_path: Path, bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        open_index(tmp_path, **({"encoder_id": "e", "dim": 3, "text_version": 1} | bad))  # type: ignore[arg-type]


def test_exact_search_imports_numpy_and_little_else(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
import numpy as np
from dbt_schema_embed.index import open_index
index = open_index(Path({str(tmp_path)!r}), encoder_id="e", dim=4, text_version=1)
index.update({{"a": "1"}}, lambda ids: np.ones((len(ids), 4)))
assert index.query(np.ones((1, 4)), 1)[0] == [["a"]]
index.close()
heavy = {{"chromadb", "httpx", "torch", "scipy", "pydantic", "tenacity", "pybreaker", "asyncio"}}
print(*sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
