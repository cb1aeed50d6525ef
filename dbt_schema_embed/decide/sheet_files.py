"""Sheets as CSV and XLSX. What a spreadsheet would take for a formula gets an apostrophe in front, and loses it again
when it is read: `=1+1` is text wherever it is opened, also within a cell that semicolons would part in many countries.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dbt_schema_embed.decide.sheet import HEADER, STATUSES, SheetRow, cell_text
from dbt_schema_embed.errors import ConfigError, MissingExtraError, near_hint, printable

MAX_BYTES = 64 * 2**20
MAX_ROWS = 500_000
_UNPACKED = 128 * 2**20
_TAGS = 8_000_000  # XML's, some 150,000 rows: each may take a hundred bytes of memory
_COLUMNS = 64  # of a sheet; what stands further right is not read
_FORMULA = frozenset("=+-@'＝＋－＠")  # the last four: wide ones
_BLANK = frozenset("\t\n")
_PARTS = re.compile(r"""[;\t\n][\s";]*""")  # what a spreadsheet may part a cell at
_MARKED = re.compile(r"""(\A|[;\t\n][\s";]*)(')?""")
_NEEDED = ("source", "column", "model", "model_column", "status")
_WIDTHS = {"source": 24, "column": 24, "type": 16, "description": 40, "model": 28, "model_column": 24, "expression": 36,
           "status": 12, "note": 40, "confidence": 11, "reason": 40, "mark": 16}  # fmt: skip
_SHEET, _TARGETS = "mappings", "targets"


def inert(text: str) -> str:
    """A cell that nobody runs; see `as_meant`."""
    marked = _PARTS.sub(lambda m: m[0] + "'" * (text[m.end() : m.end() + 1] in _FORMULA), text)
    return f"'{marked}" if marked[:1] in _FORMULA or marked[:1] in _BLANK else marked


def as_meant(text: str) -> str:
    """What `inert` was given."""

    def bare(found: re.Match[str]) -> str:
        after = text[found.end() : found.end() + 1]
        ours = found[2] and (after in _FORMULA or (not found[1] and after in _BLANK))
        return found[1] if ours else found[0]

    return _MARKED.sub(bare, text)


def sheet_bytes(rows: Sequence[SheetRow], targets: Sequence[Sequence[str]], suffix: str) -> bytes:
    """The file of a sheet; ``suffix``: ".csv", or ".xlsx", which lists the columns of models in a second sheet, too.

    Raises:
        MissingExtraError: openpyxl is not installed.
    """
    lines = [[inert(getattr(row, name)) for name in HEADER] for row in rows]
    if suffix == ".xlsx":
        return _xlsx(lines, [[inert(cell_text(text)) for text in line] for line in targets])
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADER, *lines])
    return text.getvalue().encode("utf-8-sig")  # with the mark, Excel reads it as UTF-8


def read_sheet(path: Path) -> list[SheetRow]:
    """The rows of a CSV or XLSX file that `sheet_bytes` made, as people have changed it.

    Columns may stand in any order; those that are read only may be missing. Excel's semicolons and tabs are known.

    Raises:
        ConfigError: it cannot be read, is too large, or is no such sheet.
        MissingExtraError: openpyxl is not installed.
    """
    shown = printable(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{shown} is larger than {MAX_BYTES // 2**20} MiB")
        content = path.read_bytes()
    except (OSError, ValueError) as problem:
        raise ConfigError(f"{shown} cannot be read: {getattr(problem, 'strerror', None) or problem}") from None
    lines = _xlsx_lines(content, shown) if path.suffix.lower() == ".xlsx" else _csv_lines(content, shown)
    header = [name.strip().lower() for name in next(lines, [])]
    for name in _NEEDED:
        if name not in header:
            raise ConfigError(
                f"{shown} has no column {name!r}",
                hint=near_hint(name, header) or "make one with: dbt-schema-embed export FILE",
            )
    rows = []
    for count, line in enumerate(lines):
        if count >= MAX_ROWS:
            raise ConfigError(f"{shown} has more than {MAX_ROWS:,} rows")
        cells = {name: as_meant(cell_text(text)) for name, text in zip(header, line, strict=False)}
        row = SheetRow(**{name: cells.get(name, "") for name in HEADER})
        rows.append(row)
    while rows and not any(getattr(rows[-1], name) for name in HEADER):  # spreadsheets keep empty rows at the end
        rows.pop()
    return rows


def _csv_lines(content: bytes, shown: str) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{shown} is not UTF-8", hint='save it as "CSV UTF-8", or as .xlsx') from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    csv.field_size_limit(2**20)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as problem:
        raise ConfigError(f"{shown} is not CSV: {problem}") from None


def _xlsx_lines(content: bytes, shown: str) -> Iterator[list[str]]:
    openpyxl = _openpyxl()
    try:
        _bounded(content, shown)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
        sheet = book[_SHEET] if _SHEET in book.sheetnames else book.worksheets[0]
        lines = sheet.iter_rows(max_row=MAX_ROWS + 2, max_col=_COLUMNS)  # whatever the file says of its size
        for number, line in enumerate(lines, 1):
            cells = []
            for cell in line:
                if cell.data_type == "f":
                    raise ConfigError(f"{shown}: a cell of row {number} is a formula", hint="write its result")
                cells.append("" if cell.value is None else str(cell.value))
            yield cells
    except ConfigError:
        raise
    except Exception as problem:  # what openpyxl raises of a damaged file has no common class
        raise ConfigError(f"{shown} is no XLSX that can be read: {printable(problem)}") from None


def _bounded(content: bytes, shown: str) -> None:
    """Refuse what unpacks to more than openpyxl can hold; some kB may. Raises ConfigError, or what zipfile raises."""
    hint = "keep fewer rows in it, or save it as CSV"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(part.file_size for part in archive.infolist()) > _UNPACKED:
            raise ConfigError(f"{shown} unpacks to more than {_UNPACKED // 2**20} MiB", hint=hint)
        if sum(archive.read(part).count(b"<") for part in archive.infolist()) > _TAGS:
            raise ConfigError(f"{shown} holds more than {_TAGS:,} XML tags", hint=hint)


def _xlsx(lines: Sequence[Sequence[str]], targets: Sequence[Sequence[str]]) -> bytes:
    openpyxl = _openpyxl()
    from openpyxl.worksheet.datavalidation import DataValidation

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = _SHEET
    _fill(sheet, [HEADER, *lines], [_WIDTHS[name] for name in HEADER])
    choice = DataValidation(type="list", formula1=f'"{",".join(STATUSES)}"', allow_blank=False)
    sheet.add_data_validation(choice)
    letter = openpyxl.utils.get_column_letter(HEADER.index("status") + 1)
    choice.add(f"{letter}2:{letter}{len(lines) + 200}")
    if targets:
        _fill(book.create_sheet(_TARGETS), targets, [28, 28, 16, 60])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _fill(sheet: Any, lines: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    """Cells as text, the first line bold and always in sight."""
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    for y, line in enumerate(lines, 1):
        for x, text in enumerate(line, 1):
            if not text and y > 1:
                continue
            cell = sheet.cell(y, x)
            cell.value, cell.number_format = text, "@"  # text, also when somebody types into it
            cell.data_type = "s"
            cell.alignment = Alignment(vertical="top", wrap_text=True)
            if y == 1:
                cell.font = Font(bold=True)
    for x, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(x)].width = width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions


def _openpyxl() -> Any:
    try:
        import openpyxl
    except ImportError:
        raise MissingExtraError("a sheet as XLSX (CSV works without)", "xlsx") from None
    return openpyxl
