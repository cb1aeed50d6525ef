"""generations.py and store.py: damage is seen before an answer is given; one writes, others read on."""

import errno
import json
import mmap
import os
import shutil
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from dbt_schema_embed.errors import IndexMismatchError, WriteError
from dbt_schema_embed.index import Index, generations, open_index
from tests.faults import Faults
from tests.index.conftest import DIM, Memo, columns

Open = Callable[..., Index]
FILES = ("vectors.f16", "starts.i64", "digests.b16", "offsets.i64", "ids.utf8", "manifest.json", "basis.f32", "current")


def damage(path: Path, how: str, older: Path) -> None:
    """Damage a file. ``older``: the file of the same name in the generation before."""
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "a folder":
        path.unlink()
        path.mkdir()
    elif how == "older version":
        path.write_bytes(older.read_bytes())
    else:
        path.write_bytes(
            {
                "empty": b"",
                "truncated": content[: len(content) // 2],
                "garbage head": bytes(b ^ 0x5A for b in content[:64]) + content[64:],
                "garbage tail": content[:-8] + bytes(b ^ 0x5A for b in content[-8:]),
                "longer": content + b"\0" * 8,
                "one bit": content[:-5] + bytes([content[-5] ^ 1]) + content[-4:],
                "garbage": os.urandom(len(content)),
            }[how]
        )


HOW = (
    "missing", "a folder", "older version", "empty", "truncated", "garbage head", "garbage tail", "longer", "one bit",
    "garbage",
)  # fmt: skip


@pytest.fixture
def two(opened: Open, tmp_path: Path) -> tuple[Memo, Path, Path]:
    """An index with reduced dimensions, its folder, and a copy of the generation before."""
    memo = Memo(columns(40))
    index = opened(dimensions=8)
    index.update(memo.items, memo)
    older = tmp_path / "older"
    shutil.copytree(current(tmp_path / "index"), older)
    shutil.copy(tmp_path / "index/current", older / "current")
    memo.items["new"] = "new"
    del memo.items["model.shop.m0|c0"]
    index.update(memo.items, memo)
    index.close()
    memo.asked.clear()
    return memo, tmp_path / "index", older


def current(folder: Path) -> Path:
    """The folder of the generation in force."""
    return folder / "generations" / str(json.loads((folder / "current").read_text())["generation"])


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", FILES)
def test_damage_is_seen_before_an_answer_and_mended_from_the_memo(
    opened: Open, two: tuple[Memo, Path, Path], name: str, how: str
) -> None:
    memo, folder, older = two
    path = folder / "current" if name == "current" else current(folder) / name
    same = path.read_bytes() == (older / name).read_bytes()
    damage(path, how, older / name)
    index = opened(dimensions=8)
    query = memo.of(["new"])
    if how == "older version" and same:
        assert index.query(query, 1)[0] == [["new"]]
        return
    with pytest.raises(IndexMismatchError, match="is damaged"):
        index.query(query, 3)
    assert index.update(memo.items, memo).added == len(memo.items)
    assert len(memo.asked) == len(memo.items)
    assert len(index.notes) == 1
    assert "was damaged" in index.notes[0]
    assert "\n" not in index.notes[0]
    assert index.query(query, 1)[0] == [["new"]]
    assert len(list((folder / "generations").iterdir())) == 1


def test_a_whole_older_state_is_brought_up_to_date(opened: Open, two: tuple[Memo, Path, Path]) -> None:
    memo, folder, older = two
    generation = json.loads((older / "current").read_text())["generation"]
    shutil.copytree(older, folder / "generations" / generation)
    shutil.copy(older / "current", folder / "current")
    index = opened(dimensions=8)
    changes = index.update(memo.items, memo)
    assert (changes.added, changes.removed, changes.kept) == (1, 1, 39)
    assert memo.asked == ["new"]
    assert index.notes == []


def test_a_hostile_encoder_is_named_without_harm(opened: Open, two: tuple[Memo, Path, Path]) -> None:
    memo, folder, _ = two
    resigned(folder, lambda m: m["identity"].update(encoder_id="\x1b[2J\u202ename\n"))
    with pytest.raises(IndexMismatchError, match=r"was made for encoder \[2Jname, "):
        opened(dimensions=8).query(memo.of(["new"]), 3)


def test_the_generation_folder_gone(opened: Open, two: tuple[Memo, Path, Path]) -> None:
    memo, folder, _ = two
    shutil.rmtree(folder / "generations")
    index = opened(dimensions=8)
    with pytest.raises(IndexMismatchError, match=r"manifest\.json: No such file"):
        index.query(memo.of(["new"]), 3)
    index.update(memo.items, memo)
    assert index.query(memo.of(["new"]), 1)[0] == [["new"]]


def resigned(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest and make the pointer fit: what a hostile hand would do."""
    path = current(folder) / "manifest.json"
    data = json.loads(path.read_bytes())
    change(data)
    content = json.dumps(data).encode()
    path.write_bytes(content)
    pointer = {"generation": path.parent.name, "size": len(content), "crc": zlib.crc32(content)}
    (folder / "current").write_text(json.dumps(pointer))


def planted(folder: Path, name: str, content: bytes) -> None:
    """Replace a file of the generation and make the checksums fit."""
    (current(folder) / name).write_bytes(content)
    resigned(folder, lambda m: m["files"].update({name: [len(content), zlib.crc32(content)]}))


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(format=99),
        lambda m: m.update(rows=10**15),
        lambda m: m.update(rows=-1),
        lambda m: m.update(items=-1),
        lambda m: m.update(items=10**30),
        lambda m: m.update(rows="many"),
        lambda m: m.update(items=0),
        lambda m: m.pop("identity"),
        lambda m: m.pop("files"),
        lambda m: m["files"].pop("vectors.f16"),
        lambda m: m["files"].update({"../../../x": [0, 0]}),
        lambda m: m["files"].update({"chroma/../../x": [0, 0]}),
        lambda m: m["files"].update({"/etc/passwd": [0, 0]}),
        lambda m: m["identity"].update(dim=0),
        lambda m: m["identity"].update(dim=-5),
    ],
)
def test_a_hostile_manifest(opened: Open, two: tuple[Memo, Path, Path], change: Callable[[Any], object]) -> None:
    memo, folder, _ = two
    resigned(folder, change)
    with pytest.raises(IndexMismatchError):
        opened(dimensions=8).query(memo.of(["new"]), 3)


@pytest.mark.parametrize("name", ["starts.i64", "offsets.i64"])
@pytest.mark.parametrize("first", [2**62, -1, 41])
def test_tables_that_point_outside(opened: Open, two: tuple[Memo, Path, Path], name: str, first: int) -> None:
    memo, folder, _ = two
    table = np.fromfile(current(folder) / name, "<i8")
    table[1] = first
    planted(folder, name, table.tobytes())
    if first != 41 or name == "starts.i64":  # 41 is within the ids' text: wrong, but nothing a table can show
        with pytest.raises(IndexMismatchError, match="contradict"):
            opened(dimensions=8).query(memo.of(["new"]), 3)


@pytest.mark.parametrize("name", ["../../elsewhere", "/", "", ".", "x" * 16, "0" * 17])
def test_a_hostile_pointer(opened: Open, two: tuple[Memo, Path, Path], name: object) -> None:
    memo, folder, _ = two
    data = json.loads((folder / "current").read_text())
    (folder / "current").write_text(json.dumps(data | {"generation": name}))
    with pytest.raises(IndexMismatchError, match="'current' names no generation"):
        opened(dimensions=8).query(memo.of(["new"]), 3)


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        "1",
        "null",
        '{"generation": 1}',
        "\x00",
        " " * 10**6,
        '{"generation": 5, "size": 1, "crc": 1}',
        '{"generation": null, "size": 1, "crc": 1}',
        '{"generation": "0123456789abcdef", "size": 1e999, "crc": 1}',
        '{"generation": "0123456789abcdef", "size": "1", "crc": 1}',
    ],
)
def test_a_pointer_that_is_none(opened: Open, two: tuple[Memo, Path, Path], content: str) -> None:
    memo, folder, _ = two
    (folder / "current").write_text(content)
    with pytest.raises(IndexMismatchError, match="'current' is unreadable"):
        opened(dimensions=8).query(memo.of(["new"]), 3)


@pytest.mark.parametrize("size", [-1, 2**40, 2**63])
def test_a_manifest_of_any_size(opened: Open, two: tuple[Memo, Path, Path], size: int) -> None:
    memo, folder, _ = two
    data = json.loads((folder / "current").read_text())
    (folder / "current").write_text(json.dumps(data | {"size": size}))
    with pytest.raises(IndexMismatchError, match="'current' names no generation"):
        opened(dimensions=8).query(memo.of(["new"]), 3)


def test_ids_that_are_no_text(opened: Open, two: tuple[Memo, Path, Path]) -> None:
    """The checksum is right, the bytes are no UTF-8: seen when the ids are read, and mended as any other damage."""
    memo, folder, _ = two
    size = (current(folder) / "ids.utf8").stat().st_size
    planted(folder, "ids.utf8", b"\xff" * size)
    index = opened(dimensions=8)
    with pytest.raises(IndexMismatchError, match=r"damaged: ids\.utf8"):
        index.query(memo.of(["new"]), 3)
    index.update(memo.items, memo)
    assert index.query(memo.of(["new"]), 1)[0] == [["new"]]


def test_vectors_that_are_no_numbers(opened: Open, two: tuple[Memo, Path, Path]) -> None:
    """With a right checksum: somebody else has written them."""
    memo, folder, _ = two
    size = (current(folder) / "vectors.f16").stat().st_size
    planted(folder, "vectors.f16", b"\xff" * size)
    index = opened(dimensions=8)
    with pytest.raises(IndexMismatchError, match="not all numbers"):
        index.query(memo.of(["new"]), 3)
    index.update(memo.items, memo, verify=True)
    assert index.query(memo.of(["new"]), 1)[0] == [["new"]]


def test_a_read_that_fails(opened: Open, two: tuple[Memo, Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    memo, _, _ = two

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(mmap, "mmap", fail)
    with pytest.raises(IndexMismatchError, match="Cannot allocate memory"):
        opened(dimensions=8).query(memo.of(["new"]), 3)


# Writing


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_the_kth_call_fails_for_every_k(tmp_path: Path, error: int) -> None:
    """The old items or the new ones are found, never others, and the next update succeeds."""
    old, new = Memo(columns(30)), Memo(columns(30) | {"new": "new"})
    start = tmp_path / "start"
    first = open_index(start, encoder_id="e", dim=DIM, text_version=1)
    first.update(old.items, old)
    first.close()
    failed: set[str] = set()
    for k in range(1, 400):
        folder = tmp_path / str(k)
        shutil.copytree(start, folder)
        index = open_index(folder, encoder_id="e", dim=DIM, text_version=1)
        with pytest.MonkeyPatch.context() as patch:
            faults = Faults(patch, k, error)
            try:
                index.update(new.items, new)
            except (WriteError, IndexMismatchError):
                failed.add(faults.failed)
        index.close()
        reader = open_index(folder, encoder_id="e", dim=DIM, text_version=1)
        found = reader.query(new.of(["new"]), 100)[0][0]
        assert sorted(found) in (sorted(old.items), sorted(new.items)), faults.failed
        assert reader.update(new.items, new).kept == len(found)
        assert reader.query(new.of(["new"]), 1)[0] == [["new"]]
        assert len(list((folder / "generations").iterdir())) == 1
        assert reader.notes == []
        reader.close()
        shutil.rmtree(folder)
        if not faults.failed:
            break
    else:
        pytest.fail("no run without a fault")
    assert failed >= {"open", "write", "fsync", "replace", "mkdir"}


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_the_kth_call_fails_while_the_first_index_is_built(tmp_path: Path, error: int) -> None:
    """There is the whole index or none, and the next update succeeds."""
    memo = Memo(columns(30))
    query = memo.of(["model.shop.m1|c11"])
    for k in range(1, 400):
        folder = tmp_path / str(k)
        index = open_index(folder, encoder_id="e", dim=DIM, text_version=1)
        with pytest.MonkeyPatch.context() as patch:
            faults = Faults(patch, k, error)
            try:
                index.update(memo.items, memo)
            except (WriteError, IndexMismatchError):
                assert faults.failed
        index.close()
        reader = open_index(folder, encoder_id="e", dim=DIM, text_version=1)
        try:
            found = reader.query(query, 100)[0][0]
        except IndexMismatchError:
            found = []
        assert found or faults.failed
        assert sorted(found) in ([], sorted(memo.items)), faults.failed
        reader.update(memo.items, memo)
        assert reader.query(query, 1)[0] == [["model.shop.m1|c11"]]
        assert len(list((folder / "generations").iterdir())) == 1
        reader.close()
        if not faults.failed:
            return
    pytest.fail("no run without a fault")


def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if os.getuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no small file system can be mounted here")
    try:
        memo = Memo(columns(100))
        index = open_index(disk / "index", encoder_id="e", dim=DIM, text_version=1)
        index.update(memo.items, memo)
        with pytest.raises(WriteError, match="No space left on device"):
            index.update(columns(20_000), Memo(columns(20_000)))
        query = memo.of(["model.shop.m1|c11"])
        assert index.query(query, 1)[0] == [["model.shop.m1|c11"]]
        assert len(list((disk / "index/generations").iterdir())) == 1
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        reader = open_index(disk / "index", encoder_id="e", dim=DIM, text_version=1)
        assert reader.query(query, 1)[0] == [["model.shop.m1|c11"]]
        with pytest.raises(WriteError, match="Read-only file system"):
            reader.update(columns(3), memo)
        reader.close()
        index.close()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_the_manifest_survives_a_round_trip(two: tuple[Memo, Path, Path]) -> None:
    content = (current(two[1]) / "manifest.json").read_bytes()
    assert generations.Manifest.from_json(content).to_json() == content
    assert msgspec.json.decode(content)["identity"] == {
        "encoder_id": "e", "dim": DIM, "text_version": 1, "dimensions": 8,
    }  # fmt: skip
