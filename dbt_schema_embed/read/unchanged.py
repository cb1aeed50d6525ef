"""Whether what was read of a project still stands as it was, told without reading it again."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from dbt_schema_embed import __version__
from dbt_schema_embed.errors import WriteError
from dbt_schema_embed.files import read_bounded, write_text
from dbt_schema_embed.read.opening import Stamp, file_stamps, files_read
from dbt_schema_embed.records import Artifacts, Project

TICK_SECONDS = 2.0
"""A file changed less than this before it was read might be changed again without a newer time: so slow is FAT's."""

_BYTES = 2**22


class _Seen(msgspec.Struct, frozen=True):
    asked: str
    made: str
    files: dict[str, Stamp]


class Reading:
    """The files that one call reads of a project. Make it before they are read."""

    def __init__(self, root: Path, artifacts: Artifacts, dialect: str | None) -> None:
        self._root, self._began = root, time.time()
        files = files_read(root, artifacts)
        self.scratch, self._files = files[-1].parent, file_stamps(files)
        self._asked = repr((__version__, dialect, str(root), [*self._files]))
        self._path = self.scratch / "index" / "seen.json"

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
        except WriteError:  # a target folder nobody may write to: the next call reads the project again
            return


def seed_files(root: Path, project: Project) -> Iterator[Path]:
    """Where the files of seeds may stand, whose first lines are read."""
    for relation in project.relations:
        if relation.kind == "seed" and relation.path:
            yield root / relation.path
            yield root / "seeds" / Path(relation.path).name
            for folder in ("dbt_packages", "dbt_modules"):
                yield root / folder / relation.package / relation.path
