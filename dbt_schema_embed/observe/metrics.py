"""What a run took, as JSON or as Prometheus text."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt_schema_embed.errors import MissingExtraError

if TYPE_CHECKING:
    from dbt_schema_embed.embed.stats import EmbedStats

PREFIX = "dbt_schema_embed"
_CGROUP = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures of one run. Seconds are wall time."""

    command: str  # "suggest"
    again: bool  # the same has been asked here before, of the same encoder
    seconds: float  # the whole run
    columns: int = 0  # that were looked at
    encode_seconds: float = 0.0  # loading left out
    load_seconds: float = 0.0  # until the encoder could answer
    search_seconds: float = 0.0  # queries answered; matching left out
    searches: int = 0
    match_seconds: float = 0.0
    texts: int = 0  # different ones that were wanted
    encoded: int = 0  # of these, not found in any level of the memo
    hits: Mapping[str, int] = field(default_factory=dict)  # level ("process", "disk", "redis") -> texts found there
    batches: int = 0
    largest_batch: int = 0  # rows
    tokens: int = 0
    dropped: int = 0  # damaged entries of the memo
    errors: int = 0  # of the encoder, and the run's own
    peak_memory: int | None = None  # bytes of the process; None: the system does not say
    memory: int | None = None  # bytes it may use; None: unknown

    @property
    def encode_ms(self) -> float | None:
        """Milliseconds a text that was encoded (a column has up to three); None where none was."""
        return self.encode_seconds * 1000 / self.encoded if self.encoded else None

    @property
    def search_ms(self) -> float | None:
        """Milliseconds a query; None where none was asked."""
        return self.search_seconds * 1000 / self.searches if self.searches else None

    @property
    def memory_share(self) -> float | None:
        """Peak memory of what there is, in [0, 1]; None where either is unknown."""
        return self.peak_memory / self.memory if self.peak_memory and self.memory else None

    @property
    def hit_rate(self) -> float | None:
        """Share of the texts that the memo had, in [0, 1]; None where none was wanted."""
        return sum(self.hits.values()) / self.texts if self.texts else None

    @property
    def error_rate(self) -> float:
        """Errors of all batches and errors, in [0, 1]."""
        return self.errors / (self.batches + self.errors) if self.errors else 0.0

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain JSON values; those that there are none of are None."""
        rates = {name: getattr(self, name) for name in RATES}
        figures = asdict(self) | {"hits": dict(sorted(self.hits.items()))} | rates
        return {k: round(v, 6) if isinstance(v, float) else v for k, v in figures.items()}

    def text(self, form: str) -> str:
        """As "json" or "prometheus".

        Raises:
            MissingExtraError: Prometheus text needs the extra `metrics`.
        """
        if form == "prometheus":
            return _prometheus(self)
        return json.dumps({"schema_version": 1, **self.to_dict()}, indent=2) + "\n"


RATES = ("encode_ms", "search_ms", "memory_share", "hit_rate", "error_rate")
"""Figures that alerts look at."""


def metrics_of(
    command: str,
    seconds: float,
    columns: int,
    timings: Mapping[str, tuple[int, float]],
    stats: "EmbedStats | None",
    *,
    again: bool,
    failed: bool,
) -> Metrics:
    """The figures of a run: kind of work -> (how often, seconds), and what the embedder did, None where none ran."""
    searches, search_seconds = timings.get("search", (0, 0.0))
    found = Metrics(
        command, again, seconds, columns, search_seconds=search_seconds, searches=searches,
        match_seconds=timings.get("match", (0, 0.0))[1], errors=int(failed), peak_memory=peak_memory(),
        memory=usable_memory(),
    )  # fmt: skip
    if stats is None:
        return found
    same = ("encode_seconds", "load_seconds", "batches", "largest_batch", "tokens", "dropped")
    more = {name: getattr(stats, name) for name in same}
    return replace(
        found, texts=stats.distinct, encoded=stats.misses, hits=dict(stats.hits), errors=stats.errors + failed, **more
    )


def peak_memory() -> int | None:
    """The most memory this process has held so far, in bytes; None where the system does not say."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def usable_memory() -> int | None:
    """Bytes this process may use: the machine's, or those of its container if fewer; None where nobody says."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    try:
        return min(whole, int(_CGROUP.read_text("ascii")))
    except (OSError, ValueError):  # no such file, or "max"
        return whole


def _prometheus(metrics: Metrics) -> str:
    """One gauge a figure, for node_exporter's textfile collector or a push gateway."""
    try:
        from prometheus_client import CollectorRegistry, Gauge, generate_latest
    except ModuleNotFoundError:
        raise MissingExtraError("metrics as Prometheus text", "metrics") from None
    registry = CollectorRegistry()
    for name, value in metrics.to_dict().items():
        if isinstance(value, bool | int | float):
            help_ = name.replace("_", " ")
            Gauge(f"{PREFIX}_{name}", help_, ["command"], registry=registry).labels(metrics.command).set(value)
    hits = Gauge(f"{PREFIX}_hits", "texts found in the memo, by level", ["command", "level"], registry=registry)
    for level, count in sorted(metrics.hits.items()):
        hits.labels(metrics.command, level).set(count)
    return generate_latest(registry).decode("utf-8")
