"""Lineage of real projects against their known answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.read.project import read_project
from dbt_schema_embed.records import Project
from dbt_schema_embed.sql.lineage import ModelSql, TableInfo, read_sql

FULL = ("netsuite", "quickbooks", "workday")
Edge = tuple[str, str, str, str]


def edges(project: Project) -> dict[Edge, str]:
    return {(x.source, x.source_column.lower(), x.model, x.model_column.lower()): x.kind for x in project.lineage}


def pairs(gold: dict[str, Any], *, hidden: bool) -> dict[Edge, str]:
    """The pairs of the gold; without ``hidden`` those of models that keep their SQL."""
    return {
        (p["source"], p["source_column"].lower(), p["model"], p["model_column"].lower()): p["kind"]
        for p in gold["pairs"]
        if hidden or p["visible"]
    }


def wrong(found: dict[Edge, str], wanted: dict[Edge, str], gold: dict[str, Any]) -> tuple[set[Edge], set[Edge]]:
    """Pairs that are missing, and pairs too many in the models the gold lists; multi-column sources are not scored."""
    models = {edge[2] for edge in wanted}
    unscored = {(source, column.lower()) for source, column in gold["multi_column"]}
    extra = {e for e in found if e[2] in models and e[:2] not in unscored} - wanted.keys()
    return wanted.keys() - found.keys(), extra


def same_kind(said: str, gold: str) -> bool:
    """The gold does not know casts: they are identical or renamed there. It calls coalesce(cast(x), null) so too."""
    return said == gold or (said == "cast" and gold in ("identical", "renamed"))


def test_lineage_of_every_visible_pair(cases: Path) -> None:
    missing = extra = right = kinds = 0
    for folder in sorted((cases / "dbt").iterdir()):
        gold = json.loads((folder / "gold.json").read_text("utf-8"))
        project = read_project(folder, values=False)
        assert project.warnings == ()
        found, wanted = edges(project), pairs(gold, hidden=False)
        lost, more = wrong(found, wanted, gold)
        missing, extra, right = missing + len(lost), extra + len(more), right + len(wanted) - len(lost)
        kinds += sum(same_kind(found[edge], kind) for edge, kind in wanted.items() if edge in found)
    assert right / (right + missing) >= 0.99
    assert right / (right + extra) >= 0.99
    assert kinds / right >= 0.99


@pytest.mark.parametrize("name", FULL)
def test_lineage_of_whole_projects(cases: Path, name: str) -> None:
    """Nothing is hidden here: every pair, and every mart that receives a column."""
    gold = json.loads((cases / "dbt" / name / "gold.json").read_text("utf-8"))
    found = edges(read_project(cases, manifest=cases / "full" / name / "manifest.json", values=False))
    assert wrong(found, pairs(gold, hidden=True), gold) == (set(), set())
    assert {(s, c.lower(), m, mc.lower()) for s, c, m, mc in gold["also_descends"]} <= found.keys()


@pytest.mark.parametrize("name", FULL)
def test_columns_from_sql_are_those_the_warehouse_made(cases: Path, name: str) -> None:
    """With nothing but the columns of the seeds known, SQL gives every model's columns, in the catalog's order."""
    folder = cases / "full" / name
    nodes = json.loads((folder / "manifest.json").read_text("utf-8"))["nodes"]
    catalog = {
        unique_id: tuple(c["name"] for c in sorted(table["columns"].values(), key=lambda c: int(c["index"])))
        for unique_id, table in json.loads((folder / "catalog.json").read_text("utf-8"))["nodes"].items()
    }
    tables = {n["relation_name"]: TableInfo(i, catalog[i], "seed", True) for i, n in nodes.items() if i[:4] == "seed"}
    models = [
        ModelSql(i, n["compiled_code"], n["relation_name"] or "", tuple(n["depends_on"]["nodes"]))
        for i, n in nodes.items()
        if n["resource_type"] == "model"
    ]
    facts = read_sql(models, tables, "postgres", None)
    assert (facts.warnings, facts.open) == ((), frozenset())
    assert len(facts.columns) == len(models)
    built = facts.columns.keys() & catalog.keys()
    assert {i: facts.columns[i] for i in built} == {i: catalog[i] for i in built}
