"""read_project: every version of dbt's artifacts, and what joins them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.errors import ArtifactError, ConfigError
from dbt_schema_embed.read.project import read_project
from dbt_schema_embed.records import Column, Lineage, Project

MANIFESTS = Path(__file__).resolve().parent.parent / "fixtures" / "read" / "manifests"
VERSIONS = ["no_version", *(f"v{n}" for n in range(1, 13))]
Write = Callable[..., Path]


def columns(project: Project, relation: str) -> dict[str, Column]:
    found = project.relation(relation)
    assert found is not None
    return {c.name: c for c in found.columns}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a project folder: target/manifest.json, target/catalog.json and seeds."""

    def make(manifest: Any = None, catalog: Any = None, seeds: dict[str, str] | None = None) -> Path:
        (tmp_path / "target").mkdir(exist_ok=True)
        for name, content in (("manifest", manifest), ("catalog", catalog)):
            if content is not None:
                (tmp_path / "target" / f"{name}.json").write_text(json.dumps(content), "utf-8")
        for name, text in (seeds or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return tmp_path

    return make


def one_model(**more: Any) -> dict[str, Any]:
    return {
        "metadata": {"adapter_type": "snowflake", "project_name": "p"},
        "sources": {},
        "nodes": {"model.p.m": {"name": "m", "resource_type": "model", "package_name": "p", **more}},
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_every_schema_version_tells_the_same_project(version: str, tmp_path: Path) -> None:
    number = int(version[1:]) if version[1:].isdigit() else 0
    project = read_project(tmp_path, manifest=MANIFESTS / f"{version}.json")
    assert (project.name, project.dialect, project.warnings) == ("tiny", "postgres", ())
    assert [(r.id, r.kind, r.has_sql, r.yaml_path) for r in project.relations] == [
        ("model.tiny.stg_charges", "model", True, "models/_models.yml"),
        ("model.tiny.stg_refunds", "model", False, "models/_models.yml"),
        ("seed.tiny.raw_charges", "seed", False, ""),
        ("source.tiny.pay.charges", "source", False, "models/_sources.yml"),
    ]
    source = columns(project, "source.tiny.pay.charges")
    assert source["id"] == Column("id", description="The key.", unique=True, not_null=True)
    assert source["amt"] == Column("amt", "numeric(10,2)", position=1)
    assert source["status"].accepted_values == ("paid", "open", "7", "false")
    model = columns(project, "model.tiny.stg_charges")
    assert model["charge_id"] == Column("charge_id", description="The key, renamed.", unique=True)
    assert model["amount"] == Column("amount", position=1)
    planned = columns(project, "model.tiny.stg_refunds")
    assert planned["charge_id"].references == "model.tiny.stg_charges"
    assert planned["refund_id"].unique == planned["refund_id"].not_null == (number >= 9)
    refunds = project.relation("model.tiny.stg_refunds")
    assert refunds is not None
    assert refunds.contract == (number >= 9)
    assert project.lineage == (
        Lineage("source.tiny.pay.charges", "amt", "model.tiny.stg_charges", "amount", "renamed"),
        Lineage("source.tiny.pay.charges", "id", "model.tiny.stg_charges", "charge_id", "renamed"),
    )


def test_dbt_1_and_dbt_2_tell_the_same_project(tmp_path: Path) -> None:
    one = read_project(tmp_path, manifest=MANIFESTS / "dbt_1_11.json")
    two = read_project(tmp_path, manifest=MANIFESTS / "dbt_2_0.json")
    # dbt 2 takes a package's own source before the root's, and tags of a source only from its config
    assert [replace(r, parents=(), tags=()) for r in one.relations] == [
        replace(r, parents=(), tags=()) for r in two.relations
    ]
    assert one.lineage == two.lineage
    assert [r.name for r in one.relations if r.kind == "model"] == [
        *("dim_customers.v1", "dim_customers.v2", "orders", "revenue", "scores", "stg_charges", "stg_customers"),
        *("stg_refunds", "stg_vendor"),
    ]
    assert [r.name for r in one.relations if r.kind == "model" and not r.has_sql] == ["stg_refunds"]
    assert "source.shop.stripe.disputes" not in {r.id for r in one.relations}
    charges = columns(one, "source.shop.stripe.charges")
    assert charges["customerId"].quoted
    assert charges["customerId"].references == "source.shop.stripe.customers"
    described = one.relation("source.shop.stripe.charges")
    assert described is not None
    assert described.description == "One row for a charge."
    assert [c.name for c in one.relations[0].columns] == ["customer_id"]
    seen = one.relation("source.shop.stripe.customers")
    assert seen is not None
    assert [c.name for c in seen.columns] == ["id", "name"]  # listed nowhere: SQL reads them


def test_the_catalog_gives_order_type_and_spelling(write: Write) -> None:
    yaml = {"created_at": {"name": "created_at", "description": "When.", "data_type": "date"}, "gone": {"name": "gone"}}
    catalog = {
        "nodes": {
            "model.p.m": {
                "columns": {
                    "CREATED_AT": {"name": "CREATED_AT", "type": "TIMESTAMP_NTZ", "index": 2, "comment": "not this"},
                    "ID": {"name": "ID", "type": "NUMBER", "index": "1", "comment": "The key."},
                }
            }
        },
        "sources": {},
    }
    project = read_project(write(one_model(columns=yaml), catalog), lineage_of=())
    assert project.relations[0].columns == (
        Column("ID", "NUMBER", "The key.", 0),
        Column("CREATED_AT", "TIMESTAMP_NTZ", "When.", 1),
        Column("gone", position=2, absent=True),
    )
    assert project.relations[0].in_catalog


@pytest.mark.parametrize(
    ("yaml", "catalog", "expected"),
    [
        pytest.param(["Id"], ["ID"], [("ID", False)], id="case-insensitive"),
        pytest.param([("Id", True)], ["Id", "ID"], [("Id", True), ("ID", True)], id="quoted and its twin"),
        pytest.param([("Id", True)], ["ID"], [("ID", False), ("Id", True)], id="quoted is another column"),
        pytest.param(["Id"], ["id", "ID"], [("id", True), ("ID", True)], id="twins of the warehouse are quoted"),
        pytest.param(["Id", "ID"], [], [("Id", False)], id="the YAML lists it twice"),
        pytest.param(["a b", "ü"], ["A B", "Ü"], [("A B", False), ("Ü", False)], id="spaces and letters beyond ASCII"),
    ],
)
def test_names_compare_without_case_unless_quoted(write: Write, yaml: Any, catalog: Any, expected: Any) -> None:
    said = [name if isinstance(name, tuple) else (name, None) for name in yaml]
    model = one_model(columns={str(i): {"name": name, "quote": quote} for i, (name, quote) in enumerate(said)})
    tables = {"model.p.m": {"columns": {name: {"type": "text", "index": i} for i, name in enumerate(catalog)}}}
    project = read_project(write(model, {"nodes": tables} if catalog else None), lineage_of=())
    assert [(c.name, c.quoted) for c in project.relations[0].columns] == expected


@pytest.mark.parametrize(
    ("yaml", "catalog", "expected"),
    [
        pytest.param([], [], ["amt", "id", "status"], id="SQL alone"),
        pytest.param(["note", "amt"], [], ["note", "amt", "id", "status"], id="YAML, then SQL"),
        pytest.param(["AMT"], [], ["AMT", "id", "status"], id="SQL in another case"),
        pytest.param([], ["id", "note"], ["id", "note"], id="a catalog has all there is"),
        pytest.param(["note"], ["id"], ["id", "note absent"], id="YAML lists what the catalog lacks"),
    ],
)
def test_the_columns_of_a_source_table(write: Write, yaml: list[str], catalog: list[str], expected: list[str]) -> None:
    manifest = json.loads((MANIFESTS / "v12.json").read_text("utf-8"))
    manifest["nodes"] = {i: node for i, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    sql = 'select id as charge_id, amt / 100 as amount, status from "db"."raw"."raw_charges"'
    manifest["nodes"]["model.tiny.stg_charges"]["compiled_code"] = sql
    manifest["sources"]["source.tiny.pay.charges"]["columns"] = {name: {"name": name} for name in yaml}
    table = {"columns": {name: {"name": name, "type": "text", "index": i} for i, name in enumerate(catalog)}}
    found = read_project(
        write(manifest, {"nodes": {}, "sources": {"source.tiny.pay.charges": table}} if catalog else None)
    )
    source = found.relation("source.tiny.pay.charges")
    assert source is not None
    assert [c.name + (" absent" if c.absent else "") for c in source.columns] == expected
    assert [c.position for c in source.columns] == list(range(len(expected)))


def test_seed_rows_are_the_sources_values(write: Write) -> None:
    manifest = json.loads((MANIFESTS / "v12.json").read_text("utf-8"))
    folder = write(
        manifest, seeds={"seeds/raw_charges.csv": "id,amt,status,note\n1,5,paid,\n2,,open,null\n1,7,paid, x \n"}
    )
    project = read_project(folder, lineage_of=())
    for relation in ("source.tiny.pay.charges", "seed.tiny.raw_charges"):
        found = columns(project, relation)
        assert [(c.name, c.values[:2], c.value_count) for c in found.values()] == [
            ("id", ("1", "2"), 3),
            ("amt", ("5", "7"), 2),
            ("status", ("paid", "open"), 3),
            ("note", ("x",), 1),
        ]
    assert columns(project, "source.tiny.pay.charges")["status"].values == ("paid", "open", "7", "false")
    without = read_project(folder, lineage_of=(), values=False)
    assert not any(c.values or c.value_count for r in without.relations for c in r.columns)
    assert [c.name for r in without.relations for c in r.columns] == [
        c.name for r in project.relations for c in r.columns
    ]


def test_literals_of_sql_are_values(write: Write) -> None:
    manifest = json.loads((MANIFESTS / "v12.json").read_text("utf-8"))
    sql = """select id as charge_id from "db"."raw"."raw_charges" where status in ('void', 'lost')"""
    manifest["nodes"]["model.tiny.stg_charges"]["compiled_code"] = sql
    folder = write(manifest)
    assert columns(read_project(folder), "source.tiny.pay.charges")["status"].values[-2:] == ("void", "lost")
    assert columns(read_project(folder, values=False), "source.tiny.pay.charges")["status"].values == ()


def test_lineage_of_some_models_reads_their_ancestors_only(tmp_path: Path) -> None:
    manifest = MANIFESTS / "dbt_1_11.json"
    read = {line.model for line in read_project(tmp_path, manifest=manifest, lineage_of=["model.shop.orders"]).lineage}
    assert read == {"model.shop.orders", "model.shop.stg_charges", "model.shop.stg_customers"}
    assert read_project(tmp_path, manifest=manifest, lineage_of=()).lineage == ()
    assert read_project(tmp_path, manifest=manifest, lineage_of=["model.not.there"]).lineage == ()


def test_the_dialect_comes_from_the_artifacts_then_from_the_argument(write: Write) -> None:
    model = one_model(raw_code="select 1 as a", compiled_code="select 1 as a")
    assert read_project(write(model), dialect="postgres").dialect == "snowflake"
    model["metadata"]["adapter_type"] = None
    assert read_project(write(model), dialect="sqlserver").dialect == "tsql"
    silent = read_project(write(model))
    assert (silent.dialect, silent.warnings) == (
        None,
        ("nothing says which adapter the project has: SQL is read in no particular dialect; say which with --dialect",),
    )
    model["metadata"]["adapter_type"] = "fal"
    assert read_project(write(model)).warnings == (
        "the adapter fal is not known: SQL is read in no particular dialect; say which with --dialect",
    )
    with pytest.raises(ConfigError) as caught:
        read_project(write(model), dialect="snowflak")
    assert str(caught.value) == "unknown SQL dialect 'snowflak'\n  did you mean snowflake?"


@pytest.mark.parametrize(
    ("line", "folder"),
    [
        ("target-path: out", "out"),
        ("target-path: 'out'  # here", "out"),
        ("target-path: \"{{ env_var('OUT', 'out') }}\"", "out"),
        ("target-path: \"{{ env_var('SET_OUT') }}\"", "elsewhere"),
        ("target-path: \"{{ var('x') }}\"", "target"),
        ("name: target-path", "target"),
    ],
)
def test_the_target_folder_is_dbts(line: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SET_OUT", "elsewhere")
    (tmp_path / "dbt_project.yml").write_text(f"name: p\n{line}\nversion: 1\n", "utf-8")
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "manifest.json").write_text(json.dumps(one_model()), "utf-8")
    assert read_project(tmp_path).manifest == str(tmp_path / folder / "manifest.json")


def test_a_flag_then_the_environment_come_before_the_project_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dbt_project.yml").write_text("target-path: from_file\n", "utf-8")
    for folder in ("from_flag", "from_env"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "manifest.json").write_text(json.dumps(one_model()), "utf-8")
    monkeypatch.setenv("DBT_TARGET_PATH", "from_env")
    assert Path(read_project(tmp_path).manifest).parent.name == "from_env"
    assert Path(read_project(tmp_path, target_path=Path("from_flag")).manifest).parent.name == "from_flag"


def test_a_catalog_of_another_project_is_refused(write: Write) -> None:
    folder = write(one_model(), {"nodes": {"model.other.m": {"columns": {}}}, "sources": {}})
    with pytest.raises(ArtifactError) as caught:
        read_project(folder)
    target = folder / "target"
    assert str(caught.value) == (
        f"the catalog {target / 'catalog.json'} belongs to another project: it shares no table with the manifest "
        f"{target / 'manifest.json'}\n"
        "  run `dbt docs generate` in this project, or name its catalog with --catalog"
    )


def test_an_empty_catalog_and_a_project_without_sources_are_no_errors(write: Write) -> None:
    project = read_project(write(one_model(), {"nodes": {}, "sources": {}}))
    assert [r.id for r in project.relations] == ["model.p.m"]


def test_every_case_reads(cases: Path) -> None:
    folders = sorted((cases / "dbt").iterdir())
    assert len(folders) == 30
    for folder in folders:
        gold = json.loads((folder / "gold.json").read_text("utf-8"))
        project = read_project(folder, lineage_of=())
        assert project.warnings == ()
        assert all(project.relation(pair[side]) for pair in gold["pairs"] for side in ("source", "model"))
        hidden = {pair["model"] for pair in gold["pairs"] if not pair.get("visible")}
        planned = {r.id for r in project.relations if r.kind == "model" and not r.has_sql}
        if any(pair.get("visible") for pair in gold["pairs"]):
            assert hidden & planned == hidden
        files = [p for p in (folder / "seeds").glob("*.csv") if len(p.read_text("utf-8").splitlines()) > 1]
        with_rows = [r for r in project.relations if r.kind == "seed" and any(c.value_count for c in r.columns)]
        assert len(with_rows) == len(files)


def test_every_column_of_the_gold_is_read(cases: Path) -> None:
    for folder in sorted((cases / "dbt").iterdir()):
        gold = json.loads((folder / "gold.json").read_text("utf-8"))
        relations = {r.id: r for r in read_project(folder, lineage_of=()).relations}
        for pair in gold["pairs"]:
            assert relations[pair["source"]].column(pair["source_column"]), (folder.name, pair)
            if not pair.get("visible"):  # columns of a model that has SQL may stand there alone
                assert relations[pair["model"]].column(pair["model_column"]), (folder.name, pair)


@pytest.mark.parametrize("name", ["netsuite", "quickbooks", "workday"])
def test_full_projects_read(cases: Path, name: str) -> None:
    project = read_project(cases / "full", manifest=cases / "full" / name / "manifest.json", lineage_of=())
    assert project.name == f"{name}_integration_tests"
    assert sum(len(r.columns) for r in project.relations) > 2000
    typed = [c.type is not None for r in project.relations if r.kind == "source" for c in r.columns]
    assert sum(typed) / len(typed) > 0.9
