"""CSV files, read as far as matching needs them."""

import csv
import io
from itertools import chain, islice, repeat, zip_longest
from pathlib import Path

from dbt_schema_embed.errors import ArtifactError, printable
from dbt_schema_embed.records import Column
from dbt_schema_embed.tables.samples import ROWS_LIMIT, sampled

HEAD_BYTES = 64 * 2**20  # most of one file that is read
MAX_COLUMNS = 100_000
_DELIMITERS = ",\t;|"
_FIELD_LIMIT = 16 * 2**20  # csv's own limit of 131,072 characters refuses long JSON and text cells
_SNIFFED_LINES = 20
_PIECE = 2**20  # bytes


def read_csv(path: Path, *, delimiter: str | None = None, rows: int = ROWS_LIMIT) -> list[Column]:
    """The columns of the header, with samples of the first ``rows`` rows; of a file with a header only without.

    The delimiter is the one of comma, tab, semicolon and bar that splits the first lines most evenly, unless given.
    Text is UTF-8 (a byte order mark is dropped), UTF-16 with a mark, else Windows-1252. A nameless column is called
    ``column_3`` by its place; of two equal names the second is ``name_2``. Missing cells are null, cells beyond the
    header are left out.

    Raises:
        ArtifactError: missing, unreadable, binary, empty, or no CSV.
    """
    text = _text(path, rows)
    if not text.strip():
        raise ArtifactError(f"{printable(path)} is empty", hint="a CSV file needs a header line with the column names")
    csv.field_size_limit(max(csv.field_size_limit(), _FIELD_LIMIT))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or _delimiter(text), skipinitialspace=True)
    try:
        header = next((row for row in reader if row), [])
        body = [row for row in islice(reader, rows) if row]
    except csv.Error as problem:
        raise ArtifactError(f"{printable(path)} is not CSV: line {reader.line_num}: {printable(problem)}") from None
    if len(header) > MAX_COLUMNS:
        raise ArtifactError(f"{printable(path)} has {len(header):,} columns, more than {MAX_COLUMNS:,}")
    cells = chain(zip_longest(*body, fillvalue=""), repeat(()))
    return [sampled(Column(name), below) for name, below in zip(_names(header), cells, strict=False)]


def _text(path: Path, rows: int) -> str:
    """The head of the file: whole lines, about ``rows`` below the header, at most HEAD_BYTES."""
    shown = printable(path)
    try:
        if not path.is_file():
            state = "is not a file" if path.exists() else "does not exist"
            raise ArtifactError(f"{shown} {state}")
        with path.open("rb") as file:
            data, lines = bytearray(), 0
            while lines <= rows and len(data) < HEAD_BYTES and (piece := file.read(_PIECE)):
                data += piece
                lines += piece.count(b"\n")
            cut = bool(file.read(1))
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise ArtifactError(f"{shown} cannot be read: {reason}") from None
    whole = data.rfind(b"\n") + 1 if cut else 0
    return decoded(bytes(data[:whole] if whole else data), shown)


def decoded(data: bytes, shown: str) -> str:
    """The text of ``data``: UTF-8 (a byte order mark is dropped), UTF-16 with a mark, else Windows-1252.

    Raises:
        ArtifactError: it holds zero bytes, so it is no text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise ArtifactError(f"{shown} is not text", hint="give a CSV, a Parquet (.parquet) or a DDL (.sql) file")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _delimiter(text: str) -> str:
    """The character that splits the header and the lines below it into the most fields, evenly."""
    lines = [line for line in text[:65_536].splitlines()[: _SNIFFED_LINES + 1] if line.strip()]
    best, most = ",", 0.0
    for candidate in _DELIMITERS:
        widths = [len(row) for row in csv.reader(lines[:_SNIFFED_LINES], delimiter=candidate, skipinitialspace=True)]
        if not widths or widths[0] < 2:
            continue
        even = sum(width == widths[0] for width in widths) / len(widths)
        if widths[0] * even > most:
            best, most = candidate, widths[0] * even
    return best


def _names(header: list[str]) -> list[str]:
    taken: set[str] = set()
    copies: dict[str, int] = {}  # name -> the number that its next copy gets
    names: list[str] = []
    for place, cell in enumerate(header, 1):
        name = wanted = cell.strip() or f"column_{place}"
        while name in taken:
            copies[wanted] = copies.get(wanted, 1) + 1
            name = f"{wanted}_{copies[wanted]}"
        taken.add(name)
        names.append(name)
    return names
