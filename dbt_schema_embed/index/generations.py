"""Which generation of the index is in force, who may write the next one, and when an old one can go.

<folder>/current              names the generation in force and its manifest's size and CRC-32
<folder>/lock                 held by the one writer from reading the old generation to switching to the new one
<folder>/generations/<name>/  see store.py; a reader holds a shared lock on its manifest.json
"""

import contextlib
import os
import re
import secrets
import shutil
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec
from filelock import FileLock, Timeout

from dbt_schema_embed.errors import WriteError
from dbt_schema_embed.files import write_text
from dbt_schema_embed.index.store import DamagedError, Manifest, Store

try:
    import fcntl
except ImportError:  # Windows: files in use cannot be removed there, which serves as well
    fcntl = None  # type: ignore[assignment]

LOCK_SECONDS = 60.0
_NAME = re.compile(r"[0-9a-f]{16}")
_POINTER_BYTES = 1000
_MANIFEST_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Pointer:
    """What ``current`` says: the generation in force, and size in bytes and CRC-32 of its manifest."""

    generation: str
    size: int
    crc: int


@dataclass(frozen=True, slots=True)
class Opened:
    """An open generation and the lock that keeps its files."""

    pointer: Pointer
    store: Store
    lease: IO[bytes]

    def close(self) -> None:
        """Let the generation go."""
        self.lease.close()


class Generations:
    """The generations in one folder, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Where the generation ``name`` stands."""
        return self.folder / "generations" / name

    def pointer(self) -> Pointer | None:
        """The generation in force, None when nothing was ever built.

        Raises:
            DamagedError: generations stand there but the pointer is missing or unreadable.
        """
        try:
            with (self.folder / "current").open("rb") as file:
                pointer = msgspec.json.decode(file.read(_POINTER_BYTES), type=Pointer)
        except FileNotFoundError:
            if self._stands():
                raise DamagedError("the file 'current' is missing") from None
            return None
        except (OSError, msgspec.DecodeError, RecursionError):
            raise DamagedError("the file 'current' is unreadable") from None
        if not _NAME.fullmatch(pointer.generation) or not 0 <= pointer.size <= _MANIFEST_BYTES:
            raise DamagedError("the file 'current' names no generation")
        return pointer

    def _stands(self) -> bool:
        """Whether anything was ever built."""
        try:
            return any(self.path("").glob("*/manifest.json"))
        except OSError as problem:
            raise DamagedError(f"the folder 'generations' is unreadable: {problem.strerror}") from None

    def open(self) -> Opened | None:
        """The generation in force, checked whole; None when nothing was ever built.

        Raises:
            DamagedError: it is not what was written.
        """
        pointer = self.pointer()
        while pointer is not None:
            try:
                return self._open(pointer)
            except DamagedError:
                newer = self.pointer()
                if newer == pointer:
                    raise
                pointer = newer  # switched and swept between the two steps
        return None

    def _open(self, pointer: Pointer) -> Opened:
        folder = self.path(pointer.generation)
        try:
            lease = (folder / "manifest.json").open("rb")
        except OSError as problem:
            raise DamagedError(f"manifest.json: {problem.strerror}") from None
        try:
            if fcntl:
                with contextlib.suppress(OSError):  # a file system without locks
                    fcntl.flock(lease, fcntl.LOCK_SH)
            content = lease.read(pointer.size + 1)
            if len(content) != pointer.size or zlib.crc32(content) != pointer.crc:
                raise DamagedError("manifest.json is not what was written")
            return Opened(pointer, Store(folder, content), lease)
        except OSError as problem:
            lease.close()
            raise DamagedError(f"manifest.json: {problem.strerror}") from None
        except BaseException:
            lease.close()
            raise

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Be the one writer.

        Raises:
            WriteError: another process is writing still, or the folder cannot be written to.
        """
        lock = FileLock(self.folder / "lock", timeout=LOCK_SECONDS)
        try:
            self.path("").mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise WriteError(
                f"{self.folder} is being written by another process: waited {LOCK_SECONDS:.0f} s",
                hint="run this again when it is done",
            ) from None
        except OSError as problem:
            raise WriteError(f"{self.folder} cannot be written to: {problem.strerror or problem}") from None
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def draft(self) -> Iterator[Path]:
        """A fresh folder for the next generation, removed again when its making fails.

        Raises:
            WriteError: the disk is full or read-only.
        """
        folder = self.path(secrets.token_hex(8))
        with told(folder):
            folder.mkdir()
        try:
            yield folder
        except BaseException:
            if not self._in_force(folder.name):  # else it failed after the switch: what readers use stays
                shutil.rmtree(folder, ignore_errors=True)
            raise

    def _in_force(self, name: str) -> bool:
        try:
            pointer = self.pointer()
        except DamagedError:
            return False
        return pointer is not None and pointer.generation == name

    def switch(self, folder: Path, manifest: Manifest) -> None:
        """Put the generation in ``folder`` in force."""
        content = manifest.to_json()
        size, crc = write_file(folder / "manifest.json", [content])
        with told(self.folder):
            if (self.folder / "current").is_dir():
                shutil.rmtree(self.folder / "current", ignore_errors=True)
        pointer = msgspec.json.encode(Pointer(folder.name, size, crc)).decode()
        write_text(self.folder / "current", pointer + "\n", root=self.folder)

    def sweep(self, keep: str) -> None:
        """Remove every generation but ``keep`` that no reader holds. The writer's lock must be held."""
        with contextlib.suppress(OSError):  # what stays now goes next time
            for folder in list(self.path("").iterdir()):
                if folder.name != keep and not _held(folder):
                    shutil.rmtree(folder, ignore_errors=True)


def _held(folder: Path) -> bool:
    if not fcntl:
        return False
    try:
        with (folder / "manifest.json").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no manifest: a writer was killed there
        return False
    return False


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what the system says of ``path`` into a WriteError."""
    try:
        yield
    except OSError as problem:
        raise WriteError(f"{path} could not be written: {problem.strerror or problem}") from None


def write_file(path: Path, pieces: Iterable[bytes]) -> tuple[int, int]:
    """Write a new file and give its size in bytes and CRC-32.

    Nothing is synced: after a power cut the checksums do not fit, and the index is built anew.

    Raises:
        WriteError: the disk is full or read-only. What ``pieces`` raises passes through.
    """
    size = crc = 0
    with told(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        for piece in pieces:
            left = memoryview(piece)
            while left:
                with told(path):
                    left = left[os.write(descriptor, left) :]
            size += len(piece)
            crc = zlib.crc32(piece, crc)
    finally:
        with told(path):  # a network's disk may say only here that it is full
            os.close(descriptor)
    return size, crc
