"""What all calls share: settings, progress, the embedder with its memo, and what there is to tell afterwards."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dbt_schema_embed.errors import MissingExtraError
from dbt_schema_embed.pipeline.project import Artifacts, Opened, open_project, stamp_of
from dbt_schema_embed.pipeline.watch import Progress, Watched, silent
from dbt_schema_embed.records import Embedded, Relation
from dbt_schema_embed.settings import Settings

if TYPE_CHECKING:
    from dbt_schema_embed.embed.memo import MemoEmbedder
    from dbt_schema_embed.embed.stats import EmbedStats
    from dbt_schema_embed.index import Index

Made = TypeVar("Made")

EMBED_MODULES = ("numpy", "diskcache", "rapidfuzz", "scipy", "threadpoolctl", "tokenizers")
"""What a run with everything in the memo needs of the extra `embed`."""


class Session:
    """Loads nothing until a call needs it; threads may share it.

    ``warnings`` collects, a line each, what went wrong without stopping a call. ``columns``, ``timings`` and
    ``scratch`` are for metrics: columns looked at, kind of work -> (how often, seconds), our folder of the project.
    ``keep``: what was read of a project stays until its artifacts change, for a process that lives long.
    """

    def __init__(self, settings: Settings | None = None, *, progress: Progress = silent) -> None:
        self.settings = settings or Settings()
        self.warnings: list[str] = []
        self.progress = progress
        self.columns = 0
        self.timings: dict[str, tuple[int, float]] = {}
        self.scratch: Path | None = None
        self.keep = False
        self._kept: dict[object, tuple[object, Opened]] = {}
        self._made: dict[tuple[int, str], object] = {}
        self._lock = threading.RLock()
        self._opened: MemoEmbedder | None = None

    def close(self) -> None:
        """Let go of the memo. The next call opens it again."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def open(
        self,
        project_dir: str | Path,
        artifacts: Artifacts,
        *,
        lineage_of: Collection[str] | None = None,
        values: bool = True,
    ) -> Opened:
        """Read a project; see `open_project`."""
        self.progress("Reading the project")
        models = None if lineage_of is None else frozenset(lineage_of)
        asked = (str(project_dir), *sorted(artifacts.items()), models, values)
        stamp = stamp_of(project_dir, artifacts) if self.keep else None
        with self._lock:
            known = self._kept.get(asked)
        if known is not None and known[0] == stamp:
            return known[1]
        opened = open_project(
            project_dir, artifacts, self.settings, lineage_of=lineage_of, values=values, progress=self.progress
        )
        self.scratch = opened.scratch
        if self.keep:
            with self._lock:
                self._kept[asked] = stamp, opened
                alive = {id(kept) for _, kept in self._kept.values()}
                self._made = {key: made for key, made in self._made.items() if key[0] in alive}
        return opened

    def once(self, opened: Opened, name: str, make: Callable[[], Made]) -> Made:
        """What ``make`` makes of a project; made once where the project is kept."""
        with self._lock:
            if not any(kept is opened for _, kept in self._kept.values()):
                return make()
            key = id(opened), name
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]  # type: ignore[return-value]

    @contextmanager
    def timed(self, work: str) -> Iterator[None]:
        """Add a block that ended well, and its time, to ``timings``."""
        start = time.perf_counter()
        yield
        spent = time.perf_counter() - start
        with self._lock:
            times, seconds = self.timings.get(work, (0, 0.0))
            self.timings[work] = times + 1, seconds + spent

    def looked_at(self, relations: Iterable[Relation]) -> None:
        """Count the columns of relations, for metrics."""
        with self._lock:
            self.columns += sum(len(relation.columns) for relation in relations)

    def stats(self) -> "EmbedStats | None":
        """What the embedder did; None where none was needed."""
        return self._opened.stats if self._opened is not None else None

    def embedder(self) -> "MemoEmbedder":
        """The encoder behind its memo, opened once."""
        with self._lock:
            if self._opened is None:
                from dbt_schema_embed.embed import open_embedder

                s = self.settings
                self._opened = open_embedder(
                    s.model_name,
                    cache_dir=self.cache_dir(),
                    use_memo=s.enable_caching,
                    batch_size=s.batch_size,
                    use_gpu=s.use_gpu,
                    quantization=s.quantization,
                    memory_limit_mb=s.memory_limit_mb,
                    max_workers=s.max_workers if s.enable_parallel_processing else 1,
                    ttl=s.cache_ttl,
                    redis_url=s.redis_url,
                )
            return self._opened

    def cache_dir(self) -> Path:
        """Where the memo lives; it need not exist."""
        from dbt_schema_embed.embed import default_cache_dir

        return Path(self.settings.cache_dir).expanduser() if self.settings.cache_dir else default_cache_dir()

    def watched(self) -> Watched:
        """The embedder, telling how far it has come."""
        return Watched(self.embedder(), self.progress)

    def embedded(self, relations: Sequence[Relation]) -> tuple[Embedded, ...]:
        """Relations with the vectors of their columns."""
        from dbt_schema_embed.embed import embed_relations

        self.looked_at(relations)
        return embed_relations(relations, self.watched())

    def index_of(self, opened: Opened) -> "Index":
        """The index of a project's columns, as it stands there; close it after use."""
        from dbt_schema_embed.embed import TEXT_VERSION
        from dbt_schema_embed.index import open_index
        from dbt_schema_embed.index.shared import Shared

        s, embedder = self.settings, self.embedder()
        return open_index(
            opened.scratch / "index",
            encoder_id=embedder.encoder_id,
            dim=embedder.dim,
            text_version=TEXT_VERSION,
            approximate=s.use_approximate_search,
            dimensions=s.dimensions,
            shared=Shared(s.chroma_url, s.chroma_token, opened.project.name) if s.chroma_url else None,
        )

    def told(self, warnings: Iterable[str] = ()) -> tuple[str, ...]:
        """Keep what a call has to say, each line once; the lines of this call."""
        notes = self._opened.notes if self._opened is not None else []
        lines = dict.fromkeys([*warnings, *notes])
        self.warnings += [line for line in lines if line not in self.warnings]
        return tuple(lines)

    @staticmethod
    def need_review() -> None:
        """Say at once that ``review`` cannot work here.

        Raises:
            MissingExtraError: the extra `review` is not installed.
        """
        if find_spec("prompt_toolkit") is None:
            raise MissingExtraError("review", "review")

    @staticmethod
    def need_embed(call: str) -> None:
        """Say at once, before anything is read, that ``call`` cannot work here.

        Raises:
            MissingExtraError: the extra `embed` is not installed.
        """
        if any(find_spec(module) is None for module in EMBED_MODULES):
            raise MissingExtraError(call, "embed")
