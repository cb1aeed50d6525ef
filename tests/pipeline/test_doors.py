"""What scripts and notebooks use: decisions from Python, results as tables."""

import json
from pathlib import Path

import pytest

from dbt_schema_embed.errors import ArtifactError
from dbt_schema_embed.pipeline import SchemaEmbed, suggestions_text


def test_python_decides_as_the_command_line_does(engine: SchemaEmbed, shop: Path) -> None:
    engine.suggest(shop, write=True)
    changed = engine.accept("stripe.charges", ["amount", "currency"], shop, note="asked Bo")
    assert changed.files == ("schema_mappings/stripe__charges.yml",)
    assert changed.to_dict() == {"schema_version": 1, "files": list(changed.files), "diff": changed.diff}
    assert engine.apply(shop, dry_run=True).files == ()
    assert "select" in engine.stage("stripe.charges", shop, dry_run=True).diff
    found = engine.check(shop)
    assert [row["code"] for row in found.to_dicts()] == [problem.code for problem in found.problems]


def test_match_takes_tables_in_memory(engine: SchemaEmbed, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    (tmp_path / "right.csv").write_text("id,Name\n1,x\n", "utf-8")
    found = engine.match(pyarrow.table({"name": ["x"], "more": [1]}), tmp_path / "right.csv")
    assert [(row.source_column, row.model_column) for row in found.rows] == [("name", "Name"), ("more", None)]
    with pytest.raises(ArtifactError, match="nonsense does not exist"):
        engine.match("nonsense", tmp_path / "right.csv")


def test_results_are_tables(engine: SchemaEmbed, shop: Path) -> None:
    found = engine.suggest(shop, select=["stripe.charges"])
    rows = found.to_dicts()
    assert len(rows) == len(found.rows)
    assert "evidence" not in rows[0]
    assert found._repr_html_().count("<tr>") == len(rows) + 1
    hits = engine.search("amount <paid>", shop, limit=3)
    assert [hit["column"] for hit in hits.to_dicts()] == [hit.column for hit in hits]
    for frame in ("pandas", "polars"):
        pytest.importorskip(frame)
        assert len(getattr(found, f"to_{frame}")()) == len(rows)


def test_a_compact_answer_is_small(engine: SchemaEmbed, shop: Path) -> None:
    found = engine.suggest(shop)
    text = suggestions_text(found, "json", compact=True)
    assert len(text) <= 100 * len(found.rows)
    told = json.loads(text)
    assert sum(map(len, told["tables"].values())) == len(found.rows)
    assert told["fields"] == ["source_column", "model", "model_column", "answer", "confidence", "status"]
