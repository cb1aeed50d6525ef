"""chroma.py and chroma_worker.py: Chroma answers as exact search does, and whatever it does harms nobody."""

import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dbt_schema_embed.errors import MissingExtraError
from dbt_schema_embed.index import Changes, Index, Shared, approximate, chroma, open_index, search
from dbt_schema_embed.index.approximate import BackendError
from tests.index.conftest import DIM, Memo, brute_force, columns
from tests.index.test_generations import HOW, current, damage, planted, resigned

Open = Callable[..., Index]
ROWS = 400


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that Chroma serves, as it was after its first update; copy it."""
    folder = tmp_path_factory.mktemp("built") / "index"
    memo = Memo(columns(ROWS))
    index = open_index(folder, encoder_id="e", dim=DIM, text_version=1, approximate=True)
    assert index.update(memo.items, memo) == Changes(added=ROWS)
    assert index.notes == []
    index.close()
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A copy of `built`."""
    return Path(shutil.copytree(built, tmp_path / "index"))


def right(index: Index, memo: Memo) -> bool:
    """Whether the answers are those of brute force."""
    queries = memo.of(sorted(memo.items)[::37])
    return index.query(queries, 5)[0] == brute_force(memo, queries, 5)[0]


def served(index: Index) -> bool:
    """Whether Chroma gives the answers."""
    return index._search._worker is not None


def chroma_files(folder: Path) -> list[str]:
    """The Chroma files of the generation in force."""
    place = current(folder)
    return sorted(p.relative_to(place).as_posix() for p in (place / "chroma").rglob("*") if p.is_file())


def segments(folder: Path) -> set[str]:
    """The names of Chroma's segment folders: every store built anew has its own."""
    return {path.name for path in (current(folder) / "chroma").iterdir() if path.is_dir()}


def test_answers_are_those_of_exact_search(opened: Open, folder: Path) -> None:
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    queries = np.concatenate([memo.of(list(memo.items)), np.random.default_rng(2).normal(size=(30, DIM))])
    ids, similarities = index.query(queries, 10)
    exact_ids, exact_similarities = opened(approximate=False).query(queries, 10)
    shared = sum(len(set(a) & set(b)) for a, b in zip(ids, exact_ids, strict=True))
    assert shared >= 0.999 * 10 * len(queries)
    assert np.abs(similarities - exact_similarities).max() < 0.01
    assert (index.notes, served(index)) == ([], True)


def test_few_changes_are_added_and_many_build_it_anew(opened: Open, folder: Path) -> None:
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    segment = segments(folder)
    for item in list(memo.items)[:5]:
        del memo.items[item]
    memo.items |= {f"new{n}": f"new {n}" for n in range(5)}
    assert index.update(memo.items, memo) == Changes(added=5, removed=5, kept=ROWS - 5)
    assert segments(folder) == segment
    assert right(index, memo)
    assert index.query(memo.of([f"new{n}" for n in range(5)]), 1)[0] == [[f"new{n}"] for n in range(5)]
    for item in list(memo.items)[:150]:
        del memo.items[item]
    index.update(memo.items, memo)
    assert len(segments(folder)) == 1
    assert segments(folder) != segment
    assert right(index, memo)
    assert (index.notes, served(index)) == ([], True)


def test_rows_that_left_are_never_answered(opened: Open, folder: Path) -> None:
    """Chroma still holds them; all that is near to the query has left."""
    memo = Memo(columns(ROWS))
    query = memo.of(["model.shop.m0|c0"])
    gone = brute_force(memo, query, 40)[0][0]
    memo.items = {i: t for i, t in memo.items.items() if i not in gone}
    index = opened(approximate=True)
    index.update(memo.items, memo)
    assert index.query(query, 5)[0] == brute_force(memo, query, 5)[0]
    assert index.notes == []


def test_queries_without_direction_and_more_than_there_are(opened: Open, folder: Path) -> None:
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    queries = np.concatenate([np.zeros((1, DIM)), memo.of(["model.shop.m0|c0"])])
    ids, similarities = index.query(queries, 3)
    assert ids[0] == sorted(memo.items)[:3]
    assert similarities[0].tolist() == [0, 0, 0]
    assert ids[1] == brute_force(memo, queries[1:], 3)[0][0]
    assert len(index.query(queries, 10_000)[0][1]) == ROWS
    assert index.notes == []


def test_a_row_of_zeros(opened: Open, tmp_path: Path) -> None:
    memo = Memo(columns(30))
    vectors = {i: memo.vector(t) for i, t in memo.items.items()}
    vectors["model.shop.m0|c3"] = np.zeros(DIM, np.float32)
    index = opened(approximate=True)
    index.update(memo.items, lambda ids: np.array([vectors[i] for i in ids]))
    ids, _ = index.query(memo.of(["model.shop.m0|c4"]), 3)
    assert ids[0][0] == "model.shop.m0|c4"
    assert (index.notes, served(index)) == ([], True)


def test_no_columns_at_all(opened: Open) -> None:
    index = opened(approximate=True)
    assert index.update({}, Memo({})) == Changes()
    assert index.query(np.ones((1, DIM)), 3)[0] == [[]]
    assert (index.notes, served(index)) == ([], False)


def test_chroma_holds_no_names(folder: Path) -> None:
    for name in chroma_files(folder):
        content = (current(folder) / name).read_bytes()
        for secret in (b"model.shop", b"|c1", b"text 1"):
            assert secret not in content, name


def test_every_row_is_asked_for_when_verifying(folder: Path) -> None:
    place = folder / "verified"
    place.mkdir()
    shutil.copy(current(folder) / "vectors.f16", place / "vectors.f16")
    assert len(chroma.build(place, DIM, ROWS, verify=True)) == 6


def test_a_closed_index_leaves_nothing(opened: Open, folder: Path) -> None:
    index = opened(approximate=True)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    index.query(np.ones((1, DIM)), 3)
    assert len(list((current(folder) / "readers").iterdir())) == 1
    index.close()
    assert list((current(folder) / "readers").iterdir()) == []
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


# Damage

NAMES = ("chroma.sqlite3", "data_level0.bin", "header.bin", "index_metadata.pickle", "length.bin", "link_lists.bin")


DAMAGES = [(name, how) for name in NAMES for how in HOW if how != "older version"]


def damageable(path: Path, how: str) -> bool:
    """Whether the damage changes the file: one may be empty by nature."""
    return path.stat().st_size > 0 or how in ("missing", "a folder", "longer")


@pytest.mark.parametrize(("name", "how"), DAMAGES)
def test_damage_is_seen(opened: Open, folder: Path, name: str, how: str) -> None:
    (path,) = current(folder).rglob(name)
    index = opened(approximate=True)
    store = index._current()
    chroma.check_files(store)
    if damageable(path, how):
        damage(path, how, path)
        with pytest.raises(BackendError, match=name):
            chroma.check_files(store)


@pytest.mark.parametrize(("name", "how"), DAMAGES[::8])
def test_damage_is_seen_before_chroma_opens_the_file(opened: Open, folder: Path, name: str, how: str) -> None:
    (path,) = current(folder).rglob(name)
    if not damageable(path, how):
        how = "longer"
    damage(path, how, path)
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    assert right(index, memo)
    assert len(index.notes) == 1
    assert "exact search serves" in index.notes[0]
    assert "\n" not in index.notes[0]
    assert right(index, memo)
    assert len(index.notes) == 1


def test_damage_is_mended_without_the_memo(opened: Open, folder: Path) -> None:
    path = current(folder) / "chroma/chroma.sqlite3"
    damage(path, "missing", path)
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    assert index.update(memo.items, memo) == Changes(kept=ROWS)
    assert memo.asked == []
    assert len(index.notes) == 1
    assert "it is built anew" in index.notes[0]
    assert right(index, memo)
    assert served(index)


@pytest.mark.parametrize("name", ["data_level0.bin", "header.bin", "chroma.sqlite3", "index_metadata.pickle"])
def test_damage_that_the_checksums_do_not_show(opened: Open, folder: Path, name: str) -> None:
    """Chroma opens garbage: it crashes, raises or finds nothing, in a process of its own."""
    (path,) = current(folder).rglob(name)
    content = np.random.default_rng(1).bytes(path.stat().st_size)
    planted(folder, path.relative_to(current(folder)).as_posix(), content)
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    assert right(index, memo)
    assert len(index.notes) == 1
    assert "exact search serves" in index.notes[0]


def test_half_of_the_vectors_lost(opened: Open, folder: Path) -> None:
    """What a data file cut in half does: no error, half of the rows gone. Comparing with exact answers shows it."""
    store = chroma_files(folder)
    other = Memo(dict(list(columns(ROWS).items())[: ROWS // 2]))
    half = open_index(folder.parent / "half", encoder_id="e", dim=DIM, text_version=1, approximate=True)
    half.update(other.items, other)
    half.close()
    # a whole Chroma store, but of the first half of the rows
    shutil.rmtree(current(folder) / "chroma")
    shutil.copytree(current(folder.parent / "half") / "chroma", current(folder) / "chroma")
    files = {name: chroma.checksum(current(folder) / name) for name in chroma_files(folder)}
    resigned(folder, lambda m: m["files"].update(files) or [m["files"].pop(n) for n in store if n not in files])
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    queries = memo.of([i for i in memo.items if i not in other.items][:20])
    assert index.query(queries, 5)[0] == brute_force(memo, queries, 5)[0]
    assert len(index.notes) == 1
    assert "missed" in index.notes[0] or "distances" in index.notes[0]


def test_an_extra_file_is_not_opened(opened: Open, folder: Path) -> None:
    """A journal beside the database would be played back into it."""
    for name in ("chroma.sqlite3-journal", "chroma.sqlite3-wal"):
        (current(folder) / "chroma" / name).write_bytes(os.urandom(5000))
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    assert right(index, memo)
    assert (index.notes, served(index)) == ([], True)


def test_a_folder_that_cannot_be_written_to(opened: Open, folder: Path) -> None:
    """The child's copy has no place: a read-only disk, or somebody's file in the way."""
    shutil.rmtree(current(folder) / "readers", ignore_errors=True)
    (current(folder) / "readers").write_text("in the way")
    memo = Memo(columns(ROWS))
    index = opened(approximate=True)
    assert right(index, memo)
    assert len(index.notes) == 1


# A process that fails


def test_chroma_here_takes_over_from_a_server(opened: Open, folder: Path) -> None:
    memo = Memo(columns(ROWS))
    index = opened(approximate=True, shared=Shared("http://127.0.0.1:9"))
    assert right(index, memo)
    assert len(index.notes) == 1
    assert served(index)


@pytest.mark.parametrize("wanted", [True, None])
def test_chromadb_not_installed(opened: Open, monkeypatch: pytest.MonkeyPatch, wanted: bool | None) -> None:
    monkeypatch.setattr(search, "CROSSOVER", 1)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    memo = Memo(columns(5))
    index = opened(approximate=wanted)
    if wanted:
        with pytest.raises(
            MissingExtraError, match=r"approximate search needs .* pip install 'dbt-schema-embed\[chroma\]'"
        ):
            index.update(memo.items, memo)
    else:
        index.update(memo.items, memo)
        assert right(index, memo)
        assert index.notes == []


def test_the_size_decides_when_nothing_was_asked_for(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    memo = Memo(columns(40))
    index = opened()
    index.update(memo.items, memo)
    assert (right(index, memo), served(index)) == (True, False)
    monkeypatch.setattr(search, "CROSSOVER", 40)
    index.update(memo.items, memo)
    assert memo.asked.count("model.shop.m0|c0") == 1
    assert (right(index, memo), served(index)) == (True, True)


# Hostile stores and folders


def test_candidates_ask_for_some_more(opened: Open, folder: Path) -> None:
    class Spy:
        asked: list[int] = []  # noqa: RUF012

        def query(self, queries: np.ndarray, n: int) -> Any:
            self.asked.append(n)
            return np.full((len(queries), n), -1), np.full((len(queries), n), np.inf)

        def close(self) -> None: ...

    index = opened(approximate=True)
    store = index._current()
    found = approximate.nearest(Spy(), store, np.eye(DIM, dtype=np.float32), 10, compare=True)
    assert Spy.asked == [30]
    assert all(len(rows) >= 10 for rows, _ in found)
    assert struct.calcsize("<qq") == 16
