"""The systems that the matcher learns from are whole, and become cases that the tool reads."""

import sys
from pathlib import Path

import pytest
import yaml

from dbt_schema_embed.read.project import read_project

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
from cases import load_gold  # noqa: E402
from systems import SYSTEMS, write_cases  # noqa: E402

FILES = sorted(SYSTEMS.glob("*.yml"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_system_is_whole(file: Path) -> None:
    system = yaml.safe_load(file.read_text("utf-8"))
    assert {"domain", "dialect", "source", "tables"} == set(system)
    for table, about in system["tables"].items():
        columns = about["columns"]
        assert all(len(c) == 3 for c in columns), table
        targets = [t for *_, t in columns if t]
        assert len(targets) == len(set(targets)), table
        assert len({str(c).lower() for c, *_ in columns}) == len(columns), table
        assert all(len(row) == len(columns) for row in about.get("rows") or ()), table


def test_a_system_becomes_a_case(tmp_path: Path) -> None:
    write_cases(tmp_path, FILES[:1])
    (folder,) = (tmp_path / "dbt").iterdir()
    project = read_project(folder, cache_dir=tmp_path / "cache")
    gold, _ = load_gold(folder / "gold.json")
    known = {(r.id, c.key.lower()) for r in project.relations for c in r.columns}
    assert len(gold.truth) > 20
    assert set(gold.truth) | gold.unmapped <= known
    assert {pair for pairs in gold.truth.values() for pair in pairs} <= known
    assert list((tmp_path / "pairs").glob("*/mapping.json"))
