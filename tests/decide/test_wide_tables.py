"""A table of too many columns costs that table, and no other."""

import json
from pathlib import Path

import pytest

from dbt_schema_embed.errors import ArtifactError
from dbt_schema_embed.pipeline import SchemaEmbed

SAID = "s.wide has 6 columns, more than 5: it is not compared"


def columns(*names: str) -> dict[str, dict[str, str]]:
    return {name: {"name": name} for name in names}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than five columns."""
    for room in ("match.bounds", "decide.mappings", "write.mapping"):
        monkeypatch.setattr(f"dbt_schema_embed.{room}.MAX_COLUMNS", 5)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a small source table, one of six columns, and a model."""
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
    return tmp_path


@pytest.mark.usefixtures("few")
def test_a_table_that_is_not_compared(engine: SchemaEmbed, project: Path) -> None:
    answer = engine.suggest(project, write=True)
    assert answer.written == ("schema_mappings/s__small.yml",)
    assert answer.warnings == (SAID,)
    small, *wide = answer.rows
    assert (small.source, small.model_column) == ("source.p.s.small", "amount")
    assert [(row.source, row.answer, row.reason) for row in wide] == [
        ("source.p.s.wide", "undecided", "its table has too many columns")
    ] * 6


@pytest.mark.usefixtures("few")
def test_an_explanation_and_a_match_are_refused(engine: SchemaEmbed, project: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=SAID):
        engine.explain("s.wide.c1", project)
    (tmp_path / "wide.csv").write_text("a,b,c,d,e,f\n")
    (tmp_path / "small.csv").write_text("a\n")
    with pytest.raises(ArtifactError, match="the table wide has 6 columns, more than 5: it is not compared"):
        engine.match(tmp_path / "small.csv", tmp_path / "wide.csv")


def test_a_model_of_too_many_columns_is_fed_by_none(
    engine: SchemaEmbed, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbt_schema_embed.match.bounds.MAX_COLUMNS", 0)
    answer = engine.suggest(project)
    assert {row.answer for row in answer.rows} == {"undecided"}
    assert "stg has 1 columns, more than 0: it is not compared" in answer.warnings
