"""read_relation: CSV and Parquet files with their docs."""

import json
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.errors import ArtifactError, MissingExtraError
from dbt_schema_embed.records import Column, Relation
from dbt_schema_embed.tables import read_relation, read_relations

GOOD_DOCS = '{"A": {"description": " The key. ", "type": "int", "more": 1}, "gone": {}}'


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text("a,b,B\n1,x,\n2,x,y\n", "utf-8")
    return path


def test_a_csv_file(csv: Path) -> None:
    assert read_relation(str(csv)) == Relation(
        id="orders",
        name="orders",
        kind="table",
        columns=(
            Column("a", position=0, values=("1", "2"), value_count=2),
            Column("b", position=1, quoted=True, values=("x",), value_count=2),
            Column("B", position=2, quoted=True, values=("y",), value_count=1),
        ),
    )
    assert read_relations(csv) == (read_relation(csv),)
    renamed = read_relation(csv, table="left")
    assert (renamed.id, renamed.name) == ("left", "left")


@pytest.mark.parametrize("form", ["path", "text", "mapping", "with a byte order mark"])
def test_docs_give_descriptions_and_types(form: str, csv: Path, tmp_path: Path) -> None:
    path = tmp_path / "docs.json"
    path.write_text(GOOD_DOCS, "utf-8-sig" if form == "with a byte order mark" else "utf-8")
    docs: Any = {"text": str(path), "mapping": json.loads(GOOD_DOCS)}.get(form, path)
    found = read_relation(csv, docs=docs)
    assert [(c.type, c.description) for c in found.columns] == [("int", "The key."), (None, ""), (None, "")]


def test_docs_leave_a_files_own_types(tmp_path: Path) -> None:
    path = tmp_path / "t.sql"
    path.write_text("create table t (a bigint, b text)", "utf-8")
    found = read_relation(path, docs={"a": {"type": "int", "description": "x"}, "B": {"type": None}})
    assert [(c.type, c.description) for c in found.columns] == [("BIGINT", "x"), ("TEXT", "")]


@pytest.mark.parametrize(
    ("docs", "problem"),
    [
        ("[]", "Expected `object`, got `array`"),
        ('{"a": "text"}', "Expected `object`, got `str` - at `$[...]`"),
        ('{"a": {"type": 1}}', "Expected `str | null`, got `int` - at `$[...].type`"),
        ('{"a": ', "Input data was truncated"),
    ],
)
def test_docs_that_are_none(docs: str, problem: str, csv: Path, tmp_path: Path) -> None:
    path = tmp_path / "docs.json"
    path.write_text(docs, "utf-8")
    with pytest.raises(ArtifactError) as caught:
        read_relation(csv, docs=path)
    assert str(caught.value) == (
        f"{path} is no JSON of column docs: {problem}\n"
        '  it must be {"column": {"description": "...", "type": "..."}}'
    )


def test_missing_docs(csv: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as caught:
        read_relation(csv, docs=tmp_path / "no.json")
    assert str(caught.value) == f"there is no file of column docs at {tmp_path}/no.json\n  name a JSON file that exists"


def test_wrong_docs_from_python(csv: Path) -> None:
    with pytest.raises(ArtifactError, match="docs is no JSON of column docs"):
        read_relation(csv, docs={"a": 1})  # type: ignore[dict-item]


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    arrow = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    rows = 12_000
    columns = {
        "id": arrow.array(range(rows), arrow.int64()),
        "kind": arrow.array(["a", "b", None] * (rows // 3)).dictionary_encode(),
        "price": arrow.array([Decimal("1.50")] * rows, arrow.decimal128(10, 2)),
        "paid": arrow.array([True] * rows),
        "day": arrow.array([date(2024, 1, 2)] * rows),
        "tags": arrow.array([["x"]] * rows),
        "raw": arrow.array([b"x"] * rows),
    }
    fields = [arrow.field(n, a.type, nullable=n != "id") for n, a in columns.items()]
    path = tmp_path / "events.parquet"
    pq.write_table(arrow.table(list(columns.values()), schema=arrow.schema(fields)), path, row_group_size=1_000)
    return path


def test_a_parquet_file(parquet: Path) -> None:
    found = read_relation(parquet)
    assert (found.id, found.kind) == ("events", "table")
    assert [(c.name, c.type, c.not_null, c.values[:2], c.value_count) for c in found.columns] == [
        ("id", "int64", True, ("0", "1"), 10_000),
        ("kind", "string", False, ("a", "b"), 6_667),
        ("price", "decimal128(10, 2)", False, ("1.50",), 10_000),
        ("paid", "bool", False, ("true",), 10_000),
        ("day", "date32[day]", False, ("2024-01-02",), 10_000),
        ("tags", "list<element: string>", False, (), 0),
        ("raw", "binary", False, (), 0),
    ]


@pytest.mark.parametrize("damage", ["text", "cut", "missing"])
def test_a_damaged_parquet_file(damage: str, parquet: Path) -> None:
    if damage == "missing":
        parquet.unlink()
    else:
        parquet.write_bytes(b"a,b\n1,2\n" if damage == "text" else parquet.read_bytes()[:-20])
    with pytest.raises(ArtifactError) as caught:
        read_relation(parquet)
    assert caught.value.message.startswith(f"{parquet} cannot be read as Parquet: ")
    assert "\n" not in caught.value.message


def test_two_parquet_columns_of_one_name(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    pq.write_table(arrow.table([arrow.array([1]), arrow.array([2])], names=["a", "a"]), path)
    with pytest.raises(ArtifactError) as caught:
        read_relation(path)
    assert str(caught.value) == f"{path} has two columns called 'a'"


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError) as caught:
        read_relation(tmp_path / "t.parquet")
    assert str(caught.value) == "reading Parquet needs an optional part: pip install 'dbt-schema-embed[parquet]'"


def test_every_pair_reads(cases: Path) -> None:
    pairs = sorted(path.parent for path in (cases / "pairs").rglob("mapping.json"))
    assert len(pairs) == 55
    for pair in pairs:
        sides = {}
        for side in ("source", "target"):
            docs = pair / f"{side}_columns.json"
            relation = read_relation(pair / f"{side}.csv", docs=docs if docs.exists() else None)
            sides[side] = {c.name for c in relation.columns}
        for row in json.loads((pair / "mapping.json").read_text("utf-8")):
            assert row["source"] in sides["source"], pair
            assert row["target"] in sides["target"], pair


def test_reading_tables_and_artifacts_imports_nothing_heavy(csv: Path, root: Path) -> None:
    manifest = root / "tests" / "fixtures" / "read" / "manifests" / "dbt_1_11.json"
    code = (
        "import sys; from pathlib import Path\n"
        "from dbt_schema_embed.read.project import read_project; from dbt_schema_embed.tables import read_relation\n"
        f"read_relation({str(csv)!r})\n"
        f"read_project(Path({str(csv.parent)!r}), manifest=Path({str(manifest)!r}), lineage_of=())\n"
        "print([m for m in ('sqlglot', 'numpy', 'pyarrow', 'torch', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout == "[]\n"
