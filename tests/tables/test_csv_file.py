"""CSV as it is found: delimiters, encodings, headers and rows of every make."""

from pathlib import Path

import pytest

from dbt_schema_embed.errors import ArtifactError
from dbt_schema_embed.records import VALUES_LIMIT, Column
from dbt_schema_embed.tables import csv_file
from dbt_schema_embed.tables.csv_file import read_csv
from dbt_schema_embed.tables.samples import LENGTH_LIMIT


def table(tmp_path: Path, content: str | bytes, **options: object) -> list[Column]:
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return read_csv(path, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "names", "first"),
    [
        pytest.param("a,b\n1,2\n", ("a", "b"), ("1",), id="comma"),
        pytest.param("a;b\n1,5;2\n", ("a", "b"), ("1,5",), id="semicolon with decimal commas"),
        pytest.param("a\tb\n1\t2\n", ("a", "b"), ("1",), id="tab"),
        pytest.param("a|b\n1|2\n", ("a", "b"), ("1",), id="bar"),
        pytest.param("a\n1\n2\n", ("a",), ("1", "2"), id="one column"),
        pytest.param("text\nhello, world\nbye\n", ("text",), ("hello", "bye"), id="one column, a comma below"),
        pytest.param('"x, y",b\n"1, 2",3\n', ("x, y", "b"), ("1, 2",), id="quoted delimiters"),
        pytest.param('a,b\n"two\nlines",1\n', ("a", "b"), ("two\nlines",), id="a cell of two lines"),
        pytest.param("a,b\r\n1,2\r\n", ("a", "b"), ("1",), id="CRLF"),
        pytest.param("a,b\r1,2\r", ("a", "b"), ("1",), id="CR alone"),
        pytest.param("\n\na,b\n\n1,2\n", ("a", "b"), ("1",), id="blank lines"),
        pytest.param("a,b", ("a", "b"), (), id="header only"),
        pytest.param(" a , b \n 1 ,2\n", ("a", "b"), ("1",), id="spaces around"),
        pytest.param("\ufeffa,b\n1,2\n", ("a", "b"), ("1",), id="byte order mark"),
        pytest.param("größe,b\nä,2\n".encode("cp1252"), ("größe", "b"), ("ä",), id="Windows-1252"),
        pytest.param("a,b\nä,2\n".encode("utf-16"), ("a", "b"), ("ä",), id="UTF-16"),
        pytest.param(b"a,b\n\x81,2\n", ("a", "b"), ("\x81",), id="no byte is refused"),
        pytest.param("建物名稱,地址\n甲,乙\n", ("建物名稱", "地址"), ("甲",), id="Chinese"),
        pytest.param(",b,\n1,2,3\n", ("column_1", "b", "column_3"), ("1",), id="nameless columns"),
        pytest.param("a,a,A,a_2\n1,2,3,4\n", ("a", "a_2", "A", "a_2_2"), ("1",), id="names twice"),
        pytest.param("a,b\n1\n2,3,4\n", ("a", "b"), ("1", "2"), id="ragged rows"),
    ],
)
def test_header_and_first_column(
    content: str | bytes, names: tuple[str, ...], first: tuple[str, ...], tmp_path: Path
) -> None:
    found = table(tmp_path, content)
    assert tuple(column.name for column in found) == names
    assert found[0].values == first


def test_words_for_null_are_no_values(tmp_path: Path) -> None:
    found = table(tmp_path, "a,b\n,x\nNULL,x\n\\N,y\nNaN,\n n/a ,0\n")
    assert [(c.values, c.value_count) for c in found] == [((), 0), (("x", "y", "0"), 4)]


def test_values_and_rows_are_bounded(tmp_path: Path) -> None:
    rows = "\n".join(f"{i},{i % 3}" for i in range(12_000))
    found = table(tmp_path, f"a,b\n{rows}\n")
    assert [(len(c.values), c.value_count) for c in found] == [(VALUES_LIMIT, 10_000), (3, 10_000)]
    assert table(tmp_path, f"a,b\n{rows}\n", rows=5)[0].values == ("0", "1", "2", "3", "4")


def test_a_long_cell_is_cut_not_refused(tmp_path: Path) -> None:
    found = table(tmp_path, f"a,b\n{'x' * 500_000},1\n")
    assert [len(v) for v in found[0].values] == [LENGTH_LIMIT]


def test_only_the_head_of_a_long_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "HEAD_BYTES", 11)
    monkeypatch.setattr(csv_file, "_PIECE", 11)
    found = table(tmp_path, "a,b\nä1,2\nä3,4\n")  # cut inside the third line
    assert found[0].values == ("ä1",)


def test_no_more_is_read_than_the_rows_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "_PIECE", 4)
    assert table(tmp_path, "a,b\n1,2\n3,4\n" + "\0" * 100, rows=1)[0].values == ("1",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "FILE is empty\n  a CSV file needs a header line with the column names"),
        (b" \n\n", "FILE is empty\n  a CSV file needs a header line with the column names"),
        (b"a,b\n\0\1\2", "FILE is not text\n  give a CSV, a Parquet (.parquet) or a DDL (.sql) file"),
        (b'a,b\n"' + b"x" * 300 + b"\n", "FILE is not CSV: line 2: field larger than field limit (131072)"),
    ],
)
def test_what_is_no_csv_is_said(content: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if b"xxx" in content:
        content = content.replace(b"x" * 300, b"x" * 200_000)
        monkeypatch.setattr(csv_file, "_FIELD_LIMIT", 0)
        csv_file.csv.field_size_limit(131_072)
    with pytest.raises(ArtifactError) as caught:
        table(tmp_path, content)
    assert str(caught.value) == message.replace("FILE", str(tmp_path / "t.csv"))


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for path, state in ((tmp_path / "x.csv", "does not exist"), (tmp_path, "is not a file")):
        with pytest.raises(ArtifactError) as caught:
            read_csv(path)
        assert str(caught.value) == f"{path} {state}"


def test_values_stay_out_of_reprs(tmp_path: Path) -> None:
    found = table(tmp_path, "a\nsecret\n")
    assert "secret" not in repr(found)
