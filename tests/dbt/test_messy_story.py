"""From four raw tables, each in another state, to `dbt build` green and the right rows; nothing silently absent."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Tool, tool
from tests.dbt import postgres
from tests.dbt.driver import Dbt
from tests.dbt.messy import FILES, RAW, write_messy

__all__ = ["tool"]
pytestmark = [pytest.mark.dbt, pytest.mark.model]

ADDRESS = """"CMADD1" || ', ' || "CMADD2\""""
FIRST, LAST = (f"""split_part("Full Name", ' ', {i})""" for i in (1, 2))
COMMANDS = [
    ["suggest", "--write"],
    ["accept", "erp.customers", "CMADD1", "CMADD2", "--model", "stg_erp__customers", "--column", "street_address",
     "--expression", ADDRESS],
    ["accept", "--source", "erp.customers", "--min-confidence", "0.95"],
    ["accept", "--source", "hr.Mitarbeiter", "--min-confidence", "0.95"],
    ["accept", "--source", "crm.contacts", "--min-confidence", "0.95"],
    ["accept", "crm.contacts", "Full Name", "--model", "stg_crm__contacts", "--column", "first_name",
     "--expression", FIRST],
    ["accept", "crm.contacts", "Full Name", "--model", "stg_crm__contacts", "--column", "last_name",
     "--expression", LAST, "--also"],
    ["stage", "erp.customers"],
    ["stage", "hr.Mitarbeiter"],
    ["stage", "crm.contacts"],
    ["stage", "--new", "web.PageViews"],
]  # fmt: skip
"""Beside `dbt docs generate` before and `dbt build` after: thirteen commands for four tables."""

ROWS = {
    "stg_erp__customers": [
        {"customer_id": "1001", "customer_name": "Stein KG", "street_address": "Am Markt 1, Hinterhaus",
         "postal_code": "04109", "city": "Leipzig", "credit_limit": "5000.00"},
        {"customer_id": "1002", "customer_name": "Lind AB", "street_address": "Storgatan 2, 3 tr",
         "postal_code": "11455", "city": "Stockholm", "credit_limit": "250.50"},
    ],
    "stg_hr__employees": [
        {"employee_id": "7", "first_name": "Ada", "last_name": "Stein", "email": "ada@x.de",
         "birth_date": "1990-01-02"},
        {"employee_id": "8", "first_name": "Bo", "last_name": "Lind", "email": "bo@x.de",
         "birth_date": "1981-05-06"},
    ],
    "stg_crm__contacts": [
        {"contact_id": "1", "email": "ida@x.se", "first_name": "Ida", "last_name": "Berg",
         "updated_at": "2024-01-01 10:00:00", "contact_order": "first"},
        {"contact_id": "2", "email": "ulf@x.se", "first_name": "Ulf", "last_name": "Dahl",
         "updated_at": "2024-02-01 11:30:00", "contact_order": "second"},
    ],
    "stg_web__page_views": [
        {"visit_id": "1", "page_url": "/a", "visited_at": "2024-03-01 09:00:00"},
        {"visit_id": "2", "page_url": "/b", "visited_at": "2024-03-01 09:05:00"},
    ],
}  # fmt: skip
Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(params=["duckdb", "postgres"])
def query(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Query:
    """Asks the database of the messy project, which is in place, its raw tables filled."""
    write_messy(tmp_path)
    monkeypatch.chdir(tmp_path)
    if request.param == "duckdb":
        import duckdb

        def ask(sql: str) -> list[tuple[Any, ...]]:
            with duckdb.connect(str(tmp_path / "messy.duckdb")) as connection:
                return connection.execute(sql).fetchall()
    else:
        pytest.importorskip("dbt.adapters.postgres", reason="dbt-postgres is not installed")
        env = postgres.database("messy", request.getfixturevalue("postgres_env")) | {"PGPASSWORD": "unused"}
        for name, value in env.items():
            monkeypatch.setenv(name, value)

        def ask(sql: str) -> list[tuple[Any, ...]]:
            return postgres.answers(env, sql)

    for statement in RAW:
        ask(statement)
    return ask


def test_from_raw_tables_to_rows(query: Query, dbt: Dbt, tool: Tool, request: pytest.FixtureRequest) -> None:
    here, target = Path(), request.node.callspec.params["query"]
    env = {name: value for name, value in os.environ.items() if name.startswith("PG")}

    def must(*args: str) -> str:
        return dbt.must(here.absolute(), *args, "--target", target, **env).output

    assert "ERROR=0" in must("build")  # what is planned breaks nothing
    must("docs", "generate")
    for command in COMMANDS:
        done = tool(*command)
        assert done.code == 0, (command, done.err)

    assert "WARN=0 ERROR=0 SKIP=0" in must("build")
    for model, rows in ROWS.items():
        names = list(rows[0])
        shown = ", ".join(f"cast({name} as varchar)" for name in names)
        assert query(f"select {shown} from marts.{model} order by 1") == [tuple(row.values()) for row in rows]

    nothing_is_silently_absent(here, query)
    must("docs", "generate")
    assert tool("check", "--strict").out == "no problems in 4 mapping files\n"
    assert all(tool("stage", *command[-1:]).err == "the model has all that is accepted\n" for command in COMMANDS[-4:])


def nothing_is_silently_absent(here: Path, query: Query) -> None:
    """Every planned column is a column of its model; every raw column is a row or an entry of its mapping file; what
    stood in SQL stands there still."""
    for path in sorted(here.glob("models/staging/*.yml")):
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", []):
            made = {name for (name,) in columns(query, "marts", model["name"])}
            assert {c["name"] for c in model["columns"]} == made, model["name"]
    for path in sorted(here.glob("schema_mappings/*.yml")):
        file = yaml.safe_load(path.read_text("utf-8"))
        rows = [row.get("source_columns", [row.get("source_column")]) for row in file["columns"]]
        said = {name for names in rows for name in names} | {*file.get("unmapped", []), *file.get("undecided", [])}
        assert said == {name for (name,) in columns(query, "raw", file["source"].partition(".")[2])}, path
    before = FILES["models/staging/stg_crm__contacts.sql"].splitlines()
    after = iter((here / "models/staging/stg_crm__contacts.sql").read_text("utf-8").splitlines())
    assert all(line in after for line in before)
    sql = (here / "models/staging/stg_hr__employees.sql").read_text("utf-8")
    assert re.findall(r"-- (.*)", sql) == ["not mapped: Kostenstelle"]


def columns(query: Query, schema: str, table: str) -> list[tuple[Any, ...]]:
    where = f"table_schema = '{schema}' and table_name = '{table}'"
    return query(f"select column_name from information_schema.columns where {where}")
