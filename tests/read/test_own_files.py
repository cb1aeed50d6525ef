"""A project read from its own files: as its manifest says, and as the files say where they are newer."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dbt_schema_embed.errors import ArtifactError
from dbt_schema_embed.read.project import read_project
from dbt_schema_embed.records import Column, Project, Relation
from tests.shop import copy_of_example


@pytest.fixture
def shop(root: Path, tmp_path: Path) -> Path:
    """The example, its manifest without a catalog."""
    folder = copy_of_example(root, tmp_path / "shop")
    (folder / "target" / "catalog.json").unlink()
    return folder


def read(folder: Path) -> Project:
    return read_project(folder, own_files=True, values=False)


def plain(relation: Relation) -> Relation:
    """What files can say of it: no schema that dbt makes, no doc(), no rows that dbt puts behind a source."""
    columns = tuple(
        replace(c, references=(c.references or "").rpartition(".")[2], description="") for c in relation.columns
    )
    return replace(relation, columns=columns, schema="")


def test_files_say_what_the_manifest_says(shop: Path) -> None:
    known = read(shop)
    (shop / "target" / "manifest.json").unlink()
    found = read(shop)
    assert [r.id for r in found.relations] == [r.id for r in known.relations]
    fed_by_seeds = {r.id for r in known.relations if r.kind == "source" and r.complete}
    for ours, dbts in zip(found.relations, known.relations, strict=True):
        if ours.id not in fed_by_seeds:
            assert plain(ours) == plain(dbts)
    assert (found.name, found.dialect, found.unread) == ("shop", "duckdb", ())
    assert not found.whole  # its packages are not installed
    lost = set(known.lineage) - set(found.lineage)
    assert {line.kind for line in lost} == {"derived"}  # what macros make of columns
    assert set(found.lineage) <= set(known.lineage)


def stale(folder: Path) -> None:
    """Every file is newer than the manifest."""
    os.utime(folder / "target" / "manifest.json", (0, 0))


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    return change


STRIPE = "models/staging/stripe"


def columns(project: Project, name: str) -> list[str]:
    return [c.name for r in project.relations if r.id == f"model.shop.{name}" for c in r.columns if not c.absent]


def test_files_that_are_newer_and_say_the_same_change_nothing(shop: Path) -> None:
    known = read(shop)
    stale(shop)
    found = read(shop)
    assert found.lineage == known.lineage
    assert [plain(r) for r in found.relations] == [plain(r) for r in known.relations]
    # There is no other way to know whether macros and settings are what they were.
    assert found.unread == ("dbt_project.yml", "macros/cents_to_amount.sql", "macros/generate_schema_name.sql")


def test_sql_is_the_truth(shop: Path) -> None:
    change = edit(f"{STRIPE}/stg_stripe__customers.sql", "name as customer_name", "name as full_name")
    change(shop)
    found = read(shop)
    assert "full_name" in columns(found, "stg_stripe__customers")
    assert "customer_name" not in columns(found, "stg_stripe__customers")
    fed = {(x.source_column, x.model_column) for x in found.lineage if x.model == "model.shop.stg_stripe__customers"}
    assert ("name", "full_name") in fed


def test_line_ends_are_no_change(shop: Path) -> None:
    path = shop / STRIPE / "stg_stripe__customers.sql"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read(shop).lineage == read_project(shop, values=False).lineage


def test_yaml_that_is_newer_is_read_again(shop: Path) -> None:
    stale(shop)
    edit(f"{STRIPE}/_stripe__sources.yml", "      - name: charges\n", "      - name: payments\n")(shop)
    edit(f"{STRIPE}/_stripe__models.yml", "name: customer_name", "name: full_name")(shop)
    found = read(shop)
    labels = {r.label for r in found.relations if r.kind == "source"}
    assert "stripe.payments" in labels
    assert "stripe.charges" not in labels
    model = found.relation("model.shop.stg_stripe__customers")
    assert model is not None
    assert [c.name for c in model.columns if c.absent] == ["full_name"]  # YAML has it, SQL has not


def test_models_come_and_go(shop: Path) -> None:
    (shop / "models" / "marts" / "customers.sql").unlink()
    (shop / "models" / "marts" / "new.sql").write_text(
        "select customer_id as id from {{ ref('stg_stripe__customers') }}", "utf-8"
    )
    (shop / "models" / "marts" / "off.sql").write_text("{{ config(enabled=false) }} select 1 as a", "utf-8")
    found = read(shop)
    names = {r.name for r in found.relations if r.kind == "model"}
    assert "new" in names
    assert not names & {"customers", "off"}
    assert columns(found, "new") == ["id"]
    assert [(x.source_column, x.model_column) for x in found.lineage if x.model == "model.shop.new"] == [("id", "id")]


def test_what_only_dbt_can_read_is_named(shop: Path) -> None:
    edit(
        f"{STRIPE}/stg_stripe__customers.sql", "        email,", "        {% for c in ['email'] %}{{ c }},{% endfor %}"
    )(shop)
    found = read(shop)
    assert found.unread == (f"{STRIPE}/stg_stripe__customers.sql",)
    model = found.relation("model.shop.stg_stripe__customers")
    assert model is not None
    assert not model.complete  # so that nothing is called gone


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("models:\n  - name: m\n    columns:\n      - {name: a, data_type: int, data_tests: [not_null, unique]}\n",
         [Column("a", "int", unique=True, not_null=True)]),
        ("models:\n  - name: m\n    columns:\n      - name: a\n        tests:\n"
         "          - accepted_values: {values: [x, y]}\n", [Column("a", accepted_values=("x", "y"))]),
        ("models:\n  - name: m\n    columns:\n      - {name: A b, quote: true, description: '{{ doc(1) }} of it'}\n",
         [Column("A b", description="of it", quoted=True)]),
        ("models:\n  - name: m\n    latest_version: 1\n    columns: [{name: a}, {name: b}]\n    versions:\n"
         "      - v: 1\n        columns: [{include: all, exclude: [b]}, {name: c}]\n",
         [Column("a"), Column("c", position=1)]),
        ("models: [17, {name: m, columns: nonsense}]\nsources: {a: 1}\n", []),
        ("models: [\n", []),
    ],
)  # fmt: skip
def test_what_yaml_says_of_a_planned_model(tmp_path: Path, yaml: str, expected: list[Column]) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: p\n")
    (tmp_path / "models" / "m.sql").write_text("-- planned\n")
    (tmp_path / "models" / "m.yml").write_text(yaml)
    (model,) = read(tmp_path).relations
    assert list(model.columns) == expected
    assert not model.has_sql


def test_folders_packages_snapshots_and_settings_are_as_dbt_project_says(tmp_path: Path) -> None:
    files = {
        "dbt_project.yml": "name: p\nmodel-paths: [sql]\nmodels:\n  p:\n    old:\n      +enabled: false\n",
        "packages.yml": "packages:\n  - package: a/b\n",
        "sql/stg.sql": "select * from {{ source('raw', 't') }}",
        "sql/old/gone.sql": "select 1 as a",
        "sql/s.yml": "sources:\n  - name: raw\n    tables: [{name: t, columns: [{name: id}]}]\n",
        "models/not_this.sql": "select 1",
        "snapshots/snap.sql": "{% snapshot kept %}select id from {{ ref('stg') }}{% endsnapshot %}",
        "dbt_packages/b/dbt_project.yml": "name: b\n",
        "dbt_packages/b/models/theirs.sql": "select 1 as one",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = read(tmp_path)
    assert [r.id for r in found.relations] == ["model.b.theirs", "model.p.stg", "snapshot.p.kept", "source.p.raw.t"]
    assert found.whole
    assert [(x.model, x.model_column) for x in found.lineage] == [("model.p.stg", "id"), ("snapshot.p.kept", "id")]


def test_a_manifest_that_is_named_must_be_there_and_so_must_a_project(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="there is no manifest"):
        read_project(shop, manifest=shop / "nope.json", own_files=True)
    shutil.rmtree(shop / "target")
    with pytest.raises(ArtifactError, match="there is no manifest"):
        read_project(shop)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactError, match="there is no dbt project"):
        read_project(tmp_path / "empty", own_files=True)


def test_a_model_that_dbt_has_not_parsed_yet_is_what_its_yaml_says(shop: Path) -> None:
    plan = f"{STRIPE}/plan.yml"
    (shop / plan).write_text("models:\n  - name: stg_stripe__tax\n    columns: [{name: tax_id}]\n")
    before = read_project(shop)
    assert columns(before, "stg_stripe__tax") == ["tax_id"]
    (shop / f"{STRIPE}/stg_stripe__tax.sql").write_text("select id as tax_id from {{ source('stripe', 'tax') }}")
    after = read_project(shop)
    assert after.relations == before.relations  # so that no suggestion for it is dropped
    said = f"dbt has not parsed {STRIPE}/stg_stripe__tax.sql yet: run dbt parse"
    assert [said in project.warnings for project in (before, after)] == [False, True]
