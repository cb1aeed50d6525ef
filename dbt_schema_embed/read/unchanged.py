"""Whether what was read of a project still stands as it was, told without reading it again."""

import contextlib
import time
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from dbt_schema_embed import __version__
from dbt_schema_embed.errors import WriteError
from dbt_schema_embed.files import read_bounded, replacing, write_text
from dbt_schema_embed.read.opening import Stamp, file_stamps, files_read
from dbt_schema_embed.read.planned import model_files
from dbt_schema_embed.records import Artifacts, Project

TICK_SECONDS = 2.0
"""A file changed less than this before it was read might be changed again without a newer time: so slow is FAT's."""

PROJECT = "project/seen.json"
"""Within our folder: what a whole project, kept beside it, was read from."""

_BYTES = 2**24
_PACKAGE = Path(__file__).resolve().parents[1]


class _Seen(msgspec.Struct, frozen=True):
    asked: str
    made: str
    files: dict[str, Stamp]


class Reading:
    """The files that one call reads of a project. Make it before they are read. ``seen``: where they are remembered."""

    def __init__(self, root: Path, artifacts: Artifacts, dialect: str | None, seen: str = "index/seen.json") -> None:
        self._root, self._began = root, time.time()
        files = files_read(root, artifacts)
        code = file_stamps(sorted(path for room in ("", "read", "sql") for path in (_PACKAGE / room).glob("*.py")))
        asked = repr((__version__, code, dialect, str(root), [*map(str, files)]))
        self.scratch, self._files = files[-1].parent, file_stamps((*files, *model_files(root)))
        self._asked = sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()
        self._path = self.scratch / seen

    def made(self) -> str:
        """What `keep` was told when all of these files were as they are now; else nothing."""
        try:
            if not self._path.is_file():
                return ""
            seen = msgspec.json.decode(read_bounded(self._path, _BYTES) or b"", type=_Seen)
        except (OSError, msgspec.DecodeError, RecursionError):
            return ""
        here = seen.asked == self._asked and self._files.items() <= seen.files.items()
        return seen.made if here and file_stamps(map(Path, seen.files)) == seen.files else ""

    def keep(self, project: Project, made: str) -> None:
        """Remember that ``made`` was made of ``project``, unless some file is too young to be told from a later one."""
        files = self._files | file_stamps(seed_files(self._root, project))
        young = (self._began - TICK_SECONDS) * 1e9
        if any(max(stamp[1:3], default=0) > young for stamp in files.values()):
            return
        try:
            write_text(self._path, msgspec.json.encode(_Seen(self._asked, made, files)).decode(), root=self.scratch)
        except (WriteError, UnicodeError):  # nobody may write to the target folder, a file's name is no text: next time
            return

    def project(self) -> Project | None:
        """What `keep_project` was told, if all files are as they were."""
        made = self.made()
        try:
            packed = self._path.with_suffix(".bin").read_bytes() if made else b""
            if sha256(packed).hexdigest() != made:
                return None
            return msgspec.msgpack.decode(zlib.decompress(packed), type=Project)
        except (OSError, zlib.error, msgspec.MsgspecError):
            return None

    def keep_project(self, project: Project) -> None:
        """Keep a project for the next run, unless it has sample values of rows: these are written nowhere."""
        if any(column.value_count for relation in project.relations for column in relation.columns):
            return
        with contextlib.suppress(OSError, UnicodeError):  # then the next run reads it again
            packed = zlib.compress(msgspec.msgpack.encode(project), 1)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self._path.with_suffix(".bin")) as file:
                file.write(packed)
            self.keep(project, sha256(packed).hexdigest())


def seed_files(root: Path, project: Project) -> Iterator[Path]:
    """Where the files of seeds may stand, whose first lines are read."""
    for relation in project.relations:
        if relation.kind == "seed" and relation.path:
            yield root / relation.path
            yield root / "seeds" / Path(relation.path).name
            for folder in ("dbt_packages", "dbt_modules"):
                yield root / folder / relation.package / relation.path
