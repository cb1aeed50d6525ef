"""The child process in which Chroma runs, and what starts it and talks to it.

A process of its own, because Chroma's native code can crash on a damaged file, because its import reads the ``.env`` of
the current folder and lets that name modules to load, and because the embedding functions it knows must be forgotten
before a collection made by somebody else is touched: none of which may happen in the caller's process.

    python -P -m dbt_schema_embed.index.chroma_child <folder>

reads requests, a line of JSON each, ``[method, arguments]``, and answers each with ``{"error": "", "answer": {...}}``.
"""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from dbt_schema_embed.arrays import DamagedError, Parts
from dbt_schema_embed.deadline import within
from dbt_schema_embed.errors import printable
from dbt_schema_embed.extras import need
from dbt_schema_embed.index.chroma_server import ChromaError

CALL_SECONDS = 60.0
"""Starting takes three on an idle core, a thousand vectors two."""


class Child:
    """Chroma here, asked as a `Server` is. ``store``: an empty folder, or a file with all that stood in one.

    The file is unpacked, checked, into a folder of its own, for whoever opens a store writes into it.

    Raises:
        DamagedError: the file is not what was written.
        MissingExtraError: chromadb is not installed.
    """

    def __init__(self, store: Path) -> None:
        need("approximate search", "chroma")
        self._unpacked = TemporaryDirectory(prefix="schema-embed-", ignore_cleanup_errors=True)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            folder = store if store.is_dir() else _unpacked(store, Path(self._unpacked.name))
            # -P: no module is taken from the current folder
            command = [sys.executable, "-P", "-m", "dbt_schema_embed.index.chroma_child", str(folder.resolve())]
            pipe, null = subprocess.PIPE, subprocess.DEVNULL
            # without what would configure Chroma: its settings can name modules to load
            environment = {name: value for name, value in os.environ.items() if not name.upper().startswith("CHROMA_")}
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=null, env=environment)
        except BaseException:
            self.close()
            raise

    def ask(self, what: str, content: dict[str, Any], ids: int) -> dict[str, Any]:  # noqa: ARG002
        """Send a line and read one."""
        process: Any = self._process

        def exchange() -> bytes:
            process.stdin.write(json.dumps([what, content]).encode() + b"\n")
            process.stdin.flush()
            return bytes(process.stdout.readline())

        try:
            said = json.loads(within(CALL_SECONDS, exchange))
        except TimeoutError:
            process.kill()  # which also ends the thread
            raise ChromaError("it gave no answer in time") from None
        except (OSError, ValueError):
            process.kill()
            raise ChromaError(f"its process ended with status {process.wait()}") from None
        if said["error"]:
            raise ChromaError(printable(said["error"]))
        return dict(said["answer"])

    def close(self) -> None:
        """End the child, and remove what was unpacked for it."""
        if self._process and self._process.stdin and self._process.stdout:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()
        self._unpacked.cleanup()


def _unpacked(file: Path, folder: Path) -> Path:
    with contextlib.closing(Parts(file)) as parts:
        for name in parts.names():
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
                raise DamagedError("it holds files of other places")
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(parts[name].data)
    return folder


class _Store:
    """What the child does, in a folder. Its methods take what Chroma's HTTP API takes."""

    def __init__(self, folder: str) -> None:
        import chromadb
        from chromadb.config import Settings
        from chromadb.utils import embedding_functions

        # A collection can name an embedding function that loads code from elsewhere (CVE-2026-45829, CVE-2026-45833).
        embedding_functions.known_embedding_functions.clear()
        embedding_functions.sparse_known_embedding_functions.clear()
        self._client = chromadb.PersistentClient(folder, settings=Settings(_env_file=None, anonymized_telemetry=False))
        self._collection: Any = None

    def create(self, name: str, configuration: Any, **_: Any) -> dict[str, Any]:
        """The configuration and the schema of the collection."""
        if name not in [collection.name for collection in self._client.list_collections()]:
            # sync_threshold 1: every row goes into the files at once; readers would else write what is left into theirs
            configuration = {"hnsw": configuration["hnsw"] | {"sync_threshold": 1}}
            self._client.create_collection(name, embedding_function=None, configuration=configuration)
        self._collection = self._client.get_collection(name, embedding_function=None)
        model = self._collection._model
        return {"configuration_json": model.configuration_json, "schema": getattr(model, "serialized_schema", None)}

    def get(self, **content: Any) -> dict[str, Any]:
        """The ids that are there."""
        return {"ids": self._collection.get(**content)["ids"]}

    def add(self, **content: Any) -> dict[str, Any]:
        """Put vectors there."""
        self._collection.add(**content)
        return {}

    def query(self, **content: Any) -> dict[str, Any]:
        """The ids near some vectors."""
        return {"ids": self._collection.query(**content)["ids"]}


def main(folder: str) -> None:
    """Answer requests until there are no more."""
    os.chdir(folder)  # no .env of anybody's project
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else prints stays out of the channel
    store: _Store | None = None
    for line in sys.stdin.buffer:
        answer: dict[str, Any] = {}
        error = ""
        try:
            what, content = json.loads(line)
            store = store or _Store(folder)
            methods = (store.create, store.get, store.add, store.query)
            answer = {method.__name__: method for method in methods}[what](**content)
        except Exception as problem:  # whatever Chroma raises: the caller does without it and says why
            error = f"{type(problem).__name__}: {problem}"[:300]
        channel.write(json.dumps({"error": error, "answer": answer}).encode() + b"\n")
        channel.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
