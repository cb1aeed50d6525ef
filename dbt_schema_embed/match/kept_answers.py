"""What matching found, kept between runs in the user's cache: the answers about a table, and what it said in the first
round. What was asked before is answered as then; a run about another table hears its rivals as they were heard before.

Both depend on every word of the project, so all are forgotten with any change of it; decisions about a table change its
own voice alone, and every answer.
"""

import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from dbt_schema_embed.match.hearing import Voice
from dbt_schema_embed.match.kept_readings import KeptFile, digest, package
from dbt_schema_embed.records import Suggestion

_Value = TypeVar("_Value")


class _Voice(msgspec.Struct, array_like=True):
    models: tuple[str, ...]
    claims: bytes  # float32
    names: tuple[str, ...]
    said: dict[str, dict[str, float]]
    silent: bool


class _Kept(msgspec.Struct, array_like=True):
    state: bytes
    values: dict[bytes, bytes]


class _Values:
    """Packed values by key, in a file of one state of a project."""

    def __init__(self, file: KeptFile, state: bytes) -> None:
        self._file, self._state = file, state
        old = file.load(_Kept) if state else None
        self._old = old.values if old and old.state == state else {}
        self._new: dict[bytes, bytes] = {}

    def get(self, key: bytes, kind: type[_Value]) -> _Value | None:
        try:
            return msgspec.msgpack.decode(zlib.decompress(self._old[key]), type=kind)
        except (KeyError, zlib.error, msgspec.MsgspecError):
            return None

    def put(self, key: bytes, value: object) -> None:
        if self._state and key not in self._old:
            self._new[key] = zlib.compress(msgspec.msgpack.encode(value), 1)

    def save(self) -> None:
        if self._new:
            self._file.save(_Kept(self._state, {**self._old, **self._new}))


class KeptAnswers:
    """The answers about a project's source tables (ids) and their voices, as far as they are known.

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
        self._decided: dict[str, list[object]] = defaultdict(list)
        for (source, column), pair in sorted(accepted.items()):
            self._decided[source].append((column, pair))
        for source, *refused in sorted(rejected):
            self._decided[source].append(refused)
        try:
            before = digest(package(), msgspec.msgpack.encode(state))
            all_said = digest(before, msgspec.msgpack.encode(self._decided))
        except UnicodeError:  # a name that is no text
            before = all_said = b""
        self._voices = _Values(KeptFile(cache_dir, project, ".voices"), before)
        self._answers = _Values(KeptFile(cache_dir, project, ".answers"), all_said)

    def voice(self, source: str) -> Voice | None:
        """The voice of a table, if it is known."""
        kept = self._voices.get(self._key(source), _Voice)
        if kept is None or len(kept.claims) != 4 * len(kept.models):
            return None
        return Voice(kept.models, np.frombuffer(kept.claims, "<f4"), kept.names, kept.said, kept.silent)

    def keep_voice(self, source: str, voice: Voice) -> None:
        """Keep the voice of a table."""
        claims = voice.claims.astype("<f4").tobytes()
        self._voices.put(self._key(source), _Voice(voice.models, claims, voice.names, voice.said, voice.silent))

    def rows(self, source: str, *asked: object) -> tuple[Suggestion, ...] | None:
        """The rows of a table, if they are known; ``asked``: what was wanted of `match.suggest`."""
        return self._answers.get(digest(source, repr(asked)), tuple[Suggestion, ...])

    def keep_rows(self, rows: Iterable[Suggestion], *asked: object) -> None:
        """Keep the rows of some tables, those of one beside each other."""
        for source, own in groupby(rows, key=lambda row: row.source):
            self._answers.put(digest(source, repr(asked)), tuple(own))

    def save(self) -> None:
        """Write what is new."""
        self._voices.save()
        self._answers.save()

    def _key(self, source: str) -> bytes:
        return digest(source, repr(self._decided.get(source)))
