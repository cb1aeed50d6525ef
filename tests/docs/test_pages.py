"""The pages on Python and on metrics are what the code does."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from dbt_schema_embed.observe.alerts import LIMITS
from dbt_schema_embed.observe.metrics import RATES, Metrics
from tests.pipeline.conftest import encoder, engine, example, matcher, shop

__all__ = ["encoder", "engine", "example", "matcher", "shop"]

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.usefixtures("encoder", "matcher")
def test_the_page_on_python_runs(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All blocks of the page, one after the other, in a copy of the example."""
    monkeypatch.chdir(shop)
    monkeypatch.setenv("EMBEDDING_CACHE_DIR", str(tmp_path / "memo"))
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "python.md").read_text("utf-8"), re.DOTALL)
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)
    said = capsys.readouterr().out
    assert len(blocks) == 6
    assert "the selection 'source:nowhere' selects nothing" in said
    assert said.endswith(" 2\n")
    assert (shop / "schema_mappings/stripe__disputes.yml").read_text("utf-8").count("status: accepted") >= 2


def rows(heading: str) -> list[list[str]]:
    """The rows of the table under a head."""
    text = (DOCS / "metrics.md").read_text("utf-8")
    table = text.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_the_page_on_metrics_names_every_figure() -> None:
    assert [name.strip("`") for name, _ in rows("figure | meaning")] == [f.name for f in fields(Metrics)] + [*RATES]


def test_the_page_on_metrics_names_every_limit() -> None:
    words = {name.strip("`"): said for name, said in rows("limit | default")}
    assert words == {n: f"at {'least' if n == 'hit_rate' else 'most'} {limit:g}" for n, limit in LIMITS.items()}
