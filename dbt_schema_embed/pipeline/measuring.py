"""What a run took: the figures of a session as metrics, and alerts about them."""

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from dbt_schema_embed.errors import WriteError
from dbt_schema_embed.files import save
from dbt_schema_embed.pipeline.session import Session
from dbt_schema_embed.records import Artifacts

if TYPE_CHECKING:
    from dbt_schema_embed.observe.metrics import Metrics
    from dbt_schema_embed.pipeline.benching import Benched

_RUNS = "runs.txt"
_RUNS_KEPT = 200


class Measures:
    """The figures of all calls on one engine so far, and those of the engine itself."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._start = time.perf_counter()

    def metrics(self, command: str, asked: str = "", *, failed: bool = False) -> "Metrics":
        """The figures so far.

        ``asked``: what was asked, in any words; the same words again in the same project make it a run that was made
        before, which should find its vectors in the memo. ``failed``: the run ended in an error.
        """
        from dbt_schema_embed.observe.metrics import Metrics, peak_memory, usable_memory

        session = self._session
        stats = session.stats()
        searches, search_seconds = session.timings.get("search", (0, 0.0))
        return Metrics(
            command=command,
            again=self._again(f"{command} {asked}"),
            seconds=time.perf_counter() - self._start,
            columns=session.columns,
            encode_seconds=stats.encode_seconds if stats else 0.0,
            load_seconds=stats.load_seconds if stats else 0.0,
            search_seconds=search_seconds,
            searches=searches,
            match_seconds=session.timings.get("match", (0, 0.0))[1],
            texts=stats.distinct if stats else 0,
            encoded=stats.misses if stats else 0,
            hits=dict(stats.hits) if stats else {},
            batches=stats.batches if stats else 0,
            largest_batch=stats.largest_batch if stats else 0,
            tokens=stats.tokens if stats else 0,
            dropped=stats.dropped if stats else 0,
            errors=(stats.errors if stats else 0) + failed,
            peak_memory=peak_memory(),
            memory=usable_memory(),
        )

    def check(self) -> None:
        """Say before the work that the limits in the settings cannot be used.

        Raises:
            ConfigError: the settings name an unknown alert.
        """
        from dbt_schema_embed.observe.alerts import checked_limits

        checked_limits(self._session.settings.alerts)

    def alerts(self, metrics: "Metrics") -> tuple[str, ...]:
        """A line for each limit that ``metrics`` do not keep; the settings may move the limits.

        Raises:
            ConfigError: the settings name an unknown alert.
        """
        from dbt_schema_embed.observe.alerts import alerts

        return alerts(metrics, self._session.settings.alerts)

    def write(self, metrics: "Metrics", path: Path) -> None:
        """Write ``metrics`` as JSON, or as Prometheus text where the file's name ends in .prom.

        Raises:
            MissingExtraError: Prometheus text needs the extra `metrics`.
            WriteError: it cannot be written.
        """
        save(path, metrics.text("prometheus" if path.suffix == ".prom" else "json"))

    def bench(
        self,
        project_dir: str | Path | None = ".",
        *,
        texts: int = 600,
        rounds: int = 5,
        **artifacts: Unpack[Artifacts],
    ) -> "Benched":
        """Measure encoder and memo on this machine; ``project_dir`` None: with generated column names. Takes minutes.

        Raises as `pipeline.benching.bench`.
        """
        from dbt_schema_embed.pipeline.benching import bench

        root = None if project_dir is None else Path(project_dir)
        return bench(self._session, root, artifacts, texts=texts, rounds=rounds)

    def _again(self, asked: str) -> bool:
        """Whether a run like this has been measured in this project before; it has been from now on."""
        scratch = self._session.scratch
        if scratch is None:
            return False
        path = scratch / _RUNS
        said = f"{asked} {self._session.settings.model_name}"
        mark = hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        try:
            known = path.read_text("ascii", "replace").split()[-_RUNS_KEPT:] if path.exists() else []
            if mark not in known:
                save(path, "\n".join([*known, mark]) + "\n", root=scratch.parent)
        except (OSError, WriteError):  # a target folder nobody may write to: no reason to fail, the run is measured
            return False
        return mark in known
