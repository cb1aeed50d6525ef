"""The answers about a project from one process to the next, so that an agent's first question is answered at once.

A file in the user's cache folder, with no sample value in it. Where anything is not as it was, or others may write to
the folder, it is as if there were none.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from dbt_schema_embed.extras import has_embed
from dbt_schema_embed.files import others_may_write, replacing
from dbt_schema_embed.read.opening import Stamp, file_stamps
from dbt_schema_embed.read.unchanged import TICK_SECONDS
from dbt_schema_embed.records import Suggestion
from dbt_schema_embed.settings import Settings

Stamps = Mapping[str, Stamp]

_BYTES = 2**26
_HOME = Path(__file__).resolve().parents[1]


class _File(msgspec.Struct, frozen=True):
    asked: str
    files: dict[str, Stamp]
    rows: tuple[Suggestion, ...]


class Remembered:
    """The answers of one project in ``folder``. Rows stand for the files that they follow from, as these were."""

    def __init__(self, folder: Path, root: Path, settings: Settings) -> None:
        self._folder = folder
        self._path = folder / "answers" / f"{sha256(str(root.resolve()).encode()).hexdigest()[:32]}.json"
        self._used = settings.enable_caching and settings.model_name == Settings().model_name
        told = sorted(file_stamps(path for path in _HOME.rglob("*") if path.suffix != ".pyc").items())
        self._asked = sha256(repr((settings, has_embed(), told)).encode()).hexdigest()

    def rows(self, now: Stamps) -> tuple[Suggestion, ...] | None:
        """The rows, if the files ``now`` and all others that they follow from stand as they were."""
        if not self._used or others_may_write(self._folder):
            return None
        try:
            with self._path.open("rb") as file:
                kept = msgspec.json.decode(file.read(_BYTES), type=_File)
        except (OSError, msgspec.MsgspecError, RecursionError):
            return None
        same = kept.asked == self._asked and now.items() <= kept.files.items()
        return kept.rows if same and file_stamps(map(Path, kept.files)) == kept.files else None

    def keep(self, rows: tuple[Suggestion, ...], now: Stamps, others: Iterable[Path], began: float) -> None:
        """Remember rows that were worked out from ``now`` and ``others`` since ``began``, in seconds of the clock.

        Not where a file is too young to be told from a later one.
        """
        files = {**now, **file_stamps(others)}
        young = (began - TICK_SECONDS) * 1e9
        if not self._used or any(max(stamp[1:3], default=0) > young for stamp in files.values()):
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not others_may_write(self._folder):
                self._path.parent.mkdir(mode=0o700, exist_ok=True)
                with replacing(self._path) as file:
                    file.write(msgspec.json.encode(_File(self._asked, files, rows)))
        except OSError:  # the next process works them out
            return
