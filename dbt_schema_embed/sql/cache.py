"""Statements kept between runs: one file, checked before use, rebuilt without a word when it is damaged."""

import contextlib
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import msgspec

from dbt_schema_embed.files import replacing
from dbt_schema_embed.sql.shape import Statement

_FILE = "sql_statements.msgpack"
_VERSION = b"1"  # of the shape and of how sql_parse fills it: raise it when either changes
_DIGEST = 32


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """What reading one SQL text gave: a statement, or the problem that came up."""

    key: bytes
    statement: Statement | None = None
    problem: str = ""


class StatementCache:
    """Entries by model. ``folder`` None: nothing is read or written."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / _FILE if folder else None
        self._entries = _load(self._path) if self._path else {}
        self._changed = False

    def get(self, unique_id: str, key: bytes) -> Entry | None:
        """The entry of a model, unless its key has changed."""
        entry = self._entries.get(unique_id)
        return entry if entry is not None and entry.key == key else None

    def put(self, unique_id: str, entry: Entry) -> None:
        """Keep an entry until `save`."""
        self._entries[unique_id] = entry
        self._changed = True

    def save(self) -> None:
        """Write the file whole if anything changed. A folder that cannot be written costs only the time next run."""
        if not self._changed or self._path is None:
            return
        payload = msgspec.msgpack.encode(self._entries)
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self._path) as file:  # its owner's only: statements hold literals of the project's SQL
                file.write(sha256(payload).digest() + payload)
        self._changed = False


def statement_key(sql: str, dialect: str | None, *, compiled: bool) -> bytes:
    """What a statement depends on: the text, the dialect, sqlglot and this package's reading of its trees."""
    kind = b"sql" if compiled else b"jinja"
    digest = sha256(b"\0".join((_VERSION, _sqlglot_version(), (dialect or "").encode(), kind, b"")))
    digest.update(sql.encode("utf-8", "surrogatepass"))
    return digest.digest()


_version: list[bytes] = []


def _sqlglot_version() -> bytes:
    """sqlglot's version file, found without importing sqlglot."""
    if not _version:
        spec = find_spec("sqlglot")
        folders = spec.submodule_search_locations if spec else None
        path = Path(folders[0]) / "_version.py" if folders else None
        _version.append(sha256(path.read_bytes()).digest() if path and path.is_file() else b"")
    return _version[0]


def _load(path: Path) -> dict[str, Entry]:
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    payload = data[_DIGEST:]
    if sha256(payload).digest() != data[:_DIGEST]:
        return {}
    try:
        return msgspec.msgpack.decode(payload, type=dict[str, Entry])
    except msgspec.MsgspecError:
        return {}  # of another version of this package
