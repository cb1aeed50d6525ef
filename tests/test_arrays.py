"""arrays.py: what was written comes back, and what is anything else is said to be damaged."""

import json
import os
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dbt_schema_embed.arrays import DamagedError, Parts, Texts, block_rows, save
from dbt_schema_embed.errors import WriteError

ROWS = np.arange(12_000, dtype="<f4").reshape(-1, 4)
MADE: dict[str, Any] = {
    "rows": ROWS,
    "numbers": np.arange(5, dtype="<i8"),
    "none": np.empty(0, "u1"),
    "flat": np.empty((0, 3), "<i4"),
    **Texts.arrays("words", ["a", "", "Ünï\ud800", "\0\n"]),
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of a few arrays, of which the largest has several checksums."""
    monkeypatch.setattr("dbt_schema_embed.arrays._BLOCK", 4096)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    path = tmp_path / "ours" / "index" / "some.arrays"
    save(path, {"said": [1, "x"]}, MADE)
    return path


def read(path: Path) -> Parts:
    """Read every array of a file."""
    parts = Parts(path)
    try:
        for name in MADE:
            assert (parts[name] == MADE[name]).all()
            assert parts[name].shape == MADE[name].shape
        assert (np.concatenate([block.copy() for _, block in parts.blocks("rows")]) == ROWS).all()
        assert (parts.rows("rows", np.array([2999, 0, 1500])) == ROWS[[2999, 0, 1500]]).all()
        parts.check()
    finally:
        parts.close()
    return parts


def test_what_was_written_comes_back(path: Path) -> None:
    parts = read(path)
    assert parts.meta == {"said": [1, "x"]}
    assert parts.names() == list(MADE)
    with closing(Parts(path)) as parts:
        words = Texts(parts, "words")
        assert (len(words), words[2], words.all()) == (4, "Ünï\ud800", ["a", "", "Ünï\ud800", "\0\n"])
        for number in (-1, 4, 5, 2**40):
            with pytest.raises(IndexError, match="there is no text"):
                words[number]
    assert [child.name for child in path.parent.iterdir()] == [path.name]


def test_a_part_may_come_in_pieces(path: Path) -> None:
    step = block_rows(16)
    whole = path.read_bytes()
    save(path, {"said": [1, "x"]}, MADE | {"rows": (ROWS[at : at + step] for at in range(0, len(ROWS), step))})
    assert path.read_bytes() == whole


def test_files_that_hold_the_same_have_one_id(path: Path) -> None:
    with closing(Parts(path)) as first:
        assert first.stands(path)
        assert save(path, {"said": [1, "x"]}, MADE) == first.id
        assert not first.stands(path)
        assert save(path, {"said": [2]}, MADE) != first.id


def test_damage_anywhere_is_seen(path: Path) -> None:
    whole = path.read_bytes()
    padding = {at for at in range(len(whole)) if whole[at] == 0}
    for at in sorted({*range(80), *range(80, len(whole), 611), *range(len(whole) - 400, len(whole))} - padding):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(DamagedError):
            read(path)
    for size in (*range(0, len(whole), 997), len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(DamagedError):
            read(path)
    path.write_bytes(whole + b"x")
    with pytest.raises(DamagedError):
        read(path)


def test_only_what_is_read_is_checked(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(ROWS[2000].tobytes())] ^= 1
    path.write_bytes(content)
    with closing(Parts(path)) as parts:
        assert (parts.rows("rows", np.array([1, 2])) == ROWS[1:3]).all()
        with pytest.raises(DamagedError, match="rows is not what was written"):
            parts.rows("rows", np.array([1, 2000]))


def with_directory(path: Path, change: Callable[[Any], object]) -> None:
    """Rewrite the directory by a hostile hand, its checksum right."""
    content = path.read_bytes()
    offset = int.from_bytes(content[-16:-8], "little")
    said = json.loads(content[offset:-16])
    text = json.dumps(change(said) or said).encode()
    foot = offset.to_bytes(8, "little") + len(text).to_bytes(4, "little") + zlib.crc32(text).to_bytes(4, "little")
    path.write_bytes(content[:offset] + text + foot)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["parts"]["rows"].update(offset=-8),
        lambda d: d["parts"]["rows"].update(offset=10**18),
        lambda d: d["parts"]["rows"].update(shape=[10**9, 10**9]),
        lambda d: d["parts"]["rows"].update(shape=[0, 10**12]),
        lambda d: d["parts"]["rows"].update(shape=[-1, 4]),
        lambda d: d["parts"]["rows"].update(shape=[1, 1, 1]),
        lambda d: d["parts"]["rows"].update(shape=[]),
        lambda d: d["parts"]["rows"].update(dtype="O"),
        lambda d: d["parts"]["rows"].update(dtype="|S1000000000"),
        lambda d: d["parts"]["rows"].update(crcs=[1]),
        lambda d: d["parts"]["rows"].update(crcs="x"),
        lambda d: d.pop("parts"),
        lambda d: d.update(parts=[]),
        lambda _: [[]],
    ],
)
def test_a_hostile_directory(path: Path, change: Callable[[Any], object]) -> None:
    with_directory(path, change)
    with pytest.raises(DamagedError):
        read(path)


def test_what_is_no_file_of_ours(path: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Parts(tmp_path / "nothing")
    with pytest.raises(DamagedError):
        Parts(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(path)
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(DamagedError):
            Parts(tmp_path / name)
    with closing(Parts(path)) as parts:
        with pytest.raises(DamagedError, match="it has no other"):
            parts["other"]
        with pytest.raises(DamagedError, match="rows has no such row"):
            parts.rows("rows", np.array([3000]))


def test_a_link_in_its_place_is_replaced_and_one_in_its_folders_refused(path: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "precious").write_text("x")
    path.unlink()
    path.symlink_to(theirs / "precious")
    save(path, {}, MADE)
    read(path)
    path.unlink()
    path.parent.rmdir()
    path.parent.symlink_to(theirs)
    with pytest.raises(WriteError, match="is a link"):
        save(path, {}, MADE)
    assert [(p.name, p.read_text()) for p in theirs.iterdir()] == [("precious", "x")]


@pytest.mark.parametrize("starts", [np.zeros(0, "<i8"), np.zeros((2, 2), "<i8")])
def test_texts_that_begin_nowhere(tmp_path: Path, starts: np.ndarray) -> None:
    save(tmp_path / "a.index", {}, {"names_starts": starts, "names_bytes": np.zeros(3, "u1")})
    with closing(Parts(tmp_path / "a.index")) as parts, pytest.raises(DamagedError, match="contradict"):
        Texts(parts, "names")
