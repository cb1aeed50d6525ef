"""A table of too many columns costs that table, and no other."""

import json
from pathlib import Path

import pytest

from dbt_schema_embed.pipeline import SchemaEmbed


def columns(*names: str) -> dict[str, dict[str, str]]:
    return {name: {"name": name} for name in names}


def test_a_table_that_no_file_can_list(engine: SchemaEmbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbt_schema_embed.write.mapping.MAX_COLUMNS", 5)
    kept = {"package_name": "p", "original_file_path": "models/s.yml", "source_name": "s", "resource_type": "source"}
    model = {"resource_type": "model", "name": "stg", "package_name": "p", "columns": columns("amount")}
    sources = {
        "source.p.s.small": kept | {"name": "small", "columns": columns("amount")},
        "source.p.s.wide": kept | {"name": "wide", "columns": columns(*(f"c{i}" for i in range(6)))},
    }
    metadata = {"project_name": "p", "adapter_type": "duckdb"}
    (tmp_path / "target").mkdir()
    manifest = {"metadata": metadata, "nodes": {"model.p.stg": model}, "sources": sources}
    (tmp_path / "target/manifest.json").write_text(json.dumps(manifest))
    answer = engine.suggest(tmp_path, write=True)
    assert answer.written == ("schema_mappings/s__small.yml",)
    assert answer.warnings == ("s.wide has 6 columns, more than 5: its mapping file is not written",)
    assert {row.source for row in answer.rows} == set(sources)
