"""How this package writes files people own. A leaf beside records and errors: any room may import it.

A write is whole or has not happened: the bytes go to a temporary file in the same folder, are synced, and take the old
file's place in one step. Mode, symlinks, line ends and byte order mark of the old file stay. A hard link becomes a
file of its own: no rename can keep it.

Ours wait for each other at a lock. Editors take none: on Linux the two files are exchanged, so that what was replaced
is at hand, looked at, and put back when it is not what was read. Elsewhere a save between the look and the rename is
lost.
"""

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from dbt_schema_embed.errors import ArtifactError, EditedError, WriteError, printable

ABSENT = ""
"""The ``expected_hash`` of a file that must not exist yet."""

NAME_BYTES = 200
"""Longest name `safe_name` gives, in UTF-8 bytes: room for an extension below the usual limit of 255."""

LOCK_SECONDS = 10.0
_STALE_SECONDS = 3600.0
_BOM = b"\xef\xbb\xbf"
_TEMPORARY = ".schema-embed-"
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)


def content_hash(content: bytes) -> str:
    """SHA-256 of ``content``, 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def read_bounded(path: Path, limit: int) -> bytes | None:
    """The content of a file; None of one with more than ``limit`` bytes, which is not read on. Raises OSError."""
    with path.open("rb") as file:
        content = file.read(limit + 1)
    return content if len(content) <= limit else None


def read_bytes(path: Path, what: str, hint: str, limit: int) -> bytes:
    """All bytes of the file, refused unread above ``limit`` bytes.

    Raises:
        ArtifactError: missing, a folder, unreadable or too large.
    """
    shown = printable(path)
    try:
        if not path.exists():
            raise ArtifactError(f"there is no {what} at {shown}", hint=hint)
        if not path.is_file():
            raise ArtifactError(f"the {what} {shown} is not a file", hint=hint)
        size = path.stat().st_size
        if size > limit:
            raise ArtifactError(f"the {what} {shown} has {size:,} bytes, more than {limit:,} are not read")
        return path.read_bytes()
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the path
        reason = getattr(problem, "strerror", None) or str(problem)
        raise ArtifactError(f"the {what} {shown} cannot be read: {reason}") from None


def write_text(path: Path, text: str, *, root: Path, expected_hash: str | None = None) -> bool:
    """Write ``text`` as UTF-8 to ``path``, below ``root``, and say whether the file changed.

    Missing folders below ``root`` are made. A symlink is written through when its target is inside ``root``. Text
    without carriage returns takes the line ends of the file it replaces, and its byte order mark. A file that would
    not change is not touched.

    ``expected_hash`` is the `content_hash` of the bytes the caller's text was made from (`ABSENT`: no file), None when
    the caller read nothing.

    Raises:
        EditedError: the file was changed by somebody else since it was read.
        WriteError: a path outside ``root``, a read-only or full disk, anything that is no regular file. The old content
            stands, and no temporary file is left.
    """
    real = _inside(path, root)
    return _write(real, lambda old: _bytes(text, old, real), expected_hash)


def _write(real: Path, made: Callable[[bytes | None], bytes], expected_hash: str | None = None) -> bool:
    """Write what is ``made`` of the old bytes; see `write_text`."""
    try:
        old = _read(real)
        new = made(old)
        if new == old:
            return False
        if expected_hash is not None and _hash(old) != expected_hash:
            raise _edited(real)
        real.parent.mkdir(parents=True, exist_ok=True)
        with _lock(real.parent):
            _replace(real, new, old)
    except OSError as problem:
        raise WriteError(f"{real} could not be written: {problem.strerror or problem}") from None
    return True


def others_may_write(folder: Path) -> str:
    """What is to be said of a folder of ours that others may write to; "" where they may not, or there is none."""
    if not hasattr(os, "getuid"):
        return ""
    try:
        found = folder.stat()
    except OSError:  # not there yet, or to be told of by what is done there
        return ""
    if found.st_uid != os.getuid():
        return "belongs to another user: set EMBEDDING_CACHE_DIR"
    return "can be written by other users: chmod 700 it" if found.st_mode & 0o022 else ""


def shown_path(root: Path, path: Path) -> str:
    """``path`` as people are told it: relative to the project where it can be, with slashes."""
    return printable(path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix())


def save(path: Path, text: str, root: Path | None = None) -> None:
    """Write a result to the file somebody named, whole or not at all; missing folders are made.

    ``root``: nobody named it, and it must be below that folder. What the user names may be anywhere, but a link that a
    repository holds at that place must not lead it out of its folder.

    Raises:
        WriteError: it cannot be written.
    """
    if root is None:
        refuse_links(path)
    write_text(path, text, root=root or Path(path.absolute().anchor))


def save_bytes(path: Path, content: bytes) -> None:
    """`save` of bytes, to a file that somebody named."""
    refuse_links(path)
    _write(_inside(path, Path(path.absolute().anchor)), lambda _: content)


def refuse_links(path: Path) -> None:
    """Say no to a place that somebody named and that a link leads away from.

    Raises:
        WriteError: the file, or a folder of a relative path, is a link out of the folder it stands in.
    """
    for part in (path, *(() if path.is_absolute() else path.parents)):
        if part.is_symlink() and not inside(part, part.parent):
            raise WriteError(
                f"{printable(part)} is a link out of its folder: nothing is written there",
                hint="name the file it leads to, if that is right",
            )


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A stream whose content takes the place of ``path`` when the block ends well; else the old file stands.

    For files of our own: readable by their owner only. What a killed process left beside it goes with the next one.

    Raises:
        OSError: the folder is missing, or the disk is full or read-only. What the block raises passes through.
    """
    _sweep(path.parent)
    temporary = path.parent / f"{_TEMPORARY}{secrets.token_hex(8)}.tmp"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def safe_name(text: str) -> str:
    """A file name made from an outside name: one path part on every system, at most `NAME_BYTES` bytes.

    Ordinary names (letters, digits, ``_``, ``-``, ``.``) stay as they are. Where anything had to be replaced or cut, a
    ``~`` and ten digits of the name's hash follow; no name that stays can hold a ``~``, so two names share a file only
    where their hashes collide, or where they differ in case alone on a disk that ignores case.

    >>> safe_name("stripe__charges")
    'stripe__charges'
    >>> safe_name("../etc/passwd")
    '_._etc_passwd~7fef78f534'
    """
    name = unicodedata.normalize("NFC", text)
    name = "".join(c if c.isalnum() or c in "_-." else "_" for c in name)
    name = re.sub(r"^[.-]|\.$", "_", name)
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    if name == text and name and len(name.encode()) <= NAME_BYTES:
        return name
    digest = content_hash(text.encode("utf-8", "surrogatepass"))[:10]
    short = name.encode("utf-8", "replace")[: NAME_BYTES - 11].decode("utf-8", "ignore")
    return f"{short or '_'}~{digest}"


def inside(path: Path, root: Path) -> bool:
    """Whether ``path``, every symlink followed, is ``root`` or below it. A repository's links may lead anywhere."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):  # a circle of symlinks, a NUL
        return False


def _inside(path: Path, root: Path) -> Path:
    """``path`` with every symlink followed, if that is a place below ``root``."""
    shown = ascii(str(path))
    try:
        base, below = root.resolve(), path.absolute()
        for top in (root.absolute(), base):
            if below.is_relative_to(top):
                below = below.relative_to(top)
        if any(part == ".." or "\\" in part or "\0" in part for part in below.parts[bool(below.anchor) :]):
            raise WriteError(f"{shown} is not a path to write to: '..', backslash or NUL in it")
        real = path.resolve()
    except (OSError, RuntimeError, ValueError) as problem:  # RuntimeError: a circle of symlinks, ValueError: a NUL
        raise WriteError(f"{shown} is not a path to write to: {problem}") from None
    if real == base or not real.is_relative_to(base):
        raise WriteError(f"{shown} is outside {base}: nothing is written there")
    return real


def _read(real: Path) -> bytes | None:
    """The file's bytes, None when there is none. Refuses what is no regular file (a pipe would block)."""
    try:
        mode = real.stat().st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        raise WriteError(f"{real} is not a regular file: nothing is written there")
    return real.read_bytes()


def _hash(content: bytes | None) -> str:
    return ABSENT if content is None else content_hash(content)


def _bytes(text: str, old: bytes | None, real: Path) -> bytes:
    """``text`` with the line ends and the byte order mark of ``old``."""
    try:
        new = text.encode("utf-8")
    except UnicodeEncodeError as problem:
        raise WriteError(f"{real} could not be written: the text is not Unicode ({problem.reason})") from None
    if old is None:
        return new
    crlf = old.count(b"\r\n")
    if b"\r" not in new and crlf > old.count(b"\n") - crlf:
        new = new.replace(b"\n", b"\r\n")
    return _BOM + new if old.startswith(_BOM) and not new.startswith(_BOM) else new


def _edited(real: Path) -> EditedError:
    return EditedError(f"{real} was changed by somebody else meanwhile: it is left as it is", hint="run this again")


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """One writer of ours a folder. The lock file stands in the system's temporary folder, not in people's projects."""
    from filelock import FileLock, Timeout  # a tenth of a second that who only reads need not pay

    user = os.getuid() if hasattr(os, "getuid") else 0
    place = Path(tempfile.gettempdir()) / f"dbt-schema-embed-{user}"
    place.mkdir(mode=0o700, exist_ok=True)
    owner = place.lstat()
    if not stat.S_ISDIR(owner.st_mode) or (owner.st_uid != user and hasattr(os, "getuid")):
        raise WriteError(f"{place} belongs to somebody else: no lock can be taken", hint="set TMPDIR to another folder")
    lock = FileLock(place / f"{content_hash(os.fsencode(folder))[:32]}.lock", timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout:
        raise WriteError(f"{folder} is being written by another process: waited {LOCK_SECONDS:.0f} s") from None
    except (OSError, NotImplementedError) as problem:  # no locks there; filelock 3.20 raises the latter
        said = getattr(problem, "strerror", None) or "its file system has no locks"
        raise WriteError(f"no lock can be taken in {place}: {said}", hint="set TMPDIR to another folder") from None
    try:
        yield
    finally:
        lock.release()


def _replace(real: Path, new: bytes, old: bytes | None) -> None:
    _sweep(real.parent)
    before = real.stat() if old is not None else None
    if before and (not before.st_mode & 0o222 or not os.access(real, os.W_OK)):
        raise PermissionError(errno.EACCES, "it is read-only")
    temporary = real.parent / f"{_TEMPORARY}{secrets.token_hex(8)}.tmp"
    try:
        _write_synced(temporary, new, before)
        if _hash(_read(real)) != _hash(old):
            raise _edited(real)
        if old is None:
            _create(temporary, real)
        elif not _exchanged(temporary, real):
            temporary.replace(real)
        try:
            _sync_folder(real.parent)
        finally:
            if old is not None:
                _restore_edited(temporary, real, new, old)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _create(temporary: Path, real: Path) -> None:
    """Give a new file its name, unless somebody has made one of that name."""
    try:
        os.link(temporary, real)
    except FileExistsError:
        raise _edited(real) from None
    except OSError:  # a file system without hard links
        temporary.replace(real)


def _exchanged(one: Path, other: Path) -> bool:
    """Let two files take each other's names in one step; False: this system cannot."""
    if sys.platform != "linux":
        return False
    import ctypes

    exchange, here = 2, -100  # RENAME_EXCHANGE, AT_FDCWD
    try:
        call = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):
        return False
    return bool(call(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)


def _restore_edited(temporary: Path, real: Path, new: bytes, old: bytes) -> None:
    """After an exchange: put back what an editor saved in the moment before it.

    Raises:
        EditedError: there was such a save; it stands. Of two saves in that moment the older one is kept beside.
    """
    try:
        taken = temporary.read_bytes()
    except FileNotFoundError:  # renamed, not exchanged
        return
    if taken == old:
        return
    _exchanged(temporary, real)
    problem = _edited(real)
    if temporary.read_bytes() != new:
        _exchanged(temporary, real)
        kept = real.with_name(f"{real.name}.{secrets.token_hex(4)}.saved")
        temporary.rename(kept)
        problem = EditedError(f"{problem.message}, and so is what it was before, as {kept.name}", hint=problem.hint)
    raise problem


def _write_synced(path: Path, content: bytes, like: os.stat_result | None) -> None:
    """A new file with ``content`` and the mode (and owner, where allowed) of ``like``, on the disk on return."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, stat.S_IMODE(like.st_mode) if like else 0o666)
    try:
        if like and hasattr(os, "fchown"):
            with contextlib.suppress(PermissionError):
                os.fchown(descriptor, like.st_uid, like.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(like.st_mode))  # after the owner: a change of owner drops bits
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make the rename last through a power cut, where the system can sync folders."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as problem:
        if problem.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Remove temporary files of writes that were killed; young ones may be another machine's at work."""
    for entry in folder.glob(f"{_TEMPORARY}*.tmp"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - entry.lstat().st_mtime > _STALE_SECONDS:
                entry.unlink()
