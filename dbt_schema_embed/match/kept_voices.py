"""What source tables said in the first round, kept between runs in the user's cache: a run about one table ranks that
one, and hears its rivals as they were heard before.

A voice depends on every word of the project, so all are forgotten with any change of it; decisions about a table change
its own voice alone.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec
import numpy as np

from dbt_schema_embed.match.hearing import Voice
from dbt_schema_embed.match.kept_readings import KeptFile, digest, package


class _Voice(msgspec.Struct, array_like=True):
    models: tuple[str, ...]
    claims: bytes  # float32
    names: tuple[str, ...]
    said: dict[str, dict[str, float]]
    silent: bool


class _Kept(msgspec.Struct, array_like=True):
    state: bytes
    voices: dict[bytes, msgspec.Raw]


class KeptVoices:
    """The voices of a project's source tables (ids), as far as they are known.

    ``state``: what they depend on beside ``rejected`` and ``accepted``, which are those of `match.suggest`.
    """

    def __init__(
        self,
        cache_dir: Path,
        project: Path,
        state: object,
        rejected: Collection[tuple[str, str, str, str]],
        accepted: Mapping[tuple[str, str], tuple[str, str] | None],
    ) -> None:
        self._file = KeptFile(cache_dir, project, ".voices")
        try:
            self._state = digest(package(), msgspec.msgpack.encode(state))
        except UnicodeError:  # a name that is no text
            self._state = b""
        old = self._file.load(_Kept) if self._state else None
        self._voices = old.voices if old and old.state == self._state else {}
        self._new: dict[bytes, msgspec.Raw] = {}
        self._decided: dict[str, list[object]] = defaultdict(list)
        for (source, column), pair in sorted(accepted.items()):
            self._decided[source].append((column, pair))
        for source, *refused in sorted(rejected):
            self._decided[source].append(refused)

    def of(self, source: str) -> Voice | None:
        """The voice of a table, if it is known."""
        found = self._voices.get(self._key(source))
        try:
            kept = msgspec.msgpack.decode(found, type=_Voice) if found is not None else None
        except msgspec.MsgspecError:
            return None
        if kept is None or len(kept.claims) != 4 * len(kept.models):
            return None
        return Voice(kept.models, np.frombuffer(kept.claims, "<f4"), kept.names, kept.said, kept.silent)

    def keep(self, source: str, voice: Voice) -> None:
        """Keep the voice of a table."""
        key = self._key(source)
        if self._state and key not in self._voices:
            claims = voice.claims.astype("<f4").tobytes()
            kept = _Voice(voice.models, claims, voice.names, voice.said, voice.silent)
            self._new[key] = msgspec.Raw(msgspec.msgpack.encode(kept))

    def save(self) -> None:
        """Write what is new."""
        if self._new:
            self._file.save(_Kept(self._state, {**self._voices, **self._new}))

    def _key(self, source: str) -> bytes:
        return digest(source, repr(self._decided.get(source)))
