"""What names were read as, kept between runs in the user's cache: one file a project, made anew where it is damaged.

A table's reading is found by a digest of all that it depends on, the files of this package too. A run leaves in the
file what it used, so that the file stays as large as the project.
"""

import contextlib
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from unicodedata import unidata_version
from zlib import crc32

import msgspec

from dbt_schema_embed import __version__
from dbt_schema_embed.files import others_may_write, replacing
from dbt_schema_embed.match.knowledge import stamp
from dbt_schema_embed.match.phrases import Words
from dbt_schema_embed.match.reading import Reading, TableReading, told
from dbt_schema_embed.records import Relation

FOLDER, MOST = "readings", 20
"""The folder within the cache folder, and how many projects have a file there."""


class _Table(msgspec.Struct, array_like=True):
    columns: list[int]  # places in `_Kept.readings`
    cores: tuple[Words, ...]
    origins: tuple[str, ...]
    about: tuple[Words, ...]


class _Kept(msgspec.Struct, array_like=True):
    readings: list[Reading]  # the distinct ones: a project's tables have many names in common
    tables: dict[bytes, _Table]


class KeptReadings:
    """The readings that the last run used of a project, by the digest of what they depend on."""

    def __init__(self, cache_dir: Path, project: Path) -> None:
        name = _digest(str(project.absolute())).hex()
        self._path = cache_dir / FOLDER / f"{name}.bin"
        self._trusted = not (others_may_write(cache_dir) or others_may_write(self._path.parent))
        self._old = _load(self._path) if self._trusted else None
        self._used: dict[bytes, TableReading] = {}
        self._found = 0
        self._package = _package()

    def of(self, relation: Relation, depends: bytes, read: Callable[[], TableReading]) -> TableReading:
        """The reading of a relation, as it was kept or as ``read`` gives it; ``depends``: what it depends on beside
        the relation's own names."""
        key = _digest(self._package, depends, repr(told(relation)))
        table = self._old.tables.get(key) if self._old else None
        if self._old and table and len(table.columns) == len(table.cores) == len(relation.columns):
            self._found += key not in self._used
            columns = tuple(map(self._old.readings.__getitem__, table.columns))
            found = TableReading(columns, table.cores, table.origins, table.about)
        else:
            found = read()
        self._used[key] = found
        return found

    def save(self) -> None:
        """Write what was used, if it is not what is there. A folder that cannot be written costs only the time."""
        old = len(self._old.tables) if self._old else 0
        if not self._trusted or self._found == len(self._used) == old:
            return
        number: dict[int, int] = {}
        readings: list[Reading] = []
        for reading in (r for table in self._used.values() for r in table.columns):
            if id(reading) not in number:
                number[id(reading)] = len(readings)
                readings.append(reading)
        tables = {
            key: _Table([number[id(r)] for r in t.columns], t.cores, t.origins, t.about)
            for key, t in self._used.items()
        }
        with contextlib.suppress(OSError, UnicodeError):  # a name that is no text cannot be kept
            payload = msgspec.msgpack.encode(_Kept(readings, tables))
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with replacing(self._path) as file:
                file.write(crc32(payload).to_bytes(4, "little") + payload)
            for path in sorted(self._path.parent.glob("*.bin"), key=lambda p: -p.stat().st_mtime)[MOST:]:
                path.unlink()


def clear(cache_dir: Path) -> None:
    """Forget the readings of all projects."""
    with contextlib.suppress(OSError):
        for path in (cache_dir / FOLDER).glob("*.bin"):
            path.unlink()


def _digest(*parts: bytes | str) -> bytes:
    digest = blake2b(digest_size=16)
    for part in parts:
        content = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.digest()


def _package() -> bytes:
    """Changes when a dictionary does, or code that reads names, or what Python knows of letters."""
    here = Path(__file__).parent
    files = [*here.glob("*.py"), *here.glob("*.bin"), *here.parent.glob("*.py")]
    told = [(str(f), s.st_size, s.st_mtime_ns) for f in sorted(files) for s in [f.stat()]]
    return _digest(__version__, unidata_version, stamp(), repr(told))


def _load(path: Path) -> _Kept | None:
    try:
        data = path.read_bytes()
        if crc32(data[4:]) != int.from_bytes(data[:4], "little"):
            return None
        found = msgspec.msgpack.decode(memoryview(data)[4:], type=_Kept)
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    last = len(found.readings)
    return found if all(0 <= i < last for t in found.tables.values() for i in t.columns) else None
