"""What a run took: the figures of a session as metrics, and alerts about them."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from dbt_schema_embed.extras import need
from dbt_schema_embed.files import save
from dbt_schema_embed.pipeline.session import Session
from dbt_schema_embed.records import Artifacts

if TYPE_CHECKING:
    from dbt_schema_embed.observe.benching import Benched
    from dbt_schema_embed.observe.metrics import Metrics


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
        from dbt_schema_embed.observe.metrics import metrics_of
        from dbt_schema_embed.observe.runs import asked_before

        session = self._session
        said = f"{command} {asked} {session.settings.model_name}"
        again = session.scratch is not None and asked_before(session.scratch, said)
        seconds = time.perf_counter() - self._start
        return metrics_of(
            command, seconds, session.columns, session.timings, session.stats(), again=again, failed=failed
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

        Raises:
            ArtifactError: the project cannot be read.
            ConfigError: it has no columns.
            MissingExtraError: the extra `torch` is not installed, whose encoder is the one to compare with.
        """
        from dbt_schema_embed.observe.benching import bench

        session = self._session
        session.need_embed("bench")
        need("bench", "torch")
        opened = None if project_dir is None else session.open(project_dir, artifacts, lineage_of=(), values=False)
        session.progress("Measuring, which takes minutes")
        s = session.settings
        return bench(opened, artifacts, model_name=s.model_name, max_workers=s.max_workers, texts=texts, rounds=rounds)
