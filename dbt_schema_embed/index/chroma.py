"""Approximate nearest rows by Chroma, in a child process that may crash without harm."""

import contextlib
import importlib.util
import json
import os
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.errors import MissingExtraError, printable
from dbt_schema_embed.index.approximate import BackendError
from dbt_schema_embed.index.store import Manifest, Matrix, Store, checksum

START_SECONDS = 60.0
QUERY_SECONDS = 60.0
ROWS_PER_SECOND = 50
"""A fifteenth of what one busy core was seen to do: a build that is slower hangs."""

T = TypeVar("T")


def build(
    folder: Path, width: int, rows: int, *, old: Store | None = None, verify: bool = False
) -> dict[str, tuple[int, int]]:
    """Index the rows of ``folder``/vectors.f16 in ``folder``/chroma, and ask for them again from a fresh opening.

    With ``old``, whose rows are the first of these, only the others are added to a copy of its Chroma store.
    ``verify`` asks for every row, else a sample is asked for. Gives the files as a manifest lists them.

    Raises:
        BackendError: it crashed, took too long, or lost rows.
        MissingExtraError: chromadb is not installed.
    """
    try:
        first = _copy(old, folder) if old else 0
        _run(_command("build", folder, width, rows, first, int(verify)), rows)
        files = sorted(p for p in (folder / "chroma").rglob("*") if p.is_file())
        return {p.relative_to(folder).as_posix(): checksum(p) for p in files}
    except OSError as problem:
        raise BackendError(f"{problem.strerror or problem}") from None


def _run(command: list[str], rows: int, given: bytes = b"") -> None:
    """Let a child do something with every row."""
    limit = START_SECONDS + rows / ROWS_PER_SECOND
    try:
        done = subprocess.run(command, capture_output=True, input=given, env=_env(), timeout=limit)
    except subprocess.TimeoutExpired:
        raise BackendError(f"it took more than {limit:.0f} s") from None
    except OSError as problem:
        raise BackendError(f"its process did not start: {problem.strerror}") from None
    _check(done.stdout, lambda: done.returncode)


def _copy(old: Store, folder: Path) -> int:
    """Copy the old Chroma store byte by byte, checked; gives the rows it holds."""
    for name, expected in files_of(old.manifest).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(old.folder / name, folder / name)
        _intact(folder / name, name, expected)
    return old.manifest.rows


def files_of(manifest: Manifest) -> dict[str, tuple[int, int]]:
    """The files of a generation's Chroma store; none: it has no such store."""
    return {name: expected for name, expected in manifest.files.items() if name.startswith("chroma/")}


def check_files(store: Store) -> None:
    """Compare the files of the Chroma store with the manifest.

    Raises:
        BackendError: one is missing or is not what was written.
    """
    for name, expected in files_of(store.manifest).items():
        _intact(store.folder / name, name, expected)


def verify(store: Store) -> None:
    """Ask the Chroma store for every row by its own vector.

    Raises:
        BackendError: it is damaged, or rows are lost.
        MissingExtraError: chromadb is not installed.
    """
    rows = store.manifest.rows
    _run(_command("verify", store.folder, store.width, rows), rows, _files_line(store))


class Worker:
    """A running child that answers queries over one generation.

    Raises:
        BackendError: the store is damaged, or the child did not start.
        MissingExtraError: chromadb is not installed.
    """

    def __init__(self, store: Store) -> None:
        self._width = store.width
        files = _files_line(store)
        command = _command("serve", store.folder, store.width)
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        try:
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=null, env=_env())
        except OSError as problem:
            raise BackendError(f"its process did not start: {problem.strerror}") from None
        assert self._process.stdin
        assert self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout
        try:
            _check(self._within(START_SECONDS, lambda: self._started(files)), lambda: self._process.wait(5))
        except BaseException:
            self.close()
            raise

    def query(self, queries: Matrix, n: int) -> tuple[NDArray[np.int64], Matrix]:
        """Rows (q, n), -1 where there are fewer, and their cosine distances, nearest first.

        Raises:
            BackendError: the child crashed or gave no answer.
        """
        request = struct.pack("<qq", len(queries), n) + queries.astype("<f4").tobytes()
        size = len(queries) * n * 12

        def exchange() -> bytes:
            self._input.write(request)
            self._input.flush()
            return self._output.read(size)

        answer = self._within(QUERY_SECONDS, exchange)
        if len(answer) != size:
            raise BackendError(f"it gave no answer (exit status {self._process.wait(5)})")
        rows = np.frombuffer(answer, "<i8", len(queries) * n).reshape(-1, n)
        return rows, np.frombuffer(answer, "<f4", offset=rows.nbytes).reshape(-1, n)

    def close(self) -> None:
        """End the child, which removes its copy of the store."""
        with contextlib.suppress(OSError):
            self._input.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()

    def _started(self, files: bytes) -> bytes:
        self._input.write(files)
        self._input.flush()
        return self._output.readline(1000)

    def _within(self, seconds: float, call: Callable[[], T]) -> T:
        """What ``call`` gives; when that takes longer, the child is ended, which ends the call."""
        results: list[T] = []
        failures: list[OSError] = []

        def run() -> None:
            try:
                results.append(call())
            except OSError as problem:  # the child is gone
                failures.append(problem)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(seconds)
        if thread.is_alive():
            self._process.kill()
            thread.join()
            raise BackendError(f"it gave no answer in {seconds:.0f} s")
        if failures:
            raise BackendError(f"it ended: {failures[0].strerror}")
        return results[0]


def _files_line(store: Store) -> bytes:
    return json.dumps(files_of(store.manifest)).encode() + b"\n"


def installed() -> bool:
    """Whether chromadb can be imported."""
    return importlib.util.find_spec("chromadb") is not None


def _command(what: str, folder: Path, *numbers: int) -> list[str]:
    if not installed():
        raise MissingExtraError("approximate search", "chroma")
    # -P: no module is taken from the current folder
    module = "dbt_schema_embed.index.chroma_worker"
    return [sys.executable, "-P", "-m", module, what, str(folder.resolve()), *map(str, numbers)]


def _env() -> dict[str, str]:
    """The environment without what would configure Chroma: its settings can name modules to load."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("CHROMA_")}


def _intact(path: Path, name: str, expected: tuple[int, int]) -> None:
    try:
        actual = checksum(path)
    except OSError as problem:
        raise BackendError(f"{name}: {problem.strerror}") from None
    if actual != expected:
        raise BackendError(f"{name} is not what was written")


def _check(line: bytes, status: Callable[[], int]) -> None:
    """Read the child's line of JSON."""
    try:
        error = json.loads(line)["error"]
    except (ValueError, KeyError, TypeError):
        raise BackendError(f"its process ended with status {status()}") from None
    if error:
        raise BackendError(printable(error))
