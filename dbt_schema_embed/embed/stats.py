"""What an embedder did, for metrics."""

import threading
from dataclasses import dataclass, field

from dbt_schema_embed.embed.forking import new_lock


@dataclass(slots=True)
class EmbedStats:
    """Counts since the embedder was opened. Change them through `add`, which threads may call at once."""

    texts: int = 0  # asked for
    distinct: int = 0  # of these, different within their call
    hits: dict[str, int] = field(
        default_factory=dict
    )  # level ("process", "disk", "redis") -> distinct texts found there
    misses: int = 0  # encoded
    dropped: int = 0  # memo entries with a wrong checksum, form or norm
    batches: int = 0
    largest_batch: int = 0  # rows
    tokens: int = 0  # special ones included
    encode_seconds: float = 0.0  # wall time, loading left out
    load_seconds: float = 0.0  # wall time until the encoder could answer
    errors: int = 0
    _lock: threading.Lock = field(default_factory=new_lock, repr=False, compare=False)

    def add(self, **counts: float) -> None:
        """Add to fields by name."""
        with self._lock:
            for name, count in counts.items():
                setattr(self, name, getattr(self, name) + count)

    def hit(self, level: str, count: int) -> None:
        """Count texts found in ``level``."""
        with self._lock:
            self.hits[level] = self.hits.get(level, 0) + count

    def batch(self, count: int, rows: int) -> None:
        """Count batches, the largest of ``rows`` rows."""
        with self._lock:
            self.batches += count
            self.largest_batch = max(self.largest_batch, rows)
