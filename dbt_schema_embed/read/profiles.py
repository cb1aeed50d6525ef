"""What `schema_embed_profile` prints of source tables: read from dbt's log, kept in a file, put beside the project."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from dbt_schema_embed.errors import ArtifactError, printable
from dbt_schema_embed.files import read_bytes
from dbt_schema_embed.records import VALUES_LIMIT, Column, Project, Relation
from dbt_schema_embed.tables.samples import LENGTH_LIMIT, joined
from dbt_schema_embed.types import type_family

VERSION = 1
SURE_ROWS = 20
"""Rows below which "no value twice" says nothing of the rows to come."""

_KEY_TYPES = ("integer", "text", "uuid")

_OPEN, _CLOSE = "<schema_embed>", "</schema_embed>"
_FILE_BYTES = 256 * 2**20


class ColumnProfile(msgspec.Struct, frozen=True):
    """Statistics of one column over the rows that were looked at. ``top_values`` can hold secrets."""

    name: str
    type: str | None = None
    filled: int = 0
    distinct: int | None = None
    patterns: tuple[tuple[str | None, int], ...] = ()  # shape ("a9", letters and digits) -> rows
    top_values: tuple[tuple[Any, int], ...] = ()

    def __repr__(self) -> str:
        return f"ColumnProfile({self.name!r})"


class TableProfile(msgspec.Struct, frozen=True):
    """Statistics of one source table."""

    table: str  # unique_id
    rows_profiled: int = 0
    row_count: int | None = None  # None: the engine does not know
    columns: tuple[ColumnProfile, ...] = ()


class Started(msgspec.Struct, frozen=True):
    """A table is being looked at."""

    table: str


class Missing(msgspec.Struct, frozen=True):
    """A table is not in the warehouse."""

    table: str


Event = Started | Missing | TableProfile
_EVENTS: Mapping[str, type[Event]] = {"start": Started, "missing": Missing, "profile": TableProfile}


class _Info(msgspec.Struct, frozen=True):
    msg: str = ""
    level: str = ""


class _Line(msgspec.Struct, frozen=True):
    info: _Info = _Info()


class _Kind(msgspec.Struct, frozen=True):
    event: str
    schema_version: int = 0


class _File(msgspec.Struct, frozen=True):
    schema_version: int
    tables: dict[str, TableProfile] = {}


def read_line(line: str) -> tuple[list[Event], str]:
    """What one line of ``dbt --log-format json`` reports: events, and the message where it is an error.

    Lines that are no JSON and events of another version are passed over: dbt and its adapters print what they like.
    """
    try:
        info = msgspec.json.decode(line, type=_Line).info
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return [], ""
    return list(_events(info.msg)), info.msg if info.level == "error" else ""


def _events(message: str) -> Iterator[Event]:
    for part in message.split(_OPEN)[1:]:
        frame, closed, _ = part.partition(_CLOSE)
        if not closed:
            continue
        try:
            kind = msgspec.json.decode(frame, type=_Kind)
            if kind.schema_version == VERSION and kind.event in _EVENTS:
                yield msgspec.json.decode(frame, type=_EVENTS[kind.event], strict=False)
        except (msgspec.MsgspecError, RecursionError):
            continue


def without_values(profile: TableProfile) -> TableProfile:
    """``profile`` with its statistics only."""
    bare = (msgspec.structs.replace(column, top_values=()) for column in profile.columns)
    return msgspec.structs.replace(profile, columns=tuple(bare))


def profiles_text(profiles: Mapping[str, TableProfile]) -> str:
    """The file that `read_profiles` reads, tables sorted."""
    encoded = msgspec.json.encode(_File(VERSION, dict(sorted(profiles.items()))))
    return msgspec.json.format(encoded, indent=1).decode() + "\n"


def read_profiles(path: Path) -> dict[str, TableProfile]:
    """The profiles in a file; none where there is no such file.

    Raises:
        ArtifactError: it is not what `profiles_text` wrote.
    """
    if not path.exists():
        return {}
    hint = "remove it, or run: dbt-schema-embed profile"
    data = read_bytes(path, "profile", hint, _FILE_BYTES)
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise ArtifactError(f"the profile {printable(path)} cannot be read: {printable(problem)}", hint=hint) from None
    if file.schema_version != VERSION:
        raise ArtifactError(
            f"the profile {printable(path)} is of version {file.schema_version}, not {VERSION}", hint=hint
        )
    return file.tables


def with_profiles(project: Project, profiles: Mapping[str, TableProfile], *, values: bool = True) -> Project:
    """The project with what profiles say of its source tables: types and columns nobody listed, keys, values."""
    if not profiles:
        return project
    if not values:
        profiles = {i: without_values(profile) for i, profile in profiles.items()}
    relations = tuple(_profiled(r, profiles[r.id]) if r.id in profiles else r for r in project.relations)
    return replace(project, relations=relations)


def _profiled(relation: Relation, profile: TableProfile) -> Relation:
    found = {c.name.lower(): c for c in profile.columns}
    listed = {c.name.lower() for c in relation.columns}
    more = [] if relation.in_catalog else [c.name for c in profile.columns if c.name.lower() not in listed]
    known = [*relation.columns, *(Column(name, position=i) for i, name in enumerate(more, len(relation.columns)))]
    return replace(
        relation,
        columns=tuple(
            _column(c, found[c.name.lower()], profile.rows_profiled) if c.name.lower() in found else c for c in known
        ),
    )


def _column(column: Column, profile: ColumnProfile, rows: int) -> Column:
    values = tuple(str(value)[:LENGTH_LIMIT] for value, _ in profile.top_values[:VALUES_LIMIT] if value is not None)
    type_ = column.type or profile.type
    # Moments and measures differ in every row by chance. That none is null today promises nothing either.
    key = profile.distinct == profile.filled == rows >= SURE_ROWS and type_family(type_) in _KEY_TYPES
    return replace(
        column,
        type=type_,
        unique=column.unique or key,
        values=joined(column.values, values),
        shapes=tuple(shape for shape, _ in profile.patterns if shape is not None),
        value_count=max(column.value_count, profile.filled if values else 0),
    )
