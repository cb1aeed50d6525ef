"""Which runs are worth a warning."""

from dataclasses import replace
from typing import Any

import pytest

from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.observe.alerts import LIMITS, alerts
from dbt_schema_embed.observe.metrics import Metrics

QUIET = Metrics("suggest", True, 1.0, texts=10, hits={"disk": 10}, batches=100, peak_memory=1, memory=10)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, []),
        ({"encode_seconds": 0.1, "encoded": 1}, []),  # 100 ms
        ({"encode_seconds": 0.101, "encoded": 1}, ["encode_ms is 101, more than 100"]),
        ({"search_seconds": 0.12, "searches": 2}, ["search_ms is 60, more than 50"]),
        ({"peak_memory": 9}, ["memory_share is 0.9, more than 0.8"]),
        ({"hits": {"disk": 6}, "encoded": 4}, ["hit_rate is 0.6, less than 0.7"]),
        ({"hits": {"disk": 6}, "encoded": 4, "again": False}, []),  # nobody expects a memo to know what is new
        ({"errors": 2}, ["error_rate is 0.0196, more than 0.01"]),
        (
            {"peak_memory": 9, "errors": 2},
            ["memory_share is 0.9, more than 0.8", "error_rate is 0.0196, more than 0.01"],
        ),
    ],
)
def test_default_limits(change: dict[str, Any], said: list[str]) -> None:
    assert [line.partition(":")[0] for line in alerts(replace(QUIET, **change), {})] == said


def test_settings_move_limits() -> None:
    assert alerts(QUIET, {"memory_share": 0.05}) == (
        "memory_share is 0.1, more than 0.05: memory runs short: set memory_limit_mb",
    )
    assert alerts(replace(QUIET, peak_memory=9), {"memory_share": 1}) == ()


@pytest.mark.parametrize(
    ("name", "hint"), [("hit_rates", "did you mean hit_rate?"), ("zzz", f"known are: {', '.join(sorted(LIMITS))}")]
)
def test_an_unknown_alert_is_an_error(name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as problem:
        alerts(QUIET, {name: 1})
    assert (problem.value.message, problem.value.hint) == (f"unknown alert {name!r} in the settings", hint)
