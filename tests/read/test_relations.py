"""Plan or built, and what else a node says of itself."""

from typing import Any

import pytest

from dbt_schema_embed.read.artifacts import DependsOn, Node, NodeConfig
from dbt_schema_embed.read.relations import Known, relation, with_sql
from dbt_schema_embed.records import Column, Relation


def model(**facts: Any) -> Relation:
    node = Node(**{"name": "m", "resource_type": "model", **facts})
    return relation("model.p.m", node, Known(), {"source.p.s.t": Node(name="t", resource_type="source")})


@pytest.mark.parametrize(
    ("facts", "built"),
    [
        ({}, False),
        ({"raw_code": " \n"}, False),
        ({"raw_code": "-- a plan"}, False),
        ({"raw_code": "/* a plan */ {# to do #}\n{{ config(materialized='table') }}"}, False),
        ({"raw_code": "{{- config(tags=['a', 'b']) -}}\n-- later"}, False),
        ({"raw_code": "{{ config(x=1) }} select 1"}, True),
        ({"raw_code": "{{ a_macro_that_writes_it() }}"}, True),
        ({"raw_code": "{% if var('x') %} select 1 {% endif %}", "compiled_code": " "}, True),
        ({"raw_sql": "select 1"}, True),
        ({"compiled_sql": "select 1"}, True),
        ({"raw_code": "def model(dbt, session): ...", "language": "python"}, True),
        ({"raw_code": "", "original_file_path": "models/m.py"}, True),
        ({"raw_code": "--placeholder--"}, False),
        ({"raw_code": "--placeholder--", "compiled_code": "select 1"}, True),
        ({"raw_code": "--placeholder--", "depends_on": DependsOn(nodes=["source.p.s.t"])}, True),
    ],
)
def test_a_model_without_code_is_planned(facts: dict[str, Any], built: bool) -> None:
    assert model(**facts).has_sql is built


def test_parents_are_the_relations_it_reads() -> None:
    reads = DependsOn(nodes=["source.p.s.t", "metric.p.x", "source.p.s.t", "model.p.gone"])
    assert model(depends_on=reads).parents == ("source.p.s.t",)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"version": 2}, {"name": "m.v2"}),
        ({"version": "x"}, {"name": "m.vx"}),
        ({"patch_path": "p://models/a.yml"}, {"yaml_path": "models/a.yml"}),
        ({"patch_path": "models/a.yml"}, {"yaml_path": "models/a.yml"}),
        ({"original_file_path": "models\\m.sql"}, {"path": "models/m.sql"}),
        ({"description": " {{ doc('gone') }} Kept. {% raw %}"}, {"description": "Kept."}),
        ({"description": "{{ }}"}, {"description": ""}),
        ({"tags": ["a"], "config": NodeConfig(tags="b")}, {"tags": ("a", "b")}),
        ({"config": NodeConfig(contract={"enforced": True})}, {"contract": True}),
        ({"contract": {"enforced": "yes"}}, {"contract": False}),
    ],
)
def test_facts_of_a_node(facts: dict[str, Any], expected: dict[str, Any]) -> None:
    found = model(**facts)
    assert {name: getattr(found, name) for name in expected} == expected


def test_sql_orders_columns_and_adds_those_nobody_lists() -> None:
    listed = (Column("B", "text"), Column("gone", position=1), Column("C c", quoted=True, position=2))
    found = with_sql(Relation("m", "m", "model", listed), ("a", "b", "C c"), {"b": ("x",)})
    assert found.columns == (
        Column("a"),
        Column("B", "text", position=1, values=("x",)),
        Column("C c", quoted=True, position=2),
        Column("gone", position=3),
    )
