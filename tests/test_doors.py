"""Each walk of "Open doors" in CONTRIBUTING.md, done once: parts that the package in tests/fixtures/doors brings."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from dbt_schema_embed.check import FORMATS
from dbt_schema_embed.embed import open_embedder
from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.match import match
from dbt_schema_embed.match.networks import load_weights, unpacked
from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.records import Column, Embedded, Relation
from dbt_schema_embed.settings import Settings
from tests.cli.conftest import Tool, tool
from tests.pipeline.conftest import example, shop
from tests.test_imports import modules_after

__all__ = ["example", "shop", "tool"]

MAPPING = """version: 1
source: stripe.charges
columns:
  - {source_column: id, model: stg_stripe__charges, model_column: charge_id, status: accepted}
unmapped: []
"""


@pytest.fixture
def acme(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The package, as if it were installed."""
    monkeypatch.syspath_prepend(str(root / "tests" / "fixtures" / "doors"))
    return import_module("acme_parts")


def test_an_encoder(acme: ModuleType, tmp_path: Path, shop: Path) -> None:
    with SchemaEmbed(Settings(model_name="acme-letters", cache_dir=str(tmp_path))) as engine:
        rows = engine.encode(["abba", "cab", ""])
        assert rows.shape == (3, 27)
        assert rows[0, :2] * np.sqrt(9) == pytest.approx([2, 2])
        assert engine.session.embedder().encoder_id == "acme-letters@letters-1"
        assert engine.cache.stats()["entries"] == 3
        assert engine.search("customer e-mail", shop)
        texts = [finding.text for finding in engine.doctor(shop).findings if finding.topic == "encoder"]
    assert texts[0] == "acme-letters: 27 dimensions, of another package"


def test_an_encoder_that_does_not_load_is_said(acme: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as problem:
        open_embedder("acme-broken", cache_dir=tmp_path)
    assert problem.value.message.startswith("acme-broken, of encoders in another package, cannot be loaded: ModuleNot")
    assert problem.value.hint == "mend or remove what is installed as acme_gone:Letters"


def test_a_memo_store(acme: ModuleType, tmp_path: Path) -> None:
    for folder in ("one", "two"):  # two machines
        embedder = open_embedder("acme-letters", cache_dir=tmp_path / folder, redis_url="acme://shared")
        embedder.embed(["order id", "paid at"])
        embedder.close()
        hits = dict(embedder.stats.hits)
    assert hits == {"acme": 2}
    assert [len(kept) for kept in acme.Store.kept.values()] == [2]


def test_a_signal(acme: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says something once the weights know it: these are the shipped ones, with a word for names of one length."""
    file = Path(sys.modules[load_weights.__module__].__file__ or "").with_name("weights.npz")
    with np.load(file, allow_pickle=False) as shipped:
        arrays = {name: shipped[name] for name in shipped.files if name.startswith("tables")}
    count = len(arrays["tables/1/names"])
    for number in (1, 2):
        at = f"tables/{number}/"
        signals = len(arrays[f"{at}names"])
        arrays[f"{at}names"] = np.append(arrays[f"{at}names"], "acme_same_length")
        for part, new in (("first", 0.0), ("straight", 20.0)):
            values, silences = np.split(arrays[at + part], [signals])
            row = np.full((1, *values.shape[1:]), new, values.dtype)
            arrays[at + part] = np.concatenate([values, row, silences, 0 * row])
    assert len(arrays["tables/1/names"]) == count + 1
    sides = [
        Embedded(
            Relation(name, name, "table", tuple(Column(c) for c in columns)),
            {facet: np.zeros((len(columns), 2), np.float32) for facet in ("name", "description")},
            np.zeros(2, np.float32),
        )
        for name, columns in (("left", ["abcd", "efghijkl"]), ("right", ["mnopqrst", "uvwx"]))
    ]
    found = [row.candidates[0].model_column for row in match(*sides)]
    monkeypatch.setattr("dbt_schema_embed.match.ranking.load_weights", lambda mode: unpacked(arrays, mode))
    assert [row.candidates[0].model_column for row in match(*sides)] == ["uvwx", "mnopqrst"]
    assert found != ["uvwx", "mnopqrst"]


def test_a_rule(acme: ModuleType, shop: Path) -> None:
    (shop / "schema_mappings").mkdir()
    (shop / "schema_mappings" / "stripe__charges.yml").write_text(MAPPING)

    def codes(**severity: str) -> list[str]:
        return [p.code for p in SchemaEmbed(Settings(severity=severity)).check(shop).problems]

    assert "acme-no-note" not in codes()
    assert "acme-no-note" in codes(**{"acme-no-note": "warning"})
    assert "acme-no-note" not in codes(**{"acme-no-note": "off"})
    with pytest.raises(ConfigError, match="'acme-nothing' is no rule of check"):
        codes(**{"acme-nothing": "warning"})


def test_a_format(acme: ModuleType, tool: Tool, shop: Path) -> None:
    done = tool("check", "--project-dir", shop, "--format", "acme-codes")
    assert (done.code, done.out.splitlines()[-1]) == (0, "0 files")
    refused = tool("check", "--project-dir", shop, "--format", "acme-nothing")
    assert refused.code == 2
    assert "'acme-nothing' is not one of 'text', 'json'" in refused.err


def test_rules_of_others_stand_in_sarif(acme: ModuleType, shop: Path) -> None:
    (shop / "schema_mappings").mkdir()
    (shop / "schema_mappings" / "stripe__charges.yml").write_text(MAPPING)
    checked = SchemaEmbed(Settings(severity={"acme-no-note": "error"})).check(shop)
    for form in FORMATS:
        assert "acme-no-note" in checked.text(form)


def test_a_run_that_names_no_part_looks_for_none(root: Path) -> None:
    example = root / "example_project"
    code = f"from dbt_schema_embed import SchemaEmbed\nSchemaEmbed().check({str(example)!r})"
    assert "importlib.metadata" not in modules_after(code) - modules_after("import msgspec, yaml, click")
