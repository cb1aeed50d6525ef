"""The memo counted, emptied and carried as one file; no file can harm the one who imports it."""

import hashlib
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.embed.disk_store import DiskStore
from dbt_schema_embed.embed.memo_files import FOLDER, export_memo, import_memo, memo_clear, memo_stats
from dbt_schema_embed.errors import MemoError, WriteError

ITEMS = {f"{n:040x}": bytes([n % 251]) * 1552 for n in range(2300)}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache folder with a filled memo."""
    folder = tmp_path / "cache"
    DiskStore(folder / FOLDER).write(ITEMS)
    return folder


def test_stats(cache: Path, tmp_path: Path) -> None:
    """Entries and bytes; of a memo that is not there, none."""
    stats = memo_stats(cache)
    assert stats["entries"] == 2300
    assert 2300 * 1552 < stats["bytes"] < 2300 * 1552 * 2
    assert stats["path"] == str(cache / FOLDER)
    assert memo_stats(tmp_path / "none") | {"path": ""} == {
        "path": "", "entries": 0, "bytes": 0, "size_limit": 4 * 2**30, "notes": [],
    }  # fmt: skip
    assert not (tmp_path / "none").exists()


def test_clear(cache: Path, tmp_path: Path) -> None:
    """Says how many went; a memo that is not there stays so."""
    assert memo_clear(cache) == 2300
    assert memo_stats(cache)["entries"] == 0
    assert memo_clear(tmp_path / "none") == 0
    assert not (tmp_path / "none").exists()


def test_carried_as_one_file(cache: Path, tmp_path: Path) -> None:
    """Everything arrives; nothing else is left beside the file."""
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "memo.bin"
    assert export_memo(cache, path) == 2300
    assert [p.name for p in path.parent.iterdir()] == ["memo.bin"]
    assert import_memo(tmp_path / "other", path) == 2300
    assert DiskStore(tmp_path / "other" / FOLDER).read(list(ITEMS)) == ITEMS


def test_an_import_adds(cache: Path, tmp_path: Path) -> None:
    """What was there stays; imported entries live as long as told."""
    path = tmp_path / "memo.bin"
    export_memo(cache, path)
    other = DiskStore(tmp_path / "other" / FOLDER)
    other.write({"own": b"1"})
    import_memo(tmp_path / "other", path, ttl=-1)
    assert other.count() == 1
    import_memo(tmp_path / "other", path)
    assert other.count() == 2301


def test_an_empty_memo_is_a_file_too(tmp_path: Path) -> None:
    """With no entries."""
    assert export_memo(tmp_path / "none", tmp_path / "memo.bin") == 0
    assert import_memo(tmp_path / "none", tmp_path / "memo.bin") == 0


def test_a_place_that_cannot_be_written(cache: Path, tmp_path: Path) -> None:
    """Is named, and nothing is left behind."""
    with pytest.raises(WriteError, match=r"missing/memo\.bin could not be written: No such file"):
        export_memo(cache, tmp_path / "missing" / "memo.bin")
    (tmp_path / "folder").mkdir()
    with pytest.raises(WriteError, match="folder could not be written: Is a directory"):
        export_memo(cache, tmp_path / "folder")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache", "folder"]


def sealed(body: bytes) -> bytes:
    """A file with a right checksum, whatever is in it."""
    whole = b"DSEmemo1" + body
    return whole + hashlib.sha256(whole).digest()


ENTRY = struct.pack("<BI", 3, 4) + b"key" + b"1234"
BAD = [
    (b"", "is not an exported memo"),
    (b"PK\x03\x04 a zip file", "is not an exported memo"),
    (b"DSEmemo1", "checksum is wrong"),
    (sealed(ENTRY + b"\0")[:-1], "checksum is wrong"),
    (sealed(ENTRY + b"\0") + b"x", "checksum is wrong"),
    (sealed(ENTRY + b"\0").replace(b"1234", b"1235"), "checksum is wrong"),
    (sealed(b""), "something that is no entry"),
    (sealed(ENTRY[:-1]), "something that is no entry"),
    (sealed(struct.pack("<BI", 3, 2**32 - 1) + b"key"), "something that is no entry"),
    (sealed(struct.pack("<BI", 3, 4) + "kéy".encode()[:3] + b"1234\0"), "something that is no entry"),
]


@pytest.mark.parametrize(("content", "message"), BAD)
def test_a_bad_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """With its name."""
    path = tmp_path / "memo.bin"
    path.write_bytes(content)
    with pytest.raises(MemoError, match=message) as problem:
        import_memo(tmp_path / "cache", path)
    assert str(path) in problem.value.message


def test_a_missing_file(tmp_path: Path) -> None:
    """Says so."""
    with pytest.raises(MemoError, match=r"memo\.bin cannot be read: No such file or directory"):
        import_memo(tmp_path / "cache", tmp_path / "memo.bin")


@given(st.binary(max_size=400))
def test_no_sealed_file_does_more_than_fail(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    """Anybody can make a right checksum: what follows is an entry, the end, or a MemoError."""
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "memo.bin").write_bytes(sealed(body))
    try:
        entries = import_memo(folder, folder / "memo.bin")
    except MemoError:
        return
    assert entries >= DiskStore(folder / FOLDER).count()
