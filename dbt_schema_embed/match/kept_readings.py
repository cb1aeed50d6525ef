"""What names were read as, kept between runs in the user's cache: one file a project, made anew where it is damaged.

A table's reading is found by a digest of all that it depends on, the files of this package too. A run leaves in the
file what it used, so that the file stays as large as the project.
"""

import contextlib
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar
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


_Content = TypeVar("_Content")


class _Table(msgspec.Struct, array_like=True):
    columns: list[int]  # places in `_Kept.readings`
    cores: tuple[Words, ...]
    origins: tuple[str, ...]
    about: tuple[Words, ...]


class _Kept(msgspec.Struct, array_like=True):
    readings: list[Reading]  # the distinct ones: a project's tables have many names in common
    tables: dict[bytes, _Table]


class KeptFile:
    """A file of a project in the user's cache. One that is damaged, or that others may write to, is not there."""

    def __init__(self, cache_dir: Path, project: Path, ending: str = ".bin") -> None:
        self._path = cache_dir / FOLDER / f"{digest(str(project.absolute())).hex()}{ending}"
        self._trusted = not (others_may_write(cache_dir) or others_may_write(self._path.parent))

    def load(self, kind: type[_Content]) -> _Content | None:
        """What `save` was given last, if it is there."""
        try:
            data = self._path.read_bytes() if self._trusted else b""
            if crc32(data[4:]) != int.from_bytes(data[:4], "little"):
                return None
            return msgspec.msgpack.decode(memoryview(data)[4:], type=kind)
        except (OSError, ValueError, msgspec.MsgspecError):
            return None

    def save(self, content: object) -> None:
        """Keep ``content``. A folder that cannot be written costs only the time; a name that is no text, too."""
        if not self._trusted:
            return
        with contextlib.suppress(OSError, UnicodeError):
            payload = msgspec.msgpack.encode(content)
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with replacing(self._path) as file:
                file.write(crc32(payload).to_bytes(4, "little") + payload)
            same = self._path.parent.glob(f"*{self._path.suffix}")
            for path in sorted(same, key=lambda p: -p.stat().st_mtime)[MOST:]:
                path.unlink()


class KeptReadings:
    """The readings that the last run used of a project, by the digest of what they depend on."""

    def __init__(self, cache_dir: Path, project: Path) -> None:
        self._file = KeptFile(cache_dir, project)
        self._old = _sound(self._file.load(_Kept))
        self._used: dict[bytes, TableReading] = {}
        self._found = 0
        self._package = package()

    def of(self, relation: Relation, depends: bytes, read: Callable[[], TableReading]) -> TableReading:
        """The reading of a relation, as it was kept or as ``read`` gives it; ``depends``: what it depends on beside
        the relation's own names."""
        key = digest(self._package, depends, repr(told(relation)))
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
        if self._found == len(self._used) == old:
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
        self._file.save(_Kept(readings, tables))


def clear(cache_dir: Path) -> None:
    """Forget what is kept of all projects."""
    with contextlib.suppress(OSError):
        for path in (cache_dir / FOLDER).iterdir():
            path.unlink()


def digest(*parts: bytes | str) -> bytes:
    """16 bytes of all parts."""
    found = blake2b(digest_size=16)
    for part in parts:
        content = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        found.update(len(content).to_bytes(8, "little") + content)
    return found.digest()


def package() -> bytes:
    """Changes when a dictionary does, or code that reads or compares names, or what Python knows of letters."""
    here = Path(__file__).parent
    files = [*here.glob("*.py"), *here.glob("*.bin"), *here.glob("*.npz"), *here.parent.glob("*.py")]
    files += (here / "signals").glob("*.py")
    told = [(str(f), s.st_size, s.st_mtime_ns) for f in sorted(files) for s in [f.stat()]]
    return digest(__version__, unidata_version, stamp(), repr(told))


def _sound(found: _Kept | None) -> _Kept | None:
    last = len(found.readings) if found else 0
    return found if found and all(0 <= i < last for t in found.tables.values() for i in t.columns) else None
