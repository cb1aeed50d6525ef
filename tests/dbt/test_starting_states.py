"""Every state in which a person may begin: what is said, and what then works, with a real dbt on DuckDB and PostgreSQL.

Each row begins with the same raw table and ends with `dbt build` green and the right rows in the staging model.
"""

import itertools
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.conftest import Tool, tool
from tests.dbt import postgres
from tests.dbt.driver import Dbt, Outcome

__all__ = ["tool"]
pytestmark = [pytest.mark.dbt, pytest.mark.model]

PROJECT = """\
name: clinic
version: 1.0.0
profile: clinic
"""
PROFILES = """\
clinic:
  target: duckdb
  outputs:
    duckdb:
      type: duckdb
      path: "{folder}/clinic.duckdb"
      keep_open: false
    postgres:
      type: postgres
      host: "{{{{ env_var('PGHOST', '') }}}}"
      port: "{{{{ env_var('PGPORT', '5432') | as_number }}}}"
      user: "{{{{ env_var('PGUSER', '') }}}}"
      password: "{{{{ env_var('PGPASSWORD', '') }}}}"
      dbname: "{{{{ env_var('PGDATABASE', '') }}}}"
      schema: main
      threads: 2
"""
RAW = """\
create table main.patients
  ("PatID" integer, "Fname" varchar, "Lname" varchar, "DOB" date, "Ins Co" varchar, "updatedAt" timestamp);
insert into main.patients values
  (1, 'Ada', 'Stein', '1990-01-02', 'AOK', '2024-01-01 10:00:00'),
  (2, 'Bo', 'Lind', '1981-05-06', 'TK', '2024-02-01 11:30:00');
"""
BARE = """\
version: 2
sources:
  - name: ehr
    schema: main
    tables:
      - name: patients
"""
LISTED = BARE + "        columns:\n" + "".join(
    f"          - name: {name}\n            data_type: {type_}\n"
    for name, type_ in [
        ("PatID", "integer"), ("Fname", "varchar"), ("Lname", "varchar"), ("DOB", "date"), ("Ins Co", "varchar"),
        ("updatedAt", "timestamp"),
    ]
)  # fmt: skip
PLAN = """\
version: 2
models:
  - name: stg_ehr__patients
    columns:
      - name: patient_id
        data_type: integer
        data_tests: [unique, not_null]
      - name: first_name
      - name: last_name
      - name: birth_date
        data_type: date
        data_tests: [not_null]
      - name: updated_at
"""
OFF = PLAN.replace("    columns:", "    config:\n      enabled: false  # until it has SQL\n    columns:")
SQL, YAML = "models/staging/stg_ehr__patients.sql", "models/staging/_models.yml"
HALF = """\
-- Only what the front desk needs.
select
    PatID as patient_id,
    lower(Fname) as first_name
from {{ source('ehr', 'patients') }}
"""
ROWS = [
    (1, "Ada", "Stein", "1990-01-02", "2024-01-01 10:00:00"),
    (2, "Bo", "Lind", "1981-05-06", "2024-02-01 11:30:00"),
]
PLANNED = ("patient_id", "first_name", "last_name", "birth_date", "updated_at")
FED = "5 suggested (5 certain), 1 map to nothing\n"
ACCEPT = ("accept --source ehr.patients --min-confidence 0.6", "stage ehr.patients")


@dataclass(frozen=True)
class State:
    """What a person has, what `suggest --write` ends with, and the commands that lead to rows."""

    files: Mapping[str, str] = field(default_factory=dict)
    sources: str = BARE
    catalog: bool = True  # `dbt docs generate`, or `dbt parse` alone
    below: str = ""  # the folder where commands are called
    out: str = FED
    err: str = "wrote schema_mappings/ehr__patients.yml\n"
    then: Sequence[str] = ACCEPT
    columns: Sequence[str] = PLANNED
    rows: Sequence[tuple[object, ...]] = field(default_factory=lambda: ROWS)
    in_sql: str = ""  # stands in the SQL at the end
    green: bool = True  # whether `dbt build` is before anything is mapped


NEW = "next: dbt-schema-embed stage --new ehr.patients\n"
STATES = {
    "no model at all": State(
        out="6 map to nothing\n",
        err=f"wrote schema_mappings/ehr__patients.yml\n{NEW}",
        then=("stage --new ehr.patients",),
        columns=("patient_id", "first_name", "last_name", "date_of_birth", "updated_at"),
        in_sql='"Ins Co" as insurance_company',
    ),
    "no model at all, and one is planned first": State(
        out="6 map to nothing\n",
        err=f"wrote schema_mappings/ehr__patients.yml\n{NEW}",
        then=("stage --plan ehr.patients", "dbt --warn-error parse --no-partial-parse", "dbt build", "suggest --write",
              *ACCEPT),
        columns=("patient_id", "first_name", "last_name", "date_of_birth", "updated_at"),
        in_sql='"Ins Co" as insurance_company',
    ),
    "YAML without .sql": State({YAML: PLAN}),
    "enabled: false in the YAML": State({YAML: OFF, SQL: ""}),
    "enabled: false in the YAML, and no .sql": State({YAML: OFF}),
    "enabled=false in the SQL": State(
        {YAML: PLAN, SQL: "-- Wanted by finance.\n{{ config(enabled=false, materialized='table') }}\n"},
        in_sql="-- Wanted by finance.\n{{ config(materialized='table') }}\n\nwith source as",
    ),
    "an empty .sql": State({YAML: PLAN, SQL: ""}, green=False),
    "a stub that selects *": State(
        {YAML: PLAN, SQL: "-- to do\nselect * from {{ source('ehr', 'patients') }}\n"},
        in_sql="-- to do\nselect\n    PatID as patient_id,\n",
        green=False,
    ),
    "a stub of CTEs that selects *": State(
        {
            YAML: PLAN,
            SQL: "with source as (\n    select * from {{ source('ehr', 'patients') }}\n),\n"
            "renamed as (\n    select * from source\n)\nselect * from renamed\n",
        },
        in_sql="renamed as (\n    select\n        PatID as patient_id,\n",
        green=False,
    ),
    "a half-built model": State(
        {YAML: PLAN, SQL: HALF},
        out="3 suggested (3 certain), 2 already in SQL, 1 map to nothing\n",
        rows=[(i, first.lower(), *rest) for i, first, *rest in ROWS],
        in_sql=HALF.partition("    lower")[0],
        green=False,
    ),
    "dbt parse only, no columns listed": State(
        {YAML: PLAN, SQL: ""},
        catalog=False,
        out="no columns\nnothing feeds: stg_ehr__patients.patient_id (must not be empty), "
        "stg_ehr__patients.birth_date (must not be empty), stg_ehr__patients.first_name, stg_ehr__patients.last_name, "
        "stg_ehr__patients.updated_at\n",
        err="the mapping files are up to date\n"
        "warning: no columns are known of ehr.patients: run dbt docs generate, or list them in its YAML\n",
        then=("dbt docs generate", "suggest --write", *ACCEPT),
        green=False,
    ),
    "dbt parse only": State({YAML: PLAN, SQL: ""}, sources=LISTED, catalog=False, green=False),
    "called from models/": State({YAML: OFF, SQL: ""}, below="models"),
}  # fmt: skip


@dataclass(frozen=True)
class Clinic:
    """A dbt project with one raw table in a database of its own."""

    folder: Path
    run: Dbt
    env: Mapping[str, str] = field(default_factory=dict)  # PostgreSQL's; none: DuckDB

    def sql(self, *statements: str) -> list[tuple[object, ...]]:
        """What the last statement gives."""
        if self.env:
            return postgres.answers(self.env, *statements)
        import duckdb

        with duckdb.connect(str(self.folder / "clinic.duckdb")) as connection:
            return [connection.execute(statement) for statement in statements][-1].fetchall()

    def dbt(self, *words: str) -> Outcome:
        """A command of dbt."""
        return self.run(self.folder, *words, "--target", "postgres" if self.env else "duckdb", **self.env)

    def must(self, *words: str) -> str:
        """What a command of dbt prints that has to succeed."""
        done = self.dbt(*words)
        assert done.ok, done.output
        return done.output

    def spelled(self, sql: str) -> str:
        """SQL with the raw names quoted where the engine tells case apart."""
        return re.sub(r'(?<!")\b(PatID|Fname|Lname|DOB|updatedAt)\b(?!")', r'"\1"', sql) if self.env else sql

    def write(self, state: "State") -> None:
        """The project of a state, its raw table filled."""
        files = {
            "dbt_project.yml": PROJECT, "profiles.yml": PROFILES.format(folder=self.folder.as_posix()),
            "models/staging/_sources.yml": state.sources, **state.files,
        }  # fmt: skip
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.spelled(text) if name.endswith(".sql") else text, "utf-8")
        raw = [*(["create schema main"] if self.env else []), *RAW.strip().rstrip(";").split(";\n")]
        self.sql(*raw)


NUMBERS = itertools.count()


@pytest.fixture(params=["duckdb", "postgres"])
def clinic(request: pytest.FixtureRequest, tmp_path: Path, dbt: Dbt) -> Clinic:
    if request.param == "duckdb":
        return Clinic(tmp_path, dbt)
    pytest.importorskip("dbt.adapters.postgres", reason="dbt-postgres is not installed")
    env = postgres.database(f"clinic_{next(NUMBERS)}", request.getfixturevalue("postgres_env"))
    return Clinic(tmp_path, dbt, env | {"PGPASSWORD": "unused"})


def made(folder: Path, dbt: Dbt, state: State) -> Clinic:
    """On DuckDB."""
    clinic = Clinic(folder, dbt)
    clinic.write(state)
    return clinic


@pytest.mark.skipif(sys.platform == "win32", reason="paths of DuckDB in YAML")
@pytest.mark.parametrize("name", STATES)
def test_every_state_gets_to_rows(name: str, clinic: Clinic, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    state = STATES[name]
    clinic.write(state)
    assert clinic.dbt("build").ok is state.green  # a plan that is switched off breaks nothing
    clinic.must(*(("docs", "generate") if state.catalog else ("parse",)))
    monkeypatch.chdir(clinic.folder / state.below)

    said = tool("suggest", "--write")
    assert (said.code, said.out.partition("\n\n")[2] or said.out, said.err) == (0, state.out, state.err)
    for command in state.then:
        if command.startswith("dbt "):
            clinic.must(*command.split()[1:])
        else:
            done = tool(*command.split())
            assert done.code == 0, done.err
    built = clinic.must(*done.err.rpartition("next: dbt ")[2].split())
    tested = any("unique" in text for text in state.files.values())
    assert ("PASS unique_stg_ehr__patients_patient_id" in built) is tested  # dbt has read the plan's YAML anew

    assert "WARN=0 ERROR=0 SKIP=0" in clinic.must("build")
    columns = ", ".join(f"{c}::varchar" if c.endswith(("_at", "date", "birth")) else c for c in state.columns)
    assert clinic.sql(f"select {columns} from main.stg_ehr__patients order by 1") == [*state.rows]
    assert clinic.spelled(state.in_sql) in (clinic.folder / SQL).read_text("utf-8")
    clinic.must("docs", "generate")
    assert tool("check", "--strict").out == "no problems in 1 mapping file\n"
    assert tool("stage", "ehr.patients").err == "the model has all that is accepted\n"


def test_no_project(tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = tool("suggest")
    assert (done.code, done.err) == (
        3,
        f"error: there is no dbt project in {tmp_path.resolve()}: neither dbt_project.yml nor a manifest\n"
        "  go to the project's folder, or name it with --project-dir\n",
    )


def test_what_reads_a_stub_keeps_its_columns(
    tmp_path: Path, dbt: Dbt, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """* stays beside the new columns where another model reads what it passes on."""
    mart = {"models/mart.sql": "select PatID, DOB from {{ ref('stg_ehr__patients') }}\n"}
    made(tmp_path, dbt, State({YAML: PLAN, SQL: "select * from {{ source('ehr', 'patients') }}\n", **mart}))
    dbt.must(tmp_path, "docs", "generate")
    monkeypatch.chdir(tmp_path)
    tool("suggest", "--write")
    for command in ACCEPT:
        assert tool(*command.split()).code == 0
    assert (tmp_path / SQL).read_text("utf-8").startswith("select\n    *,\n    PatID as patient_id,\n")
    dbt.must(tmp_path, "build")


def test_explain_knows_half_built_models_and_pins(
    tmp_path: Path, dbt: Dbt, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, dbt, State({YAML: PLAN, SQL: HALF}))
    dbt.must(tmp_path, "docs", "generate")
    monkeypatch.chdir(tmp_path)
    assert "1. stg_ehr__patients.birth_date" in tool("suggest", "--explain", "ehr.patients.DOB").out
    tool("suggest", "--select", "ehr.patients", "--not-into", "stg_ehr__patients", "--write")
    explained = tool("suggest", "--explain", "ehr.patients.DOB").out
    assert "1. stg_ehr__patients.birth_date   0.00 " in explained or "birth_date" not in explained
