"""Limits that a run should keep, and what to say when it does not."""

from collections.abc import Mapping

from dbt_schema_embed.errors import ConfigError, listed, near_hint, printable
from dbt_schema_embed.observe.metrics import RATES, Metrics

LIMITS: Mapping[str, float] = {
    "encode_ms": 100,
    "search_ms": 50,
    "memory_share": 0.8,
    "hit_rate": 0.7,
    "error_rate": 0.01,
}
"""Figure -> the most it may be; of `hit_rate`, the least, in a run that was made before."""

_HINTS = {
    "encode_ms": "encoding a text takes long: set batch_size or max_workers, or use a GPU",
    "search_ms": "a query takes long: try use_approximate_search",
    "memory_share": "memory runs short: set memory_limit_mb",
    "hit_rate": "the memo had few of the texts: keep its folder between runs, or look at cache_ttl",
    "error_rate": "the encoder failed: see the warnings, and run doctor",
}


def checked_limits(limits: Mapping[str, float]) -> Mapping[str, float]:
    """The defaults with ``limits`` in their place.

    Raises:
        ConfigError: a figure that has no limit.
    """
    for name in limits:
        if name not in LIMITS:
            hint = near_hint(name, LIMITS) or f"known are: {listed(list(LIMITS))}"
            raise ConfigError(f"unknown alert {printable(name, 80)!r} in the settings", hint=hint)
    return {**LIMITS, **limits}


def alerts(metrics: Metrics, limits: Mapping[str, float]) -> tuple[str, ...]:
    """A line for each limit that the run has not kept, in the order of `LIMITS`; figures it has not are passed over.

    Raises:
        ConfigError: ``limits`` names a figure that has none.
    """
    known = checked_limits(limits)
    found = []
    for name in RATES:
        value, limit = getattr(metrics, name), known[name]
        if value is None or (name == "hit_rate" and not metrics.again):
            continue
        broken = value < limit if name == "hit_rate" else value > limit
        if broken:
            found.append(
                f"{name} is {value:.3g}, {'less' if name == 'hit_rate' else 'more'} than {limit:g}: {_HINTS[name]}"
            )
    return tuple(found)
