"""How a project writes staging models: schema_embed_style and `stage` learn and write the same."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dbt_schema_embed.decide.staging import staging_sql
from dbt_schema_embed.read.project import read_project
from dbt_schema_embed.write.style import Style, learn_style, staging_text
from tests.dbt.rendering import Attributes, Macros

DENSE = "WITH src AS (\n  SELECT * FROM {{ source('crm', 'people') }}\n)\nSELECT\n  a\n  , b\n  , c\nFROM src\n"
AIRY = (
    "with\n\nsource as (\n\n    select * from {{ source('crm', 'people') }}\n\n),\n\n"
    "final as (\n\n    select\n        a,\n        b\n\n    from source\n\n)\n\nselect * from final\n"
)
BARE = "select\n    a,\n    b as c\nfrom {{ source('crm', 'people') }}\n"
TABS = "with source as (\n\tselect * from {{ source('crm', 'people') }}\n)\nselect a, b from source\n"
STEPS = "with a as (\nselect 1\n), b as (\nselect 2\n), c as (\nselect 3\n)\nselect * from c\n"
PROJECTS = {
    "none": [],
    "one model alone": [DENSE],
    "dense": [DENSE, DENSE],
    "airy": [AIRY, AIRY, DENSE],
    "bare": [BARE, BARE, BARE],
    "as many of one as of the other": [AIRY, AIRY, DENSE, DENSE],
    "the other way round": [DENSE, DENSE, AIRY, AIRY],
    "tabs": [TABS, TABS],
    "three steps": [STEPS, STEPS, STEPS],
    "no SQL": ["", "  \n", "-- to do"],
    "comments and Jinja": ["{# with x as (\n #}\n-- a,\n{{ config(a=1,\nb=2) }}\nselect 1", BARE, BARE],
}


def node(code: str, reads: str = "crm", package: str = "p") -> Any:
    return Attributes(
        resource_type="model", language="sql", raw_code=code, package_name=package,
        depends_on={"nodes": [f"source.p.{reads}.people"]},
    )  # fmt: skip


def macros(root: Path, nodes: dict[str, Any]) -> Macros:
    sources = {f"source.p.{name}.people": SimpleNamespace(source_name=name) for name in ("crm", "shop")}
    graph = Attributes({"nodes": nodes, "sources": sources})
    return Macros(root / "macros", "duckdb", graph=graph, project_name="p")


def as_style(learnt: dict[str, Any]) -> Style:
    return Style(**(learnt | {"ctes": tuple(learnt["ctes"])}))


@pytest.mark.parametrize("name", PROJECTS)
@pytest.mark.parametrize("head", ["", "table"])
def test_both_learn_and_write_the_same(root: Path, name: str, head: str) -> None:
    examples = PROJECTS[name]
    jinja = macros(root, {str(i): node(code) for i, code in enumerate(examples)})
    learnt, style = jinja.schema_embed_style("crm"), learn_style(code for code in examples if code.strip())
    assert as_style(learnt) == style
    people = SimpleNamespace(source_name="crm", name="people")
    items, notes = ["a", "b as c"], ["not mapped: d"]
    config = "{{ config(materialized='table') }}" if head else ""
    text = staging_text(style, "{{ source('crm', 'people') }}", items, notes, config)
    assert jinja.schema_embed_staging_sql(people, items, notes, learnt, head or None) == text.rstrip("\n")


def test_what_is_learnt(root: Path) -> None:
    nodes = {"a": node(DENSE), "b": node(DENSE)}
    assert macros(root, nodes).schema_embed_style("crm") == {
        "ctes": ["src"], "leading_commas": True, "upper": True, "airy": False, "indent": 2,
    }  # fmt: skip
    assert as_style(macros(root, {}).schema_embed_style("crm")) == Style()


def test_models_of_the_same_source_come_first_and_packages_do_not_count(root: Path, tmp_path: Path) -> None:
    """Once in dbt's graph, once in the manifest and files of a project."""
    (tmp_path / "target").mkdir()
    codes = {"a": (DENSE, "crm", "p"), "b": (DENSE, "crm", "p"), "c": (AIRY, "shop", "p"), "d": (AIRY, "shop", "p"),
             "e": (AIRY, "shop", "p"), "f": (BARE, "crm", "vendor"), "g": (BARE, "crm", "vendor")}  # fmt: skip
    nodes, sources = {}, {}
    for name, (code, reads, package) in codes.items():
        (tmp_path / f"{name}.sql").write_text(code)
        nodes[f"model.{package}.{name}"] = node(code, reads, package) | {
            "name": name, "original_file_path": f"{name}.sql",
        }  # fmt: skip
    for reads in ("crm", "shop"):
        sources[f"source.p.{reads}.people"] = {
            "name": "people", "source_name": reads, "resource_type": "source", "package_name": "p",
        }  # fmt: skip
    manifest = {"metadata": {"project_name": "p", "adapter_type": "duckdb"}, "nodes": nodes, "sources": sources}
    (tmp_path / "target/manifest.json").write_text(json.dumps(manifest))
    project = read_project(tmp_path, lineage_of=())
    jinja = macros(root, {key: Attributes(value) for key, value in nodes.items()})
    for source, expected in (("crm", learn_style([DENSE] * 2)), ("shop", learn_style([AIRY] * 3))):
        assert as_style(jinja.schema_embed_style(source)) == expected
        assert learn_style(staging_sql(tmp_path, project, f"{source}.people")) == expected
    assert as_style(jinja.schema_embed_style("other")) == learn_style([DENSE] * 2 + [AIRY] * 3)
    assert learn_style(staging_sql(tmp_path, project, "other.people")) == learn_style([DENSE] * 2 + [AIRY] * 3)
