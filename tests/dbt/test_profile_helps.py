"""What the rows add: suggestions for the example with a profile of its tables and without, held against the truth."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed import SchemaEmbed, Settings
from dbt_schema_embed.read.profiles import TableProfile, profiles_text, read_line, without_values
from tests.dbt.conftest import Shop
from tests.test_example import right_of, truths

pytestmark = [pytest.mark.dbt, pytest.mark.model]


@pytest.fixture(scope="module")
def profiles(shop: Shop) -> dict[str, TableProfile]:
    """What the real tables hold, by source table."""
    printed = shop.operation("schema_embed_profile", "--log-format", "json", include_values=True)
    assert printed.ok, printed.output
    found = [event for line in printed.output.splitlines() for event in read_line(line)[0]]
    profiles = {event.table: event for event in found if isinstance(event, TableProfile)}
    assert len(profiles) == 14
    return profiles


def suggested(root: Path, folder: Path, profiles: dict[str, TableProfile]) -> list[dict[str, Any]]:
    """The rows of suggest, from the committed artifacts and ``profiles`` alone: no seed stands in for a raw table."""
    (folder / "target/schema_embed").mkdir(parents=True)
    for name in ("manifest.json", "catalog.json"):
        shutil.copy(root / "example_project/target" / name, folder / "target")
    (folder / "target/schema_embed/profile.json").write_text(profiles_text(profiles), "utf-8")
    rows: list[dict[str, Any]] = SchemaEmbed(Settings()).suggest(folder).to_dict()["suggestions"]
    return rows


def score(rows: list[dict[str, Any]], root: Path) -> dict[str, int]:
    """How many answers are right, how many true columns come first, how many right answers are certain."""
    truth = truths(json.loads((root / "example_project/expected_mapping.json").read_text("utf-8")))
    counts = {"right": 0, "first": 0, "right and certain": 0}
    for row in rows:
        name = row["source"].removeprefix("source.shop.") + "." + row["source_column"]
        if name not in truth:
            continue
        right = right_of(row, truth[name])
        counts["right"] += right
        counts["right and certain"] += right and row["confidence"] >= 0.9
        counts["first"] += bool(truth[name]) and bool(row["candidates"]) and right_of(row["candidates"][0], truth[name])
    return counts


@pytest.mark.parametrize("new_shop", ["duckdb"], indirect=True)  # the rows are the same everywhere
def test_a_profile_never_costs_an_answer(root: Path, tmp_path: Path, profiles: dict[str, TableProfile]) -> None:
    bare = {table: without_values(profile) for table, profile in profiles.items()}
    kinds = {"without": {}, "statistics": bare, "values": profiles}
    scores = {name: score(suggested(root, tmp_path / name, known), root) for name, known in kinds.items()}
    print(scores)
    assert scores["without"]["right"] > 100
    for name, count in scores["without"].items():
        assert scores["statistics"][name] >= count, scores
        assert scores["values"][name] >= count, scores
