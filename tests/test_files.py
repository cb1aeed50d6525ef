"""files.py: a write is whole or has not happened, whatever fails; names from outside become harmless."""

import errno
import multiprocessing
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed import files
from dbt_schema_embed.errors import EditedError, WriteError
from dbt_schema_embed.files import ABSENT, content_hash, replacing, write_text
from tests.faults import Faults


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks stand in the system's temporary folder: give each test its own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("system-temporary")))


def leftovers(folder: Path) -> list[str]:
    return [p.name for p in folder.rglob("*") if "schema-embed-" in p.name]


def test_a_new_file_is_written_with_its_folders_and_the_usual_mode(tmp_path: Path) -> None:
    assert write_text(tmp_path / "a/b/c.yml", "x: é\n", root=tmp_path, expected_hash=ABSENT)
    assert (tmp_path / "a/b/c.yml").read_bytes() == "x: é\n".encode()
    plain = tmp_path / "plain"
    plain.touch()
    assert (tmp_path / "a/b/c.yml").stat().st_mode == plain.stat().st_mode
    assert leftovers(tmp_path) == []


def test_a_file_that_would_not_change_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"a: 1\r\n")
    path.chmod(0o444)  # so that any write would be refused
    before = path.stat()
    assert not write_text(path, "a: 1\n", root=tmp_path)
    assert path.stat() == before


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o664])
def test_the_mode_is_kept(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.yml"
    path.write_text("old")
    path.chmod(mode)
    assert write_text(path, "new", root=tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize(
    ("old", "text", "new"),
    [
        (b"a\nb\n", "a\nc\n", b"a\nc\n"),
        (b"a\r\nb\r\n", "a\nc\n", b"a\r\nc\r\n"),
        (b"a\r\nb\r\nc\n", "a\nc\n", b"a\r\nc\r\n"),
        (b"a\r\nb\nc\n", "a\nc\n", b"a\nc\n"),
        (b"a\r\nb\n", "a\r\nc\n", b"a\r\nc\n"),
        (b"\xef\xbb\xbfa\r\n", "b\n", b"\xef\xbb\xbfb\r\n"),
        (b"\xef\xbb\xbfa\n", "\ufeffb\n", b"\xef\xbb\xbfb\n"),
        (b"a\n", "\ufeffb\n", b"\xef\xbb\xbfb\n"),
        (b"", "b\n", b"b\n"),
        (b"\xff\xfe not UTF-8", "b\n", b"b\n"),
    ],
)
def test_line_ends_and_byte_order_mark_of_the_old_file_are_kept(
    tmp_path: Path, old: bytes, text: str, new: bytes
) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(old)
    assert write_text(path, text, root=tmp_path)
    assert path.read_bytes() == new


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")), crlf=st.booleans())
def test_writing_twice_writes_once(tmp_path_factory: pytest.TempPathFactory, text: str, crlf: bool) -> None:
    folder = tmp_path_factory.mktemp("twice")
    path = folder / "a.yml"
    path.write_bytes(b"\xef\xbb\xbfold\r\n" if crlf else b"old\n")
    write_text(path, text, root=folder)
    assert not write_text(path, text, root=folder)
    assert path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n") == text.removeprefix("\ufeff")


def test_a_symlink_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real/a.yml", tmp_path / "a.yml"
    real.write_text("old")
    link.symlink_to("real/a.yml")
    assert write_text(link, "new", root=tmp_path)
    assert link.is_symlink()
    assert real.read_text() == "new"


@pytest.mark.parametrize("target", ["../outside/a.yml", "../outside", "/", "a.yml"])
def test_a_symlink_out_of_the_project_is_refused(tmp_path: Path, target: str) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    project.mkdir()
    outside.mkdir()
    (outside / "a.yml").write_text("theirs")
    (project / "a.yml").symlink_to(target)
    with pytest.raises(WriteError):
        write_text(project / "a.yml", "ours", root=project)
    assert (outside / "a.yml").read_text() == "theirs"


def test_a_folder_that_is_a_symlink_out_of_the_project_is_refused(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    project.mkdir()
    outside.mkdir()
    (project / "sub").symlink_to(outside)
    with pytest.raises(WriteError, match="is outside"):
        write_text(project / "sub/a.yml", "ours", root=project)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../a", "sub/../../a", "sub/../a", "..\\a", "a\0b", "/etc/schema-embed", ".", "a\\b", "x" * 300]
)
def test_hostile_paths_are_refused(tmp_path: Path, name: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    with pytest.raises(WriteError) as caught:
        write_text(project / name, "ours", root=project)
    assert "\0" not in str(caught.value)
    assert list(project.iterdir()) == []
    assert list(tmp_path.iterdir()) == [project]


def test_a_relative_root_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "proj/proj").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert write_text(Path("proj/proj/a.yml"), "x", root=Path("proj"))
    assert (tmp_path / "proj/proj/a.yml").read_text() == "x"
    with pytest.raises(WriteError):
        write_text(Path("a.yml"), "x", root=Path("proj"))


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(WriteError, match="not a regular file"):
            write_text(tmp_path / name, "x", root=tmp_path)


def test_a_read_only_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(WriteError, match=r"a\.yml could not be written: it is read-only"):
        write_text(path, "new", root=tmp_path)
    assert path.read_text() == "old"


def test_text_that_is_not_unicode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="not Unicode"):
        write_text(tmp_path / "a.yml", "\ud800", root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_changed_since_it_was_read_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text("theirs")
    for expected in (ABSENT, content_hash(b"what we read")):
        with pytest.raises(WriteError, match="changed by somebody else"):
            write_text(path, "ours", root=tmp_path, expected_hash=expected)
    assert path.read_text() == "theirs"
    assert write_text(path, "ours", root=tmp_path, expected_hash=content_hash(b"theirs"))


@pytest.mark.parametrize("old", ["old", None])
def test_a_file_changed_while_we_write_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str | None
) -> None:
    path = tmp_path / "a.yml"
    if old is not None:
        path.write_text(old)
    fsync = os.fsync

    def edit(descriptor: int) -> None:
        path.write_text("theirs")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", edit)
    with pytest.raises(WriteError, match="changed by somebody else"):
        write_text(path, "ours", root=tmp_path)
    assert path.read_text() == "theirs"
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("old", ["old\n", None])
@pytest.mark.parametrize("exchange", [True, False])
def test_the_kth_call_fails_for_every_k(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, old: str | None, exchange: bool
) -> None:
    """Old content or new content, never else; the error names the file; the next write works."""
    if not exchange:
        monkeypatch.setattr(files, "_exchanged", lambda *_: False)
        monkeypatch.setattr(os, "link", no_links)
    outcomes: set[str] = set()
    for k in range(1, 200):
        folder = tmp_path / str(k)
        folder.mkdir()
        path = folder / "a.yml"
        if old is not None:
            path.write_text(old)
        message = "a.yml"
        with pytest.MonkeyPatch.context() as patch:
            faults = Faults(patch, k, error)
            try:
                write_text(path, "new\n", root=folder)
            except WriteError as problem:
                outcomes.add(faults.failed)
                message = str(problem)
        assert "a.yml" in message or "dbt-schema-embed" in message
        content = path.read_text() if path.exists() else None
        assert content in (old, "new\n"), faults.failed
        if faults.failed != "unlink":
            assert leftovers(folder) == [], faults.failed
        write_text(path, "new\n", root=folder)
        assert path.read_text() == "new\n"
        if not faults.failed:
            break
    else:
        pytest.fail("no run without a fault")
    expected = {"open", "write", "fsync"} | ({"read_bytes"} if old else set()) | (set() if exchange else {"replace"})
    assert expected <= outcomes


def no_links(*_: object) -> None:
    raise OSError(errno.EOPNOTSUPP, "no hard links here")


class Editor:
    """Saves a file at the very moment before ours takes its place; takes no lock of ours."""

    def __init__(self, path: Path, *texts: str, in_place: bool) -> None:
        self.path, self.texts, self.in_place = path, list(texts), in_place
        self.exchanged = files._exchanged

    def save(self) -> None:
        text = self.texts.pop(0)
        if self.in_place:
            self.path.write_text(text)
        else:
            other = self.path.with_name("editor.tmp")
            other.write_text(text)
            other.replace(self.path)

    def __call__(self, one: Path, other: Path) -> bool:
        if self.texts:
            self.save()
        return self.exchanged(one, other)


@pytest.mark.skipif(sys.platform != "linux", reason="files can be exchanged on Linux only")
@pytest.mark.parametrize("in_place", [True, False])
def test_an_editors_save_in_the_last_moment_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_place: bool
) -> None:
    path = tmp_path / "a.yml"
    path.write_text("old")
    monkeypatch.setattr(files, "_exchanged", Editor(path, "theirs", in_place=in_place))
    with pytest.raises(EditedError, match="changed by somebody else"):
        write_text(path, "ours", root=tmp_path)
    assert path.read_text() == "theirs"
    assert [p.name for p in tmp_path.iterdir()] == ["a.yml"]


@pytest.mark.skipif(sys.platform != "linux", reason="files can be exchanged on Linux only")
def test_of_two_saves_in_the_last_moment_both_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.yml"
    path.write_text("old")
    monkeypatch.setattr(files, "_exchanged", Editor(path, "theirs", "theirs, too", in_place=False))
    with pytest.raises(EditedError, match=r"and so is what it was before, as a\.yml\.[0-9a-f]{8}\.saved"):
        write_text(path, "ours", root=tmp_path)
    assert path.read_text() == "theirs, too"
    assert {p.read_text() for p in tmp_path.iterdir()} == {"theirs", "theirs, too"}


def test_a_file_that_appears_in_the_last_moment_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.yml"
    link = os.link

    def late(one: Path, other: Path) -> None:
        path.write_text("theirs")
        link(one, other)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(EditedError, match="changed by somebody else"):
        write_text(path, "ours", root=tmp_path, expected_hash=ABSENT)
    assert path.read_text() == "theirs"
    assert leftovers(tmp_path) == []


def test_short_writes_are_carried_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data)[:3]))
    assert write_text(tmp_path / "a.yml", "0123456789", root=tmp_path)
    assert (tmp_path / "a.yml").read_text() == "0123456789"


def test_old_temporary_files_are_swept_and_young_ones_left(tmp_path: Path) -> None:
    old, young = tmp_path / ".schema-embed-00.tmp", tmp_path / ".schema-embed-01.tmp"
    for path in (old, young):
        path.touch()
    os.utime(old, (0, 0))
    write_text(tmp_path / "a.yml", "x", root=tmp_path)
    assert not old.exists()
    assert young.exists()


def test_a_stream_takes_the_place_of_a_file_or_has_not_happened(tmp_path: Path) -> None:
    path, old = tmp_path / "a.bin", tmp_path / ".schema-embed-00.tmp"
    old.touch()
    os.utime(old, (0, 0))
    with replacing(path) as stream:
        stream.write(b"whole")
    with pytest.raises(ValueError, match="midway"), replacing(path) as stream:  # noqa: PT012
        stream.write(b"half")
        raise ValueError("midway")
    assert path.read_bytes() == b"whole"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_held_lock_costs_a_bounded_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LOCK_SECONDS", 0.2)
    with files._lock(tmp_path):
        started = time.monotonic()
        with pytest.raises(WriteError, match="another process"):
            write_text(tmp_path / "a.yml", "x", root=tmp_path)
        assert time.monotonic() - started < 2
    assert write_text(tmp_path / "a.yml", "x", root=tmp_path)


def test_a_lock_folder_of_somebody_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = tmp_path / "system"
    system.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (system / f"dbt-schema-embed-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setattr("tempfile.tempdir", str(system))
    with pytest.raises(WriteError, match="belongs to somebody else"):
        write_text(tmp_path / "a.yml", "x", root=tmp_path)


@pytest.mark.parametrize("problem", [OSError(errno.ENOTSUP, "not supported"), NotImplementedError("flock")])
def test_a_file_system_without_locks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def refuse(*_: object) -> None:
        raise problem

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(WriteError, match="no lock can be taken") as caught:
        write_text(tmp_path / "a.yml", "x", root=tmp_path)
    assert "TMPDIR" in caught.value.hint
    assert not (tmp_path / "a.yml").exists()


def append_lines(path: str, temporary: str, word: str) -> None:
    """Read, add a line, write; start again when somebody else was faster."""
    import tempfile

    tempfile.tempdir = temporary
    added = 0
    while added < 10:
        old = Path(path).read_bytes()
        try:
            text = old.decode() + f"{word}{added}\n"
            write_text(Path(path), text, root=Path(path).parent, expected_hash=content_hash(old))
            added += 1
        except WriteError:
            continue


def test_several_writers_lose_nobodys_change(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text("")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=append_lines, args=(str(path), str(temporary), w)) for w in "abc"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert sorted(path.read_text().split()) == sorted(f"{w}{n}" for w in "abc" for n in range(10))


KILLED = """
import sys, tempfile
from pathlib import Path
from dbt_schema_embed.files import write_text
path = Path(sys.argv[1])
tempfile.tempdir = sys.argv[2]
write_text(path, "0\\n" * 20_000, root=path.parent)
print("go", flush=True)
n = 0
while True:
    n += 1
    write_text(path, f"{n}\\n" * 20_000, root=path.parent)
    print(n, flush=True)
"""


def test_a_kill_leaves_a_whole_file_with_all_that_was_acknowledged(tmp_path: Path) -> None:
    path, temporary = tmp_path / "a.yml", tmp_path / "temporary"
    temporary.mkdir()
    for kill in range(10):
        command = [sys.executable, "-c", KILLED, str(path), str(temporary)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            assert process.stdout.readline() == "go\n"
            time.sleep(0.02 + 0.013 * kill)
            process.kill()
            acknowledged = [int(line) for line in process.stdout.read().split()]
        if path.exists():
            lines = path.read_text().split()
            assert len(lines) == 20_000
            assert len(set(lines)) == 1
            assert int(lines[0]) in ([acknowledged[-1], acknowledged[-1] + 1] if acknowledged else [int(lines[0])])
        assert write_text(path, "between", root=tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB, where this machine lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if os.getuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no small file system can be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    path = small_disk / "a.yml"
    path.write_text("old")
    with pytest.raises(WriteError, match="No space left on device"):
        write_text(path, "x" * 200_000, root=small_disk)
    assert path.read_text() == "old"
    assert leftovers(small_disk) == []
    assert write_text(path, "new", root=small_disk)


def test_a_read_only_file_system(small_disk: Path) -> None:
    (small_disk / "a.yml").write_text("old")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for name in ("a.yml", "b.yml"):
        with pytest.raises(WriteError, match=r"(?i)read-only"):
            write_text(small_disk / name, "new", root=small_disk)
    assert (small_disk / "a.yml").read_text() == "old"
