"""The benchmark runs, and its figures are figures."""

import math

import pytest

from dbt_schema_embed.embed import bench, int8_trial


@pytest.mark.model
@pytest.mark.filterwarnings("ignore")  # of sentence-transformers
def test_every_figure_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are unique, values positive; what they must reach is not a matter for a busy machine."""
    monkeypatch.setattr(int8_trial, "LEAST_SPEED_UP", 0.0)
    for name, small in (("_ENTRIES", 100), ("_STARTS", 1), ("_ONE_BY_ONE", 2), ("_PRODUCT", (64, 32, 32))):
        monkeypatch.setattr(bench, name, small)
    figures = bench.measure([f"column {n}" for n in range(20)], rounds=1, max_workers=1)
    assert len({figure.name for figure in figures}) == len(figures) == 13
    assert all(math.isfinite(figure.value) and figure.value > 0 for figure in figures)
