"""A plan that is switched off is switched on, and nothing else changes."""

from pathlib import Path

import pytest

from dbt_schema_embed.errors import WriteError
from dbt_schema_embed.records import Relation
from dbt_schema_embed.write.switch import switched_on, without_query, without_switch

MODEL = Relation("model.p.m", "m", "model", off=True, yaml_path="models/m.yml")


@pytest.mark.parametrize(
    ("sql", "on"),
    [
        ("{{ config(enabled=false) }}\n", ""),
        ("-- why\n{{ config(enabled = False) }}\n", "-- why\n"),
        ("{{ config(enabled=false, tags=['a']) }}", "{{ config(tags=['a']) }}"),
        ("{{ config(tags=['a'], enabled=false) }}", "{{ config(tags=['a']) }}"),
        ("{{ config(enabled=true) }}", "{{ config(enabled=true) }}"),
        ("{{ config(enabled=var('x')) }}", "{{ config(enabled=var('x')) }}"),
        ("select 'enabled=false'", "select 'enabled=false'"),
    ],
)
def test_a_config_block(sql: str, on: str) -> None:
    assert without_switch(sql) == on


@pytest.mark.parametrize(
    ("sql", "plan"),
    [
        ("", True), ("-- a\n/* b */ {# c #} {{ config(x=1) }}", True), ("select 1", False), ("{{ macro() }}", False),
        ("-- a\nselect 1", False),
    ],
)  # fmt: skip
def test_what_is_a_plan(sql: str, plan: bool) -> None:
    assert without_query(sql) is plan


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "models:\n  - name: m\n    config: {enabled: false}\n    description: a\n",
            "models:\n  - name: m\n    description: a\n",
        ),
        (
            "models:\n  - name: a\n  - name: m\n    config:\n      tags: [x] # y\n      enabled: false # z\n",
            "models:\n  - name: a\n  - name: m\n    config:\n      tags: [x] # y\n      # z\n",
        ),
    ],
)
def test_in_yaml(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / MODEL.yaml_path
    path.parent.mkdir()
    path.write_text(before)
    assert switched_on(MODEL, tmp_path).text == after


@pytest.mark.parametrize(
    "text", ["models:\n  - name: m\n", "models:\n  - name: a\n    config: {enabled: false}\n", "[", ""]
)
def test_where_it_is_not_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / MODEL.yaml_path
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(WriteError, match="take `enabled: false` away from it"):
        switched_on(MODEL, tmp_path)
