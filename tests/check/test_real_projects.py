"""Right mappings of real projects raise no error: what `check` says of them is worth reading."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.check import check
from dbt_schema_embed.lookup import model_names
from dbt_schema_embed.read.project import read_project
from dbt_schema_embed.records import MappingFile, MappingRow


def accepted(gold: dict[str, Any], labels: dict[str, str], names: dict[str, str]) -> list[MappingFile]:
    """The true pairs as if somebody had accepted them."""
    rows = defaultdict(list)
    for pair in gold["pairs"]:
        name = names[pair["model"]]
        rows[pair["source"]].append(MappingRow(pair["source_column"], name, pair["model_column"], status="accepted"))
    return [MappingFile(f"{source}.yml", labels[source], tuple(found)) for source, found in rows.items()]


@pytest.mark.parametrize("name", ["aws_cloud_cost", "klaviyo", "linkedin_pages", "sage_intacct", "stripe"])
def test_right_mappings_are_no_errors(cases: Path, tmp_path: Path, name: str) -> None:
    project = read_project(cases / "dbt" / name, cache_dir=tmp_path)
    labels = {relation.id: relation.label for relation in project.relations}
    gold = json.loads((cases / "dbt" / name / "gold.json").read_text("utf-8"))
    files = accepted(gold, labels, model_names(project.relations))
    # a plan may have columns that nothing feeds, and one column may feed two: said, and no error
    quiet = ("unmapped-column", "doubtful-types", "unfed-column", "copied-whole")
    severity = dict.fromkeys(quiet, "off")
    assert check(project, files, severity=severity) == []
