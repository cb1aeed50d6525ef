"""Parquet files, through pyarrow."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt_schema_embed.errors import ArtifactError, MissingExtraError, printable
from dbt_schema_embed.read.values import NO_SAMPLE, ROWS_LIMIT, Sample, sample

MAX_COLUMNS = 100_000
MAX_ROWS = 10_000_000
_BATCH = 2_000  # rows decoded at a time: a row group may hold millions


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """Names, types and nullability from the schema, and a sample of every column of plain values."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    not_null: tuple[bool, ...]
    samples: tuple[Sample, ...] = field(repr=False)


def read_parquet(path: Path, *, rows: int = ROWS_LIMIT) -> ParquetTable:
    """The schema, and samples of the first ``rows`` rows; no more row groups are read than hold them.

    Raises:
        ArtifactError: missing, unreadable or no Parquet.
        MissingExtraError: pyarrow is not installed.
    """
    with _opened(path) as (file, kinds):
        return _table(file, kinds, rows, printable(path))


def read_texts(path: Path, columns: Sequence[str]) -> list[tuple[str | None, ...]]:
    """The named columns of every row, as texts; a column that the file lacks is None in all.

    Raises:
        ArtifactError: as `read_parquet`, or more than `MAX_ROWS` rows.
        MissingExtraError: pyarrow is not installed.
    """
    with _opened(path) as (file, _):
        if file.metadata.num_rows > MAX_ROWS:
            raise ArtifactError(f"{printable(path)} has {file.metadata.num_rows:,} rows, more than {MAX_ROWS:,}")
        there = [name for name in columns if name in file.schema_arrow.names]
        found: list[tuple[str | None, ...]] = []
        for batch in file.iter_batches(columns=there, use_threads=False):
            cells = {name: [_text(v) or None for v in batch.column(name).to_pylist()] for name in there}
            found += zip(*(cells.get(name, [None] * batch.num_rows) for name in columns), strict=True)
        return found


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """The file, and pyarrow's types; whatever goes wrong with it is one of our errors."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("reading Parquet", "parquet") from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            yield file, pyarrow.types
    except (pyarrow.ArrowException, OSError, ValueError) as problem:
        lines = (getattr(problem, "strerror", None) or str(problem)).splitlines()
        reason = printable(lines[0]) if lines else "it is damaged"
        raise ArtifactError(f"{printable(path)} cannot be read as Parquet: {reason}") from None


def _table(file: Any, kinds: Any, rows: int, shown: str) -> ParquetTable:
    fields = list(file.schema_arrow)
    twice = [name for name, n in Counter(f.name for f in fields).items() if n > 1]
    if len(fields) > MAX_COLUMNS:
        raise ArtifactError(f"{shown} has {len(fields):,} columns, more than {MAX_COLUMNS:,}")
    if twice:
        raise ArtifactError(f"{shown} has two columns called {printable(twice[0])!r}")
    plain = [f.name for f in fields if not kinds.is_nested(f.type) and not _is_bytes(kinds, f.type)]
    cells = _cells(file, plain, rows)
    return ParquetTable(
        names=tuple(f.name for f in fields),
        types=tuple(_type(kinds, f.type) for f in fields),
        not_null=tuple(not f.nullable for f in fields),
        samples=tuple(sample(cells[f.name]) if f.name in cells else NO_SAMPLE for f in fields),
    )


def _cells(file: Any, columns: list[str], rows: int) -> dict[str, list[str]]:
    cells: dict[str, list[str]] = {name: [] for name in columns}
    left = rows
    for batch in file.iter_batches(batch_size=min(_BATCH, max(rows, 1)), columns=columns, use_threads=False):
        for name in columns:
            cells[name] += [_text(value) for value in batch.column(name).to_pylist()[:left]]
        left -= batch.num_rows
        if left <= 0:
            break
    return cells


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_bytes(kinds: Any, type_: Any) -> bool:
    return bool(kinds.is_binary(type_) or kinds.is_large_binary(type_) or kinds.is_fixed_size_binary(type_))


def _type(kinds: Any, type_: Any) -> str:
    """Arrow's word; a dictionary is only a way to store its values."""
    return str(type_.value_type if kinds.is_dictionary(type_) else type_)
