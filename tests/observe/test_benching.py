"""bench: which texts are measured, and how the figures are shown. Measuring itself is the embed room's."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.embed.bench import Figure
from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.observe import benching
from dbt_schema_embed.observe.benching import generated, machine
from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.settings import Settings
from tests.cli.conftest import Tool, tool

__all__ = ["tool"]

FIGURES = [Figure("texts a second", 1234.5, "1/s"), Figure("faster than", 2, "x", ">= 1.7", "its best"),
           Figure("least cosine", 0.99999, "", ">= 0.9999")]  # fmt: skip


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the embed room was asked to measure; it answers at once."""
    asked: list[dict[str, Any]] = []

    def measure(texts: Sequence[str], **how: Any) -> list[Figure]:
        asked.append({"texts": list(texts), **how})
        return FIGURES

    monkeypatch.setattr("dbt_schema_embed.embed.bench.measure", measure)
    monkeypatch.setattr("dbt_schema_embed.embed.bench.measure_relations", lambda *_, **how: [])
    monkeypatch.setattr(benching, "_suggest_figures", lambda *_: [])
    return asked


@pytest.mark.model
def test_the_columns_of_the_project_are_measured_in_a_fixed_order(shop: Path, measured: list[dict[str, Any]]) -> None:
    with SchemaEmbed(Settings(max_workers=1)) as engine:
        first = engine.measures.bench(shop, texts=50, rounds=2)
        assert engine.measures.bench(shop, texts=50, rounds=2) == first
    one, two = measured
    assert one == two
    assert (len(set(one["texts"])), one["rounds"], one["max_workers"]) == (50, 2, 1)
    assert (first.of, first.texts) == ("shop", 50)


@pytest.mark.model
def test_generated_columns_need_no_project(tmp_path: Path, measured: list[dict[str, Any]]) -> None:
    with SchemaEmbed() as engine:
        assert engine.measures.bench(None, texts=1000).texts == 500
    assert sorted(measured[0]["texts"]) == generated()


@pytest.mark.model
def test_a_project_without_columns_is_told_so(shop: Path, measured: list[dict[str, Any]]) -> None:
    (shop / "target" / "catalog.json").unlink()
    path = shop / "target" / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(manifest | {"nodes": {}, "sources": {}}), "utf-8")
    with SchemaEmbed() as engine, pytest.raises(ConfigError, match="the project shop has no columns to encode"):
        engine.measures.bench(shop)
    assert measured == []


@pytest.mark.model
def test_the_command_shows_the_machine_and_a_line_a_figure(
    shop: Path, measured: list[dict[str, Any]], tool: Tool
) -> None:
    done = tool("bench", "--project-dir", shop, "--texts", "40")
    assert (done.code, done.err) == (0, "")
    head, texts, _, *lines = done.out.splitlines()
    assert head.endswith(f"Python {machine()['python']}")
    assert texts == "40 texts, shop"
    assert [line.split("  ")[0] for line in lines] == [figure.name for figure in FIGURES]
    assert lines[1].split() == ["faster", "than", "2.00x", ">=", "1.7", "its", "best"]
    data = json.loads(tool("bench", "--generated", "--format", "json").out)
    assert (data["schema_version"], data["of"], data["machine"]) == (1, "generated", machine())
    assert data["figures"][2] == {
        "name": "least cosine", "value": 0.99999, "unit": "", "goal": ">= 0.9999", "note": "",
    }  # fmt: skip


@pytest.mark.model
def test_columns_and_suggest_are_timed_on_the_project(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real ones: each different text is encoded once, and suggest runs as users run it."""
    monkeypatch.setattr(benching, "_RUNS", 1)
    monkeypatch.setattr("dbt_schema_embed.embed.bench._JOINED", 40)
    monkeypatch.setattr("dbt_schema_embed.embed.bench.measure", lambda *_, **how: [])
    with SchemaEmbed() as engine:
        figures = {figure.name: figure for figure in engine.measures.bench(shop).figures}
    assert list(figures) == [
        "columns a second, empty memo", "against encoding each column's joined text",
        "suggest, nothing in the memo", "suggest, all in the memo",
    ]  # fmt: skip
    assert all(figure.value > 0 for figure in figures.values())
    (shop / "schema_mappings").mkdir(exist_ok=True)
    (shop / "schema_mappings" / "broken.yml").write_text("version: [1\n")
    with SchemaEmbed() as engine, pytest.raises(ConfigError, match="suggest fails on this project"):
        engine.measures.bench(shop)
