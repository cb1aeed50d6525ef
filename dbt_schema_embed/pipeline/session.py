"""What all calls share: settings, progress, the embedder with its memo, and what there is to tell afterwards."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dbt_schema_embed.errors import MissingExtraError
from dbt_schema_embed.extras import has_embed, lacking, need
from dbt_schema_embed.lookup import model_names
from dbt_schema_embed.progress import Progress, silent
from dbt_schema_embed.read.opening import file_stamps, files_read, open_project
from dbt_schema_embed.records import Artifacts, Embedded, Opened, Relation
from dbt_schema_embed.settings import Settings

if TYPE_CHECKING:
    from dbt_schema_embed.embed import Embedder, FacetTexts
    from dbt_schema_embed.embed.memo import MemoEmbedder
    from dbt_schema_embed.embed.stats import EmbedStats
    from dbt_schema_embed.index import Index
    from dbt_schema_embed.match import TableReading
    from dbt_schema_embed.match.guessing import Vectors

_Made = TypeVar("_Made")

STATIC = (
    "meanings were compared by a table of word pieces: pip install 'dbt-schema-embed[embed]' brings a whole encoder "
    "(F1 0.948 instead of 0.943 where names are foreign or legacy)"
)
"""Figures: "Without an encoder" in benchmarks/RESULTS.md."""


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
        self._once: dict[str, tuple[object, Any]] = {}
        self._lock = threading.RLock()
        self._opened: dict[str, MemoEmbedder] = {}
        self._static = False  # whether a call had to do without an encoder

    def close(self) -> None:
        """Let go of the memo. The next call opens it again."""
        with self._lock:
            for opened in self._opened.values():
                opened.close()
            self._opened.clear()

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
        stamp = file_stamps(files_read(Path(project_dir), artifacts)) if self.keep else None
        with self._lock:
            known = self._kept.get(asked)
        if known is not None and known[0] == stamp:
            return known[1]
        opened = open_project(
            project_dir, artifacts, self.settings.dialect, lineage_of=lineage_of, values=values, progress=self.progress
        )
        self.scratch = opened.scratch
        if self.keep:
            with self._lock:
                self._kept[asked] = stamp, opened
        return opened

    def once(self, kind: str, state: object, make: Callable[[], _Made]) -> _Made:
        """What ``make`` gives; with ``keep`` it is asked only where ``state`` is not the last one of its ``kind``."""
        with self._lock:
            known = self._once.get(kind)
        if known is not None and known[0] == state:
            made: _Made = known[1]
            return made
        made = make()
        if self.keep:
            with self._lock:
                self._once[kind] = state, made
        return made

    def open_for(self, project_dir: str | Path, artifacts: Artifacts, models: Collection[str] = ()) -> Opened:
        """Read a project without SQL, but for that of the models that mapping files call so."""
        opened = self.open(project_dir, artifacts, lineage_of=(), values=False)
        named = {name.lower() for name in models}
        called = {i for i, name in model_names(opened.project.relations).items() if name.lower() in named}
        built = {r.id for r in opened.project.relations if r.id in called and r.has_sql}
        return self.open(project_dir, artifacts, lineage_of=built, values=False) if built else opened

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
        opened = self._opened.get(self.settings.model_name)
        return opened.stats if opened is not None else None

    def embedder(self, name: str = "") -> "MemoEmbedder":
        """The encoder that the settings name, or another, behind the memo; opened once."""
        with self._lock:
            name = name or self.settings.model_name
            if name not in self._opened:
                from dbt_schema_embed.embed import open_embedder

                s = self.settings
                self._opened[name] = open_embedder(
                    name,
                    cache_dir=self.cache_dir(),
                    use_memo=s.enable_caching,
                    batch_size=s.batch_size,
                    use_gpu=s.use_gpu,
                    quantization=s.quantization,
                    memory_limit_mb=s.memory_limit_mb,
                    max_workers=self._workers(),
                    ttl=s.cache_ttl,
                    redis_url=s.redis_url,
                    redis_key=s.redis_key,
                    redis_check=s.redis_check,
                )
                self._opened[name].progress = self.progress
            return self._opened[name]

    def _workers(self) -> int | None:
        return self.settings.max_workers if self.settings.enable_parallel_processing else 1

    def ahead(self, cluster: str | None) -> "Callable[[Sequence[str]], None] | None":
        """What has a cluster encode those of some texts that the memo lacks; None where no cluster is named.

        ``cluster``: its address; None: that of the settings.
        """
        address = cluster or self.settings.ray_address
        if not address:
            return None
        need("encoding on Ray", "ray")
        from dbt_schema_embed.embed.ray_workers import RayEncoder

        s, embedder = self.settings, self.embedder()
        options = {"model_name": s.model_name, "cache_dir": self.cache_dir(), "use_gpu": s.use_gpu,
                   "quantization": s.quantization}  # fmt: skip
        encoder = RayEncoder(address, embedder.encoder_id, options, self._workers())
        return lambda texts: embedder.fill(texts, encoder)

    def languages(self) -> "Vectors | None":
        """What gives vectors to names in other languages, opened when it is asked; None without the extra
        `languages`."""
        if not has_embed() or lacking("languages"):
            return None
        from dbt_schema_embed.embed.languages import LANGUAGES

        return lambda texts: self.embedder(LANGUAGES).embed(texts)

    def cache_dir(self) -> Path:
        """Where the memo lives; see `embed.cache_folder`."""
        from dbt_schema_embed.embed import cache_folder

        return cache_folder(self.settings.cache_dir)

    def usual_embedder(self) -> "Embedder":
        """The embedder that the settings name; the static one where the extra `embed` is missing."""
        from dbt_schema_embed.embed.static import StaticEmbedder

        if has_embed():
            return self.embedder()
        self._static = True
        return StaticEmbedder()

    def embedded(
        self,
        relations: Sequence[Relation],
        readings: "Mapping[str, TableReading] | None" = None,
        *,
        texts_of: "Callable[[Relation, Sequence[str]], FacetTexts] | None" = None,
    ) -> tuple[Embedded, ...]:
        """Relations with the vectors of their columns. Names that ``readings`` translates are embedded in English."""
        from dbt_schema_embed.embed import column_texts, embed_relations

        self.looked_at(relations)
        said = {name: reading.texts for name, reading in (readings or {}).items()}
        return embed_relations(relations, self.usual_embedder(), texts_of=texts_of or column_texts, said=said)

    def index_in(self, scratch: Path, embedder: "Embedder") -> "Index":
        """The index of a project's columns, in our folder of it, as it stands there; close it after use."""
        from dbt_schema_embed.index import Index, Shared

        s = self.settings
        if not has_embed():  # small already, and nothing to share it with
            return Index(scratch / "index", encoder_id=embedder.encoder_id, dim=embedder.dim, approximate=False)
        return Index(
            scratch / "index",
            encoder_id=embedder.encoder_id,
            dim=embedder.dim,
            dimensions=s.dimensions,
            approximate=s.use_approximate_search,
            shared=Shared(s.chroma_url, s.chroma_token) if s.chroma_url else None,
        )

    def told(self, warnings: Iterable[str] = ()) -> tuple[str, ...]:
        """Keep what a call has to say, each line once; the lines of this call."""
        notes = [note for opened in self._opened.values() for note in opened.notes]
        lines = dict.fromkeys([*warnings, *notes, *([STATIC] if self._static else [])])
        self.warnings += [line for line in lines if line not in self.warnings]
        return tuple(lines)

    @staticmethod
    def need_embed(call: str) -> None:
        """Say at once, before anything is read, that ``call`` cannot work here.

        Raises:
            MissingExtraError: the extra `embed` is not installed.
        """
        if not has_embed():
            raise MissingExtraError(call, "embed")
