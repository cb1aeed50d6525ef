"""Parquet files, through pyarrow, in a process of its own.

A file from somebody else can make pyarrow end its process (an exception that C++ does not catch), or take any memory:
some kB hold gigabytes. There it costs that process; here it is one error.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from dbt_schema_embed.errors import ArtifactError, printable
from dbt_schema_embed.extras import need
from dbt_schema_embed.records import Column
from dbt_schema_embed.tables.parquet_child import Answer
from dbt_schema_embed.tables.samples import ROWS_LIMIT

SECONDS = 120.0
"""Longest that one file may take."""


def read_parquet(path: Path) -> list[Column]:
    """The columns, those of plain values with samples of the first rows; no more row groups are read than hold these.

    Raises:
        ArtifactError: missing, unreadable or no Parquet; it would take too much memory or time.
        MissingExtraError: pyarrow is not installed.
    """
    return _answer(path, str(ROWS_LIMIT)).columns


def read_texts(path: Path, columns: Sequence[str]) -> tuple[tuple[str | None, ...], ...]:
    """The named columns of every row, as texts; a column that the file lacks is None in all.

    Raises:
        ArtifactError: as `read_parquet`, or more rows or text than fit.
        MissingExtraError: pyarrow is not installed.
    """
    return _answer(path, "all", *columns).rows


def _answer(path: Path, *wanted: str) -> Answer:
    """What `parquet_child` answers. Raises as `read_parquet`."""
    need("reading Parquet", "parquet")
    shown = printable(path)
    # -P: no module is taken from the current folder
    command = [sys.executable, "-P", "-m", "dbt_schema_embed.tables.parquet_child", str(path.absolute()), *wanted]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, timeout=SECONDS)
        answer = msgspec.msgpack.decode(done.stdout, type=Answer)
    except subprocess.TimeoutExpired:
        raise ArtifactError(f"{shown} took more than {SECONDS:.0f} s to read: it is given up") from None
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the path
        raise ArtifactError(f"{shown} cannot be read as Parquet: {printable(problem)}") from None
    except msgspec.MsgspecError:
        raise ArtifactError(f"{shown} cannot be read as Parquet: it is damaged, or needs too much memory") from None
    if answer.problem:
        raise ArtifactError(answer.problem.replace(str(path.absolute()), str(path)))
    return answer
