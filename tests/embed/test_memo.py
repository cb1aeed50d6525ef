"""The memo: each text encoded once, found again at every level, never a wrong vector."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_schema_embed.embed.disk_store import DiskStore
from dbt_schema_embed.embed.memo import MemoEmbedder, ProcessStore
from dbt_schema_embed.embed.vector_bytes import to_bytes
from dbt_schema_embed.errors import ConfigError, EncoderError, MemoError
from tests.embed.encoders import DIM, HashEncoder, hash_rows

Open = Callable[..., MemoEmbedder]


def test_rows_follow_the_texts(open_memo: Open, hash_encoder: HashEncoder) -> None:
    """Order kept, repeats shared, more than one chunk."""
    texts = [f"text {n % 17}" for n in range(40)]
    rows = open_memo().embed(texts)
    assert np.array_equal(rows, hash_rows(texts))
    assert sorted(hash_encoder.encoded) == sorted(set(texts))


def test_nothing_gives_no_rows_and_loads_nothing(open_memo: Open, hash_encoder: HashEncoder) -> None:
    """(0, d), and no encoder."""
    assert open_memo().embed([]).shape == (0, DIM)
    assert hash_encoder.loads == 0


@pytest.mark.parametrize("texts", ["text", ["a", 1], [None], [b"a"]])
def test_only_a_sequence_of_texts_is_taken(open_memo: Open, texts: Sequence[str]) -> None:
    """A bare str would be taken for its letters."""
    with pytest.raises(TypeError):
        open_memo().embed(texts)


def test_every_level_answers_for_the_next(open_memo: Open, hash_encoder: HashEncoder, tmp_path: Path) -> None:
    """Encoded, then from the process, then in another run from the disk, and the encoder is not loaded for it."""
    first = open_memo()
    rows = first.embed(["a", "b"])
    assert np.array_equal(first.embed(["b", "a", "c"]), hash_rows(["b", "a", "c"]))
    assert first.stats.hits == {"process": 2}
    assert hash_encoder.encoded == ["a", "b", "c"]
    second = open_memo()
    loads = hash_encoder.loads
    assert np.array_equal(second.embed(["a", "b"]), rows)
    assert np.array_equal(second.embed(["a"]), rows[:1])
    assert second.stats.hits == {"disk": 2, "process": 1}
    assert hash_encoder.loads == loads
    assert second.stats.misses == 0


def test_a_lower_level_fills_the_ones_above(open_memo: Open, tmp_path: Path) -> None:
    """What only the last level has is in all afterwards."""
    near, far = DiskStore(tmp_path / "near"), DiskStore(tmp_path / "far")
    open_memo(levels=[far]).embed(["a"])
    both = open_memo(levels=[near, far])
    both.embed(["a", "b"])
    assert both.stats.misses == 1
    key = [both.key("a"), both.key("b")]
    assert near.read(key) == far.read(key)
    assert len(near.read(key)) == 2


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.text(max_size=4), max_size=8), max_size=5))
def test_any_calls_in_any_order(calls: list[list[str]]) -> None:
    """A memo never changes a vector, whatever was asked before."""
    memo = MemoEmbedder("hash@1", DIM, HashEncoder().load, [ProcessStore(3), ProcessStore(100)])
    for texts in calls:
        assert np.array_equal(memo.embed(texts), hash_rows(texts))


IDS = ["hash@1", "hash@2", "hash@1+int8"]


def test_another_encoder_or_setting_has_entries_of_its_own() -> None:
    """One name for the same encoder more or less has not."""
    keys = {MemoEmbedder(i, DIM, HashEncoder().load).key("a") for i in IDS}
    assert len(keys) == len(IDS)
    named = MemoEmbedder("another name@1", DIM, HashEncoder().load)
    assert named.key("a") == MemoEmbedder("hash@1", DIM, HashEncoder().load).key("a")


def test_texts_that_are_no_unicode_have_keys(open_memo: Open) -> None:
    """Lone surrogates come out of broken JSON."""
    memo = open_memo()
    assert len({memo.key("\ud800"), memo.key("\udfff"), memo.key("?"), memo.key("\x00"), memo.key("")}) == 5


def test_a_wrong_entry_is_dropped_encoded_again_and_counted(open_memo: Open, tmp_path: Path) -> None:
    """Wrong checksum, wrong norm with a right checksum, another key's vector, another dimension."""
    disk = DiskStore(tmp_path / "memo")
    memo = open_memo()
    texts = ["a", "b", "c", "d", "e"]
    keys = [memo.key(text) for text in texts]
    memo.embed(texts)
    good = disk.read(keys)
    disk.write(
        {
            keys[0]: good[keys[0]][:-1] + b"\x00",
            keys[1]: to_bytes([keys[1]], np.full((1, DIM), np.nan, np.float32))[0],
            keys[2]: good[keys[3]],
            keys[3]: to_bytes([keys[3]], hash_rows(["x"], 4))[0],
        }
    )
    again = open_memo()
    assert np.array_equal(again.embed(texts), hash_rows(texts))
    assert (again.stats.dropped, again.stats.misses, again.stats.hits) == (4, 4, {"disk": 1})
    assert disk.read(keys) == good


class Broken:
    """A level that cannot serve."""

    name = "broken"

    def __init__(self, reads: bool) -> None:
        self.calls = 0
        self._reads = reads

    def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Fails, or finds nothing."""
        self.calls += 1
        if self._reads:
            return {}
        raise MemoError("the shelf fell down")

    def write(self, items: Mapping[str, bytes]) -> None:
        """Fails."""
        self.calls += 1
        raise MemoError("the shelf fell down")

    def drop(self, keys: Sequence[str]) -> None:
        """Fails."""
        raise MemoError("the shelf fell down")

    def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize("reads", [False, True])
def test_a_level_that_cannot_serve_is_left_out_and_named_once(open_memo: Open, reads: bool) -> None:
    """The work goes on."""
    broken = Broken(reads)
    memo = open_memo(levels=[ProcessStore(), broken])
    for texts in (["a"], ["b"], ["a", "c"]):
        assert np.array_equal(memo.embed(texts), hash_rows(texts))
    assert memo.notes == ["the shelf fell down; going on without it"]
    assert broken.calls == (2 if reads else 1)
    assert memo.stats.errors == 1


def test_a_damaged_store_is_rebuilt_and_said(open_memo: Open, tmp_path: Path) -> None:
    """The run gives the same vectors, and the next one reads them from the new store."""
    open_memo().embed(["a", "b"])
    (tmp_path / "memo" / "cache.db").write_bytes(b"not sqlite" * 1000)
    memo = open_memo()
    assert np.array_equal(memo.embed(["a", "b"]), hash_rows(["a", "b"]))
    assert len(memo.notes) == 1
    assert "it was put aside" in memo.notes[0]
    assert open_memo().embed(["a", "b"]).shape == (2, DIM)
    last = open_memo()
    last.embed(["a", "b"])
    assert last.stats.hits == {"disk": 2}


def test_unremembered_texts_leave_no_trace(open_memo: Open, tmp_path: Path) -> None:
    """They stay within the process."""
    memo = open_memo()
    memo.embed(["secret"], remember=False)
    memo.embed(["secret"], remember=False)
    assert memo.stats.hits == {"process": 1}
    assert DiskStore(tmp_path / "memo").count() == 0


def test_an_encoder_error_reaches_the_caller_and_is_counted() -> None:
    """It says how many, not which."""

    class Failing(HashEncoder):
        def encode(self, *args: object) -> object:  # type: ignore[override]
            raise EncoderError("no")

    memo = MemoEmbedder("hash@1", DIM, Failing().load)
    with pytest.raises(EncoderError, match="no"):
        memo.embed(["a"])
    assert memo.stats.errors == 1


def test_threads_share_an_embedder(open_memo: Open) -> None:
    """Eight of them, over the same texts."""
    memo = open_memo()
    start = threading.Barrier(8)

    def work(number: int) -> bool:
        start.wait()
        texts = [f"text {(number * 7 + n) % 30}" for n in range(40)]
        return all(np.array_equal(memo.embed(texts), hash_rows(texts)) for _ in range(3))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
    assert memo.notes == []
    assert memo.stats.texts == 8 * 3 * 40


def test_runs_on_names_the_encoder(open_memo: Open, hash_encoder: HashEncoder) -> None:
    """Which loads it; closing lets go of the levels."""
    memo = open_memo()
    memo.embed(["a"])
    assert memo.runs_on() == "hash"
    memo.close()
    memo.embed(["a"])
    assert memo.stats.hits == {"disk": 1}


def test_the_process_level_is_bounded() -> None:
    """What was used last stays."""
    store = ProcessStore(entries=3)
    store.write({"a": b"1", "b": b"2", "c": b"3"})
    store.read(["a"])
    store.write({"d": b"4"})
    assert store.read(["a", "b", "c", "d"]) == {"a": b"1", "c": b"3", "d": b"4"}
    store.drop(["a"])
    store.close()
    assert store.read(["c", "d"]) == {}


def test_statistics(open_memo: Open) -> None:
    """Texts asked for, different ones, and those that were encoded."""
    memo = open_memo()
    memo.embed(["a", "a", "b"])
    stats = memo.stats
    assert (stats.texts, stats.distinct, stats.misses, stats.hits, stats.batches, stats.largest_batch) == (
        3,
        2,
        2,
        {},
        1,
        5,
    )


def test_progress_counts_what_is_encoded(open_memo: Open) -> None:
    """Said before the encoder is loaded, then chunk by chunk; what is known does not count."""
    memo = open_memo()
    memo.embed(["text 0", "text 1"])
    told: list[tuple[int, int]] = []
    memo.progress = lambda what, done=0, total=0: told.append((done, total))
    memo.embed([f"text {n}" for n in range(14)])
    assert told == [(0, 0), (5, 12), (10, 12), (12, 12)]
    memo.embed(["text 3"])
    assert len(told) == 4


def test_encoding_is_said_before_the_encoder_is_loaded() -> None:
    told: list[str] = []
    encoder = HashEncoder()
    memo = MemoEmbedder("hash@1", DIM, lambda: (told.append("loading"), encoder.load())[1], [ProcessStore()])
    memo.progress = lambda what, done=0, total=0: told.append(what)
    memo.embed(["a"])
    assert told[:2] == ["Encoding texts", "loading"]


def test_another_encoder_fills_the_memo_with_what_it_lacks(open_memo: Open, hash_encoder: HashEncoder) -> None:
    """Each text is sent once; the rows are found by the next memo."""
    memo, elsewhere = open_memo(), HashEncoder()
    memo.embed(["a", "b"])
    told: list[tuple[int, int]] = []
    memo.progress = lambda what, done=0, total=0: told.append((done, total))
    memo.fill([*"abcdefgh", *"abcdefgh"], elsewhere)
    memo.fill("abcdefgh", elsewhere)
    assert elsewhere.encoded == list("cdefgh")
    assert told == [(0, 0), (5, 6), (6, 6)]
    assert np.array_equal(open_memo().embed(list("abcdefgh")), hash_rows("abcdefgh"))
    assert (hash_encoder.encoded, memo.stats.misses) == (["a", "b"], 8)


def test_what_came_before_an_encoder_failed_is_kept(open_memo: Open) -> None:
    class Mortal(HashEncoder):
        def encode(self, *given: Any) -> Iterator[Any]:
            yield next(super().encode(*given))
            raise EncoderError("the cluster is gone")

    with pytest.raises(EncoderError, match="gone"):
        open_memo().fill("abcdefgh", Mortal())
    elsewhere = HashEncoder()
    open_memo().fill("abcdefgh", elsewhere)
    assert elsewhere.encoded == list("fgh")


def test_there_must_be_a_memo_to_fill(open_memo: Open, hash_encoder: HashEncoder) -> None:
    with pytest.raises(ConfigError, match="hash fills the memo, and there is none"):
        open_memo(levels=[]).fill(["a"], hash_encoder)
