"""dbt 2's Information Schema, in place of the catalog and of our own lineage."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.read.info_schema import read_info_schema
from dbt_schema_embed.read.project import read_project
from dbt_schema_embed.records import Project

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

RAW, STG, MART = "source.p.raw.orders", "model.p.stg_orders", "model.p.orders"
COLUMNS = ("node_unique_id", "column_name", "column_index", "catalog_type", "inferred_type", "declared_type")
STEPS = ("parent_node_unique_id", "parent_column_name", "child_node_unique_id", "child_column_name", "evolution")
SQL = {
    STG: "select id as order_id, cust as customer_id, status, amt / 100 as amount from db.raw.orders where test = 0",
    MART: "select order_id, customer_id, status, round(amount) as total from db.main.stg_orders",
}
AS_DBT_2_FOLLOWS_IT = [
    (RAW, "id", STG, "order_id", "copy"),
    (RAW, "cust", STG, "customer_id", "copy"),
    (RAW, "status", STG, "status", "copy"),
    (RAW, "amt", STG, "amount", "mod"),
    (RAW, "test", STG, "order_id", "scan"),
    (STG, "ORDER_ID", MART, "order_id", "copy"),
    (STG, "customer_id", MART, "customer_id", "copy"),
    (STG, "status", MART, "status", "copy"),
    (STG, "amount", MART, "total", "mod"),
]


def table(folder: Path, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A file of the Information Schema, with a column that we do not know."""
    place = folder / "target" / "info_schema" / "v1"
    place.mkdir(parents=True, exist_ok=True)
    cells = {
        c: arrow.array([row[at] for row in rows], None if rows else arrow.string()) for at, c in enumerate(columns)
    }
    parquet.write_table(arrow.table({**cells, "ingested_at": [0] * len(rows)}), place / f"dbt.{name}.parquet")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with compiled SQL."""
    (tmp_path / "target").mkdir()
    models = {
        i: {"name": i.rpartition(".")[2], "resource_type": "model", "package_name": "p", "compiled_code": sql,
            "relation_name": f"db.main.{i.rpartition('.')[2]}", "depends_on": {"nodes": [parent]}}
        for (i, sql), parent in zip(SQL.items(), (RAW, STG), strict=True)
    }  # fmt: skip
    source = {"name": "orders", "source_name": "raw", "resource_type": "source", "package_name": "p",
              "relation_name": "db.raw.orders",
              "columns": {c: {"name": c} for c in ("id", "cust", "status", "amt", "test")}}  # fmt: skip
    manifest = {"metadata": {"adapter_type": "duckdb", "project_name": "p"}, "nodes": models, "sources": {RAW: source}}
    (tmp_path / "target" / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def lines(project: Project) -> set[tuple[str, str, str, str, str]]:
    return {(x.source, x.source_column, x.model, x.model_column, x.kind) for x in project.lineage}


def types(project: Project, relation: str) -> dict[str, str | None]:
    found = project.relation(relation)
    assert found is not None
    return {c.name: c.type for c in found.columns}


def test_dbts_lineage_and_ours_agree_where_a_project_has_both(shop: Path) -> None:
    ours = read_project(shop)
    table(shop, "column_lineage", STEPS, AS_DBT_2_FOLLOWS_IT)
    dbts = read_project(shop)
    assert dbts.warnings == ()
    assert lines(dbts) == lines(ours)
    assert (RAW, "amt", MART, "total", "derived") in lines(dbts)


def test_dbts_lineage_is_taken_for_the_models_it_has_and_ours_for_the_others(shop: Path) -> None:
    table(shop, "column_lineage", STEPS, [(RAW, "id", STG, "order_key", "copy")])
    found = lines(read_project(shop))
    assert {x for x in found if x[2] == STG} == {(RAW, "id", STG, "order_key", "renamed")}
    assert (RAW, "id", MART, "order_id", "renamed") in found


def test_types_come_from_it_as_sql_spells_them(shop: Path) -> None:
    rows = [
        (STG, "order_id", 0, None, "Int64", None),
        (STG, "amount", 1, None, "Decimal128(18, 2)", None),
        (STG, "status", 2, None, "Utf8", "char(9)"),
        (STG, "seen", 3, "TIMESTAMP_NTZ", "Timestamp(Microsecond, None)", None),
        (STG, "made", 4, None, "Timestamp(Microsecond, None)", None),
        (MART, "order_id", None, None, None, "integer"),
    ]
    table(shop, "node_columns", COLUMNS, rows)
    project = read_project(shop)
    assert types(project, STG) == {
        "order_id": "bigint", "amount": "decimal(18, 2)", "status": "char(9)", "seen": "TIMESTAMP_NTZ",
        "made": "timestamp",
    }  # fmt: skip
    known = {r.id: r.in_catalog for r in project.relations}
    assert known == {RAW: False, STG: True, MART: False}


def test_what_the_warehouse_has_counts_more(shop: Path) -> None:
    table(shop, "node_columns", COLUMNS, [(STG, "order_id", 0, None, "Int64", None)])
    catalog = {"nodes": {STG: {"columns": {"order_id": {"name": "order_id", "type": "HUGEINT", "index": 1}}}}}
    (shop / "target" / "catalog.json").write_text(json.dumps(catalog))
    assert types(read_project(shop), STG) == {"order_id": "HUGEINT"}


def test_it_may_stand_elsewhere(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(shop, "node_columns", COLUMNS, [(STG, "order_id", 0, None, "Int64", None)])
    (shop / "target" / "info_schema").rename(shop / "elsewhere")
    monkeypatch.setenv("DBT_INFO_SCHEMA_DIR", str(shop / "elsewhere"))
    assert types(read_project(shop), STG) == {"order_id": "bigint"}


def test_a_damaged_file_costs_a_warning(shop: Path) -> None:
    table(shop, "node_columns", COLUMNS, [])
    (shop / "target" / "info_schema" / "v1" / "dbt.column_lineage.parquet").write_bytes(b"PAR1")
    project = read_project(shop)
    assert len(project.lineage) == 8
    (warning,) = project.warnings
    assert warning.startswith("dbt's Information Schema is not used: ")
    assert "cannot be read as Parquet" in warning


def test_files_without_its_columns_say_nothing(shop: Path) -> None:
    table(shop, "node_columns", ("other",), [("x",)])
    table(shop, "column_lineage", ("other",), [("x",)])
    assert read_info_schema(shop / "target", [STG]).tables == {}
    assert len(read_project(shop).lineage) == 8


def test_a_circle_ends(shop: Path) -> None:
    circle = [(STG, "a", MART, "a", "copy"), (MART, "a", STG, "a", "copy"), (RAW, "id", STG, "a", "mod")]
    table(shop, "column_lineage", STEPS, circle)
    found = read_info_schema(shop / "target", [STG, MART])
    assert {(x.source_column, x.model, x.kind) for x in found.lineage} == {
        ("id", STG, "derived"),
        ("id", MART, "derived"),
    }
