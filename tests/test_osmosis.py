"""What dbt-osmosis is told about the names of a column."""

import tomllib
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from dbt_schema_embed import osmosis

FILE = """\
version: 1
source: stripe.charges
columns:
  - {source_column: id, model: stg_charges, model_column: charge_id, status: accepted}
  - {source_column: createdAt, model: shop.stg_charges, model_column: Created_At, status: existing}
  - {source_column: amt, model: stg_charges, model_column: amount, confidence: 0.97, status: suggested}
  - {source_column: sts, model: stg_charges, model_column: status, confidence: 0.8, status: suggested}
  - {source_column: cur, model: stg_charges, model_column: currency, confidence: 0.99, status: rejected}
  - {source_column: other, model: stg_other, model_column: charge_id, status: accepted}
  - {source_column: nothing, status: accepted}
"""
NODE = SimpleNamespace(name="stg_charges", package_name="shop", unique_id="model.shop.stg_charges", columns={})


@pytest.fixture
def context(tmp_path: Path) -> SimpleNamespace:
    (tmp_path / "schema_mappings").mkdir()
    (tmp_path / "schema_mappings" / "stripe__charges.yml").write_text(FILE)
    (tmp_path / "schema_mappings" / "broken.yml").write_text("[")
    return SimpleNamespace(project=SimpleNamespace(runtime_cfg=SimpleNamespace(project_root=str(tmp_path))))


@pytest.mark.parametrize(
    ("name", "candidates"),
    [
        ("charge_id", ["id"]),
        ("CHARGE_ID", ["id"]),
        ("created_at", ["createdAt"]),
        ("amount", ["amt"]),
        ("status", []),
        ("currency", []),
        ("unknown", []),
    ],
)
def test_the_names_a_column_may_have_upstream(context: SimpleNamespace, name: str, candidates: list[str]) -> None:
    assert osmosis.get_candidates(name, NODE, context) == candidates


def test_the_entry_point_leads_here(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    (where,) = project["entry-points"]["dbt-osmosis"].values()
    assert import_module(where) is osmosis


def test_dbt_osmosis_takes_it_for_its_hook() -> None:
    plugins = pytest.importorskip("dbt_osmosis.core.plugins", reason="dbt-osmosis is not installed")
    manager = plugins.get_plugin_manager()
    if not manager.is_registered(osmosis):  # the entry point is known once the package is installed anew
        manager.register(osmosis)
    assert [hook.name for hook in manager.get_hookcallers(osmosis)] == ["get_candidates"]
