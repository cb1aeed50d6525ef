"""Tables in memory: the same as the same table in a Parquet file."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from dbt_schema_embed.tables import read_relation

ROWS = {
    "id": [1, None, 3],
    "name": ["Ann", "a text that is longer than twelve bytes, ö", None],
    "paid": [True, None, False],
    "price": [Decimal("1.50"), Decimal("-2.25"), None],
    "rate": [0.5, None, 1.25],
    "day": [date(2024, 1, 2), None, date(1969, 12, 31)],
    "at": [datetime(2024, 1, 2, 3, 4, 5), None, datetime(1969, 12, 31, 23, 59, 59, 500000)],
    "tags": [["x"], None, []],
}


def arrow() -> pyarrow.Table:
    """The rows, and a column that is stored as a dictionary."""
    table = pyarrow.table(ROWS)
    return table.append_column("kind", pyarrow.array(["b", "a", "b"]).dictionary_encode())


def frames() -> dict[str, Callable[[], Any]]:
    """Library -> its table of the rows."""

    def pandas() -> Any:
        return pytest.importorskip("pandas").DataFrame({"id": [1, 3], "name": ["Ann", "Bo"], "paid": [True, False]})

    def polars() -> Any:
        return pytest.importorskip("polars").DataFrame({"id": [1, 3], "name": ["Ann", "Bo"], "paid": [True, False]})

    def duckdb() -> Any:
        sql = "select * from (values (1::bigint, 'Ann', true), (3, 'Bo', false)) t(id, name, paid)"
        return pytest.importorskip("duckdb").sql(sql)

    return {"pandas": pandas, "polars": polars, "duckdb": duckdb}


def test_it_reads_what_parquet_holds(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pyarrow.parquet.write_table(arrow(), path)
    ours, theirs = read_relation(arrow()), read_relation(path)
    assert [(c.name, c.values, c.value_count) for c in ours.columns] == [
        (c.name, c.values, c.value_count) for c in theirs.columns
    ]
    types = [(c.name, c.type) for c in theirs.columns if c.name != "tags"]
    assert [(c.name, c.type) for c in ours.columns if c.name != "tags"] == types
    assert (ours.name, ours.kind) == ("table", "table")


def test_slices_and_many_batches(tmp_path: Path) -> None:
    table = pyarrow.concat_tables([arrow().slice(1), arrow().slice(0, 0), arrow()])
    path = tmp_path / "table.parquet"
    pyarrow.parquet.write_table(table, path)
    found = read_relation(table, table="left", docs={"id": {"description": "The key."}})
    assert [c.values for c in found.columns] == [c.values for c in read_relation(path).columns]
    assert (found.id, found.columns[0].description) == ("left", "The key.")
    assert read_relation(table.to_reader(1)).columns[1].values == found.columns[1].values


@pytest.mark.parametrize("library", frames())
def test_data_frames(library: str) -> None:
    found = read_relation(frames()[library]())
    assert [(c.name, c.values) for c in found.columns] == [
        ("id", ("1", "3")), ("name", ("Ann", "Bo")), ("paid", ("true", "false"))
    ]  # fmt: skip
    assert found.columns[0].type == "int64"


def test_what_is_no_table_is_said() -> None:
    with pytest.raises(TypeError, match="takes a path or a table of pandas, polars, Arrow or DuckDB, not list"):
        read_relation([1, 2])  # type: ignore[arg-type]
