"""evaluate: what is asked, what is reported, what cannot be measured. The matcher is the real one."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.errors import ArtifactError, ConfigError, WriteError
from dbt_schema_embed.observe.evaluating import KEPT, kept_evaluation
from dbt_schema_embed.pipeline import SchemaEmbed
from tests.cli.conftest import Tool, tool
from tests.embed.encoders import HashEncoder

__all__ = ["tool"]

STAGED = 6
"""Source tables of the example that arrive in a model."""


def changed(project: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = project / "target" / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), "utf-8")


def test_every_table_that_has_a_model_is_asked_once(shop: Path, encoder: HashEncoder) -> None:
    with SchemaEmbed() as engine:
        found = engine.evaluate(shop)
        ((name, figures),) = found.projects
        assert (name, figures.tables, found.rounds) == ("shop", STAGED, 4)
        assert figures.columns >= figures.mapped > 50
        assert figures.recall_at_1 > 0.7  # the encoder knows nothing, but words, tables and habits do
        assert engine.evaluate(shop).text("json") == found.text("json")
        assert engine.evaluate(shop, folds=100).rounds == STAGED


def test_only_how_confidence_and_truth_agree_is_kept(shop: Path, encoder: HashEncoder) -> None:
    before = set(shop.rglob("*"))
    with SchemaEmbed() as engine:
        ((_, figures),) = engine.evaluate(shop).projects
    (kept,) = set(shop.rglob("*")) - before
    made, tenths = kept_evaluation(kept)
    assert (kept.name, made.endswith("UTC")) == (KEPT, True)
    assert [(said, right) for said, right, _ in tenths] == [
        pytest.approx((tenth.confidence, tenth.precision), abs=0.001) for tenth in figures.said_tenths
    ]
    assert figures.nothing > 0
    assert sum(answers for *_, answers in tenths) == sum(band.answers for band in figures.bands) + figures.nothing


def test_a_folder_nobody_may_write_to_costs_the_report_only(
    shop: Path, encoder: HashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str, root: Path | None = None) -> None:
        raise WriteError(f"cannot write {path.name}: the disk is full")

    monkeypatch.setattr("dbt_schema_embed.observe.evaluating.save", full)
    with SchemaEmbed() as engine:
        assert engine.evaluate(shop).rounds == 4
        assert engine.warnings == ["the report will not know of this: cannot write evaluation.json: the disk is full"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"made": "x"}', '{"made": "x", "tenths": [[0.5, 2, 1]]}', '{"made": "x", "tenths": [[NaN, 0, 1]]}',
     '{"made": "x", "tenths": [[0.5, 0.5, 1e999]]}', '{"made": "x", "tenths": 5}', "[" * 9999, "\xff"],
)  # fmt: skip
def test_what_is_no_evaluation_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / KEPT
    assert kept_evaluation(path) == ("", [])
    path.write_bytes(text.encode("latin-1"))
    assert kept_evaluation(path) == ("", [])


def no_sources(manifest: dict[str, Any]) -> None:
    manifest["sources"] = {}


def no_models(manifest: dict[str, Any]) -> None:
    manifest["nodes"] = {i: n for i, n in manifest["nodes"].items() if n["resource_type"] != "model"}


def one_model(manifest: dict[str, Any]) -> None:
    kept = "model.shop.stg_stripe__customers"
    manifest["nodes"] = {kept: manifest["nodes"][kept]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (no_sources, "the project shop declares no sources"),
        (no_models, "no model of the project shop has SQL, so no answer is known"),
        (
            one_model,
            "only one source table of the project shop can be followed into a model, and it takes two: to ask and to "
            "learn from",
        ),
    ],
)
def test_a_project_with_nothing_to_measure_is_told_why(
    shop: Path, encoder: HashEncoder, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    changed(shop, change)
    with SchemaEmbed() as engine, pytest.raises(ConfigError) as problem:
        engine.evaluate(shop)
    assert problem.value.message == f"nothing can be measured: {said}"
    assert encoder.encoded == []


def cases_of(shop: Path, folder: Path) -> Path:
    """Two cases: the example with the answers for one table, twice."""
    customers = "source.shop.stripe.customers"
    pair = {"source": customers, "source_column": "email", "model": "model.shop.stg_stripe__customers",
            "model_column": "email", "visible": False}  # fmt: skip
    for name in ("one", "two"):
        shutil.copytree(shop / "target", folder / name / "target")
        (folder / name / "gold.json").write_text(json.dumps({"pairs": [pair], "unmapped": []}), "utf-8")
    return folder


def test_a_folder_of_cases(shop: Path, encoder: HashEncoder, tmp_path: Path) -> None:
    with SchemaEmbed() as engine:
        found = engine.evaluate(cases=cases_of(shop, tmp_path / "cases"))
        assert [name for name, _ in found.projects] == ["one", "two"]
        assert found.mean["recall_at_1"] == 1  # its SQL is there: the answer exists
        assert set(json.loads(found.text("json"))["projects"]) == {"one", "two"}
        with pytest.raises(ArtifactError, match="there are no cases in"):
            engine.evaluate(cases=shop)


def test_the_command_prints_figures_and_what_was_wrong(shop: Path, encoder: HashEncoder, tool: Tool) -> None:
    done = tool("evaluate", "--project-dir", shop)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].endswith(f"columns of {STAGED} source tables, asked as if their models had no SQL, in 4 rounds")
    assert [line.split()[0] for line in lines[2:7]] == ["recall@1", "recall@5", "renamed", "precision", "F1"]
    assert any(line.startswith("would have been wrong: ") for line in lines)


def test_the_command_fails_below_the_least_recall(shop: Path, encoder: HashEncoder, tool: Tool) -> None:
    done = tool("evaluate", "--project-dir", shop, "--format", "json", "--min-recall", "1")
    recall = json.loads(done.out)["recall_at_1"]
    assert (done.code, done.err) == (1, f"recall@1 is {recall:.3f}, less than 1\n")
    assert tool("evaluate", "--project-dir", shop, "--min-recall", "0.1").code == 0


def test_the_command_prints_a_line_for_each_case(shop: Path, encoder: HashEncoder, tool: Tool, tmp_path: Path) -> None:
    done = tool("evaluate", "--cases", cases_of(shop, tmp_path / "cases"))
    assert [line.split()[0] for line in done.out.splitlines()] == ["columns", "one", "two", "mean"]
