"""example_project: its committed artifacts are those of its files, and its expected mapping is complete."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed import SchemaEmbed, Settings


@pytest.fixture(scope="module")
def example(root: Path) -> Path:
    return root / "example_project"


def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def manifest(example: Path) -> dict[str, Any]:
    found: dict[str, Any] = load(example / "target/manifest.json")
    return found


@pytest.fixture(scope="module")
def expected(example: Path) -> dict[str, Any]:
    found: dict[str, Any] = load(example / "expected_mapping.json")
    return found


def test_the_artifacts_are_as_new_as_the_models(example: Path, manifest: dict[str, Any]) -> None:
    models = {n["original_file_path"]: n for n in manifest["nodes"].values() if n["resource_type"] == "model"}
    assert set(models) == {str(path.relative_to(example)) for path in (example / "models").rglob("*.sql")}
    for path, node in models.items():
        text = (example / path).read_text("utf-8").strip()
        assert node["checksum"]["checksum"] == hashlib.sha256(text.encode()).hexdigest(), path


def test_the_artifacts_hold_no_path_and_no_time_of_a_machine(example: Path) -> None:
    for name in ("manifest.json", "catalog.json"):
        text = (example / "target" / name).read_text("utf-8")
        assert not re.search(r'"(root_path|created_at|generated_at|invocation_\w+|user_id)": [^{]', text), name
        assert not re.search(r'"/\w+/', text), name


@pytest.mark.dbt
def test_dbt_makes_the_committed_artifacts_again_byte_for_byte(root: Path, example: Path, tmp_path: Path) -> None:
    """In a copy, so that the working tree stays as it is."""
    pytest.importorskip("dbt.adapters.duckdb", reason="dbt-duckdb is not installed")
    made = shutil.ignore_patterns("target", "dbt_packages", "logs", "*.duckdb")
    shutil.copytree(example, tmp_path / "example_project", ignore=made)
    shutil.copytree(root / "macros", tmp_path / "macros")
    shutil.copy(root / "dbt_project.yml", tmp_path)
    copy = tmp_path / "example_project"
    done = subprocess.run([sys.executable, str(copy / "refresh.py")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in ("manifest.json", "catalog.json"):
        assert (copy / "target" / name).read_bytes() == (example / "target" / name).read_bytes(), name


def test_a_planned_model_has_no_sql_and_its_tag(manifest: dict[str, Any], expected: dict[str, Any]) -> None:
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    planned = {node["name"] for node in models if not node["raw_code"]}
    assert planned == {table["model"] for table in expected.values()}
    assert planned == {node["name"] for node in models if "planned" in node["tags"]}


def test_the_expected_mapping_answers_for_every_column(example: Path, expected: dict[str, Any]) -> None:
    catalog = load(example / "target/catalog.json")["sources"]
    for name, table in expected.items():
        columns = [column["name"] for column in catalog[f"source.shop.{name}"]["columns"].values()]
        assert list(table["columns"]) == columns, name


def test_the_expected_mapping_feeds_model_columns_that_exist_once_each(
    manifest: dict[str, Any], expected: dict[str, Any]
) -> None:
    for table in expected.values():
        planned = set(manifest["nodes"][f"model.shop.{table['model']}"]["columns"])
        answers = [answer if isinstance(answer, list) else [answer] for answer in table["columns"].values() if answer]
        assert {column for answer in answers for column in answer} <= planned, table["model"]
        assert len({answer[0] for answer in answers}) == len(answers), table["model"]


def test_the_example_is_worth_looking_at(expected: dict[str, Any]) -> None:
    """Enough to rename, something that feeds nothing, something ambiguous."""
    answers = [pair for table in expected.values() for pair in table["columns"].items()]
    renamed = [column for column, answer in answers if isinstance(answer, str) and answer.lower() != column.lower()]
    assert len(renamed) >= 40
    assert sum(answer is None for _, answer in answers) >= 10
    assert [answer for _, answer in answers if isinstance(answer, list)] == [["created_at", "order_date"]]


@pytest.fixture(scope="module")
def suggestions(example: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What `suggest` says of the planned tables: "stripe.charges.id" -> row. From the artifacts and seeds alone."""
    pytest.importorskip("torch", reason="the extra [embed] is not installed")
    copy = tmp_path_factory.mktemp("suggest") / "shop"
    for part in ("target/manifest.json", "target/catalog.json"):
        (copy / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(example / part, copy / part)
    shutil.copytree(example / "seeds", copy / "seeds")
    answer = SchemaEmbed(Settings()).suggest(project_dir=str(copy)).to_dict()
    rows = {
        row["source"].removeprefix("source.shop.") + "." + row["source_column"]: row for row in answer["suggestions"]
    }
    assert len(rows) == len(answer["suggestions"])
    return rows


def truths(expected: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """ "stripe.charges.id" -> the (model, column) pairs that are right, none where it feeds nothing."""
    found = {}
    for name, table in expected.items():
        for column, answer in table["columns"].items():
            answers = answer if isinstance(answer, list) else [answer] if answer else []
            found[f"{name}.{column}"] = [(f"model.shop.{table['model']}", one) for one in answers]
    return found


def right_of(row: dict[str, Any], right: list[tuple[str, str]]) -> bool:
    """Whether a suggestion or candidate is true."""
    return (row["model"], row["model_column"]) in right if row["model"] else not right


@pytest.mark.model
def test_the_best_candidate_is_the_true_one(suggestions: dict[str, dict[str, Any]], expected: dict[str, Any]) -> None:
    feeding = {column: right for column, right in truths(expected).items() if right}
    wrong = [column for column, right in feeding.items() if not right_of(suggestions[column]["candidates"][0], right)]
    assert len(wrong) <= 0.05 * len(feeding), wrong


@pytest.mark.model
def test_most_answers_are_right_and_certain_matches_all_are(
    suggestions: dict[str, dict[str, Any]], expected: dict[str, Any]
) -> None:
    truth = truths(expected)
    wrong = [column for column, right in truth.items() if not right_of(suggestions[column], right)]
    assert len(wrong) <= 0.2 * len(truth), wrong
    certain = [c for c in wrong if suggestions[c]["model"] and suggestions[c]["confidence"] >= 0.9]
    assert certain == []
