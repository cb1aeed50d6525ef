"""Sources whose files would have one name: each has its own, and a decision reaches the one it names."""

import json
from pathlib import Path

import pytest

from dbt_schema_embed.agent.kept import Kept
from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.write.mapping import read_mapping

TWINS = [("s", "Orders"), ("s", "orders"), ("a__b", "c"), ("a", "b__c"), ("x", "y")]


def columns(*names: str) -> dict[str, dict[str, str]]:
    return {name: {"name": name, "data_type": "varchar"} for name in names}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Five source tables, four of them twins, and a model with their columns that is not built yet."""
    folder = tmp_path / "project"
    (folder / "target").mkdir(parents=True)
    sources = {
        f"source.p.{source}.{table}": {
            "resource_type": "source", "name": table, "source_name": source, "package_name": "p",
            "original_file_path": "models/s.yml", "columns": columns("amount", "paid"),
        }
        for source, table in TWINS
    }  # fmt: skip
    model = {"resource_type": "model", "name": "stg", "package_name": "p", "columns": columns("amount", "paid")}
    metadata = {"project_name": "p", "adapter_type": "duckdb"}
    manifest = {"metadata": metadata, "nodes": {"model.p.stg": model}, "sources": sources}
    (folder / "target/manifest.json").write_text(json.dumps(manifest))
    return folder


def statuses(project: Path) -> dict[str, list[str]]:
    """Source -> the statuses of its rows; fails where two files map one source."""
    files = [read_mapping(path, path.name) for path in (project / "schema_mappings").glob("*.yml")]
    assert len({file.source for file in files}) == len(files)
    return {file.source: [row.status for row in file.columns] for file in files}


def test_each_twin_has_a_file_of_its_own(engine: SchemaEmbed, project: Path) -> None:
    assert len(engine.suggest(project, write=True).written) == len(TWINS)
    assert set(statuses(project)) == {f"{source}.{table}" for source, table in TWINS}
    names = [path.name.lower() for path in (project / "schema_mappings").glob("*.yml")]
    assert len(set(names)) == len(TWINS)
    assert "x__y.yml" in names
    assert engine.suggest(project, write=True).written == ()
    codes = {problem.code for problem in engine.check(project).problems}
    assert not codes & {"ambiguous-source", "duplicate-mapping", "unknown-source"}


@pytest.mark.parametrize("name", ["s.Orders", "s.orders", "a__b.c", "a.b__c"])
def test_a_decision_reaches_the_source_it_names(engine: SchemaEmbed, project: Path, name: str) -> None:
    engine.suggest(project, write=True)
    engine.decisions.decide(project, name, ["amount"], "accepted")
    decided = {source for source, found in statuses(project).items() if "accepted" in found}
    assert decided == {name}
    engine.suggest(project, write=True)
    assert {source for source, found in statuses(project).items() if "accepted" in found} == {name}
    rows = engine.suggest(project, select=[name]).rows
    assert {row.source for row in rows} == {f"source.p.{name}"}
    assert [row.status for row in rows if row.source_column == "amount"] == ["accepted"]


def test_a_name_that_could_be_either_is_asked_about(engine: SchemaEmbed, project: Path) -> None:
    engine.suggest(project, write=True)
    before = statuses(project)
    with pytest.raises(ConfigError) as caught:
        engine.decisions.decide(project, "S.ORDERS", ["amount"], "accepted")
    assert str(caught.value) == "'S.ORDERS' means several mapped sources\n  name one of them: s.Orders, s.orders"
    assert statuses(project) == before
    agents = Kept(engine, project, {})
    with pytest.raises(ConfigError, match="means several mapped sources"):
        agents.file_text("S.ORDERS")
    assert "source: s.orders\n" in agents.file_text("s.orders")


def test_a_file_that_was_there_before_its_twin_stays(engine: SchemaEmbed, project: Path) -> None:
    folder = project / "schema_mappings"
    folder.mkdir()
    (folder / "a__b__c.yml").write_text("version: 1\nsource: a.b__c\ncolumns: []\n")
    engine.suggest(project, write=True)
    assert read_mapping(folder / "a__b__c.yml", "it").source == "a.b__c"
    assert set(statuses(project)) == {f"{source}.{table}" for source, table in TWINS}
