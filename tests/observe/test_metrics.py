"""Figures of a run, as JSON and as Prometheus text."""

import builtins
import json
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dbt_schema_embed.errors import MissingExtraError
from dbt_schema_embed.observe.metrics import Metrics, peak_memory, usable_memory

RUN = Metrics(
    "suggest", True, 2.5, columns=10, encode_seconds=0.5, search_seconds=0.3, searches=3, texts=20, encoded=5,
    hits={"process": 5, "disk": 10}, batches=9, errors=1, peak_memory=2**30, memory=2**32,
)  # fmt: skip


def test_rates() -> None:
    assert (RUN.encode_ms, RUN.search_ms, RUN.memory_share) == (100, pytest.approx(100), 0.25)
    assert (RUN.hit_rate, RUN.error_rate) == (0.75, 0.1)


def test_a_rate_of_nothing_is_none() -> None:
    idle = Metrics("match", False, 0.1)
    assert (idle.encode_ms, idle.search_ms, idle.memory_share, idle.hit_rate) == (None,) * 4
    assert idle.error_rate == 0


def test_json_has_every_figure() -> None:
    data = json.loads(RUN.text("json"))
    assert (data["schema_version"], data["command"], data["hits"]) == (1, "suggest", {"disk": 10, "process": 5})
    assert (data["hit_rate"], data["again"]) == (0.75, True)


def test_prometheus_text_can_be_read_back() -> None:
    families = {f.name: f for f in text_string_to_metric_families(RUN.text("prometheus"))}
    samples = {(s.name, s.labels.get("level")): s.value for f in families.values() for s in f.samples}
    assert {s.labels["command"] for f in families.values() for s in f.samples} == {"suggest"}
    assert samples["dbt_schema_embed_hit_rate", None] == 0.75
    assert samples["dbt_schema_embed_hits", "disk"] == 10
    assert samples["dbt_schema_embed_peak_memory", None] == 2**30
    idle = Metrics("match", False, 0.1).text("prometheus")
    assert "hit_rate" not in idle  # there is none: 0 would be an alarm


def test_prometheus_text_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("prometheus_client"):
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"dbt-schema-embed\[metrics\]"):
        RUN.text("prometheus")


def test_this_process_uses_a_part_of_the_memory_there_is() -> None:
    peak, whole = peak_memory(), usable_memory()
    if peak is None or whole is None:
        pytest.skip("this system does not say")
    assert 2**20 < peak < whole
