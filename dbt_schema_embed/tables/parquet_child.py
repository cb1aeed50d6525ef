"""A Parquet file in a process of its own.

python -P -m dbt_schema_embed.tables.parquet_child PATH ROWS: samples; or PATH all COLUMN...: all rows of some columns.
"""

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from dbt_schema_embed.errors import ArtifactError, printable
from dbt_schema_embed.records import Column
from dbt_schema_embed.tables.samples import LENGTH_LIMIT, sampled

MEMORY = 4 * 2**30
"""Bytes of address space that the process may have, where the system limits it."""

MAX_COLUMNS = 100_000
MAX_DECODED = 2**30
"""Bytes that the columns may have decoded, in the row groups that are read. A page of some kB can hold gigabytes."""

MAX_ROWS = 10_000_000
MAX_TEXT = 2**28
"""Rows that are read whole, and their characters."""

_BATCH = 2_000  # rows decoded at a time: a row group may hold millions


class Answer(msgspec.Struct, frozen=True):
    """What a file holds, or what is wrong with it."""

    problem: str = ""
    columns: list[Column] = []
    rows: tuple[tuple[str | None, ...], ...] = ()  # cells of the columns that were asked for

    def __repr__(self) -> str:
        return f"Answer({self.problem!r}, {self.columns!r})"


def read(path: Path, rows: int) -> Answer:
    """The schema, and samples of the first ``rows`` rows; no more row groups are read than hold them."""
    return _read(path, lambda file, kinds: _table(file, kinds, rows, printable(path)))


def read_rows(path: Path, columns: Sequence[str]) -> Answer:
    """Every row of some columns; what a file lacks, and what is empty, is None."""
    return _read(path, lambda file, _: Answer(rows=_rows(file, columns, printable(path))))


def _read(path: Path, what: Callable[[Any, Any], Answer]) -> Answer:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = [f.name for f in file.schema_arrow if _is_text(pyarrow.types, f.type)]
        # One text that many rows share stays one text that way.
        with pyarrow.parquet.ParquetFile(path, read_dictionary=names) as file:
            return what(file, pyarrow.types)
    except ArtifactError as problem:
        return Answer(problem.message)
    except Exception as problem:  # beside its own, pyarrow raises what libraries in C++ throw
        lines = (getattr(problem, "strerror", None) or str(problem)).splitlines()
        reason = printable(lines[0]) if lines else "it is damaged"
        return Answer(f"{printable(path)} cannot be read as Parquet: {reason}")


def _table(file: Any, kinds: Any, rows: int, shown: str) -> Answer:
    fields = list(file.schema_arrow)
    twice = [name for name, n in Counter(f.name for f in fields).items() if n > 1]
    if len(fields) > MAX_COLUMNS:
        raise ArtifactError(f"{shown} has {len(fields):,} columns, more than {MAX_COLUMNS:,}")
    if twice:
        raise ArtifactError(f"{shown} has two columns called {printable(twice[0])!r}")
    plain = [f.name for f in fields if not kinds.is_nested(f.type) and not _is_bytes(kinds, f.type)]
    _check_size(file.metadata, plain, rows, shown)
    cells = _cells(file, plain, rows)
    columns = (Column(f.name, _type(kinds, f.type), not_null=not f.nullable) for f in fields)
    return Answer(columns=[sampled(column, cells.get(column.name, ())) for column in columns])


def _rows(file: Any, columns: Sequence[str], shown: str) -> tuple[tuple[str | None, ...], ...]:
    if file.metadata.num_rows > MAX_ROWS:
        raise ArtifactError(f"{shown} has {file.metadata.num_rows:,} rows, more than {MAX_ROWS:,}")
    there = [name for name in columns if name in file.schema_arrow.names]
    _check_size(file.metadata, there, file.metadata.num_rows, shown)
    found: list[tuple[str | None, ...]] = []
    size = 0
    for batch in file.iter_batches(batch_size=_BATCH, columns=there, use_threads=False):
        cells = {name: [text or None for text in _texts(batch.column(name), _BATCH)] for name in there}
        size += sum(len(text) for texts in cells.values() for text in texts if text)
        if size > MAX_TEXT:
            raise ArtifactError(f"{shown} holds more than {MAX_TEXT // 2**20:,} MiB of text: it is not read")
        found += zip(*(cells.get(name, [None] * batch.num_rows) for name in columns), strict=True)
    return tuple(found)


def _check_size(metadata: Any, columns: list[str], rows: int, shown: str) -> None:
    """Refuse, before anything is decoded, row groups whose columns would not fit."""
    wanted, decoded, seen = set(columns), 0, 0
    for number in range(metadata.num_row_groups if columns else 0):
        group = metadata.row_group(number)
        for place in range(group.num_columns):
            column = group.column(place)
            decoded += column.total_uncompressed_size if column.path_in_schema in wanted else 0
        seen += group.num_rows
        if decoded > MAX_DECODED:
            raise ArtifactError(f"{shown} decodes to more than {MAX_DECODED // 2**20:,} MiB: it is not read")
        if seen >= rows:
            break


def _cells(file: Any, columns: list[str], rows: int) -> dict[str, list[str]]:
    cells: dict[str, list[str]] = {name: [] for name in columns}
    left = rows
    for batch in file.iter_batches(batch_size=min(_BATCH, max(rows, 1)), columns=columns, use_threads=False):
        for name in columns:
            cells[name] += _texts(batch.column(name), left)
        left -= batch.num_rows
        if left <= 0:
            break
    return cells


def _texts(column: Any, most: int) -> list[str]:
    """The first cells as text; longer ones are cut, for `sample` keeps no more."""
    column = column[:most]
    if not hasattr(column, "dictionary"):
        return [_text(value) for value in column.to_pylist()]
    known = [_text(value) for value in column.dictionary.to_pylist()]
    return ["" if i is None else known[i] for i in column.indices.to_pylist()]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return (str(value).lower() if isinstance(value, bool) else str(value))[: LENGTH_LIMIT + 1]


def _is_text(kinds: Any, type_: Any) -> bool:
    return bool(kinds.is_string(type_) or kinds.is_large_string(type_))


def _is_bytes(kinds: Any, type_: Any) -> bool:
    return bool(kinds.is_binary(type_) or kinds.is_large_binary(type_) or kinds.is_fixed_size_binary(type_))


def _type(kinds: Any, type_: Any) -> str:
    """Arrow's word; a dictionary is only a way to store its values."""
    return str(type_.value_type if kinds.is_dictionary(type_) else type_)


def main() -> None:
    """Read the file that the command line names, and write the answer as MessagePack to standard output."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    path, rows, *columns = sys.argv[1:]
    answer = read(Path(path), int(rows)) if rows != "all" else read_rows(Path(path), columns)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


if __name__ == "__main__":
    main()
