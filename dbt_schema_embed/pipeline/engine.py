"""SchemaEmbed: one method a command. A room is imported when a call first needs it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self, Unpack

from dbt_schema_embed.decide.decisions import Decisions
from dbt_schema_embed.pipeline.cache import Cache
from dbt_schema_embed.pipeline.measuring import Measures
from dbt_schema_embed.pipeline.session import Session
from dbt_schema_embed.progress import Progress, silent
from dbt_schema_embed.records import Artifacts, Hits, Relation, Suggestions, Targets
from dbt_schema_embed.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dbt_schema_embed.check.project import Checked
    from dbt_schema_embed.decide.reranking import Reranker
    from dbt_schema_embed.decide.reviewing import Review
    from dbt_schema_embed.index import Changes
    from dbt_schema_embed.observe.doctor import Diagnosis
    from dbt_schema_embed.observe.evaluating import Evaluated
    from dbt_schema_embed.observe.profiling import Profiled
    from dbt_schema_embed.pipeline.matching import Glossed
    from dbt_schema_embed.pipeline.reporting import Reported
    from dbt_schema_embed.read.completion import Names
    from dbt_schema_embed.records import Opened
    from dbt_schema_embed.tables.table_files import ArrowTable
    from dbt_schema_embed.write.rewrite import Rewrite

    Table = str | Path | ArrowTable


class SchemaEmbed:
    """The calls on a dbt project, and on tables in files. Nothing is loaded until a call needs it.

    Threads may share one. ``decisions`` makes decisions about suggestions and carries them out; ``cache`` looks after
    the memo of vectors; ``measures`` says what the calls took.
    """

    def __init__(self, settings: Settings | None = None, *, progress: Progress = silent) -> None:
        self.session = Session(settings, progress=progress)
        made = self.decisions = Decisions(
            self.session.open_for, self.settings.mappings_dir, self.session.told, self._propose
        )
        self.accept, self.reject, self.apply, self.stage = made.accept, made.reject, made.apply, made.stage
        self.cache = Cache(self.session)
        self.measures = Measures(self.session)

    def _propose(self, project_dir: str | Path, artifacts: Artifacts, table: str) -> "tuple[Opened, Rewrite]":
        from dbt_schema_embed.pipeline.suggesting import propose_table

        return propose_table(self.session, project_dir, artifacts, table)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the memo. The next call opens it again."""
        self.session.close()

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.session.settings

    @property
    def warnings(self) -> list[str]:
        """What went wrong so far without stopping a call, a line each."""
        return self.session.warnings

    def suggest(
        self,
        project_dir: str | Path = ".",
        *,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        targets: Targets | None = None,
        top_k: int = 10,
        propose: bool = False,
        write: bool = False,
        profile: bool = False,
        into: Sequence[str] = (),
        not_into: Sequence[str] = (),
        rerank: "Reranker | None" = None,
        changed_since: str | None = None,
        **artifacts: Unpack[Artifacts],
    ) -> Suggestions:
        """Which model column each column of the selected source tables feeds: one row a column.

        Args:
            project_dir: The folder of dbt_project.yml.
            select: Source tables in dbt's selection syntax; empty: all.
            exclude: The same; taken away.
            targets: "auto": models that could be fed next; "all": every model. None: as the settings say.
            top_k: Candidates listed in a row, at most.
            propose: Also propose names for columns that map to nothing.
            write: Also bring the mapping files of these tables up to date; see ``written`` of the answer.
            profile: Also let the user's dbt look at the rows of these tables now; values stay in memory.
            into: Models that these tables feed, and no others; with ``write`` their files keep it.
            not_into: Models that they do not feed; likewise.
            rerank: A language model that is asked about what is doubtful.
            changed_since: A commit: only rows whose mapping, model or source changed since this branch left it.
            artifacts: ``target_path``, ``manifest``, ``catalog``, if not where dbt puts them.

        Raises:
            ArtifactError: the manifest or another artifact is missing or unreadable.
            ConfigError: no source table is selected, or an unknown model or commit is named.
            MappingError: a mapping file cannot be read.
        """
        from dbt_schema_embed.pipeline.suggesting import Wish, suggest_project

        wish = Wish(select, exclude, targets, top_k, propose, write, profile, into, not_into, rerank, changed_since)
        return suggest_project(self.session, project_dir, wish, artifacts)[1]

    def explain(
        self,
        column: str,
        project_dir: str | Path = ".",
        *,
        targets: Targets | None = None,
        **artifacts: Unpack[Artifacts],
    ) -> str:
        """Why ``column`` ("stripe.charges.id") gets its suggestion: candidates, signals, habits, in words.

        Raises:
            As `suggest`; ConfigError also where no source column is called so.
        """
        from dbt_schema_embed.pipeline.suggesting import explained

        return explained(self.session, column, project_dir, artifacts, targets or self.settings.targets)

    def glossary(
        self, project_dir: str | Path = ".", *, write: bool = False, **artifacts: Unpack[Artifacts]
    ) -> "Glossed":
        """Words for the project's glossary, learnt from what people accepted. Loads no encoder.

        ``write``: add them to schema_mappings/glossary.yml.

        Raises:
            ArtifactError: the manifest is missing or unreadable.
            ConfigError, MappingError: the glossary or a mapping file cannot be read.
            WriteError: the glossary cannot be written.
        """
        from dbt_schema_embed.pipeline.matching import propose_glossary

        return propose_glossary(self.session, self.session.open(project_dir, artifacts, lineage_of=()), write=write)

    def report(
        self,
        project_dir: str | Path = ".",
        *,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        targets: Targets | None = None,
        output: Path | None = None,
        **artifacts: Unpack[Artifacts],
    ) -> "Reported":
        """Write what `suggest` and `check` say as one HTML file, with what changed since the one that it replaces.

        ``output`` None: schema_embed/report.html in dbt's target folder. Raises as `suggest`; WriteError where the file
        cannot be written.
        """
        from dbt_schema_embed.pipeline.reporting import write_report
        from dbt_schema_embed.pipeline.suggesting import Wish, suggest_project

        wish = Wish(select, exclude, targets, shares=True)
        opened, answer = suggest_project(self.session, project_dir, wish, artifacts)
        problems = self.check(project_dir, **artifacts).problems
        return write_report(self.session, opened, answer, problems, output)

    def review(
        self,
        project_dir: str | Path = ".",
        *,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        targets: Targets | None = None,
        **artifacts: Unpack[Artifacts],
    ) -> "Review":
        """The open suggestions, to be decided one by one; brings the mapping files up to date first.

        Raises as `suggest`.
        """
        from dbt_schema_embed.decide.reviewing import review_of
        from dbt_schema_embed.pipeline.suggesting import Wish, suggest_project

        wish = Wish(select, exclude, targets, write=True)
        opened, answer = suggest_project(self.session, project_dir, wish, artifacts)
        return review_of(opened, answer, self.settings.mappings_dir)

    def match(self, left: "Relation | Table", right: "Relation | Table", *, top_k: int | None = None) -> Suggestions:
        """Which column of ``right`` each column of ``left`` corresponds to; no project is needed.

        A side is a relation, or what `read_relation` takes: a path, a table of pandas, polars, Arrow or DuckDB.
        ``top_k``: candidates listed in a row, at most; None: all.

        Raises:
            ArtifactError: a side has no columns, or too many.
        """
        from dbt_schema_embed.pipeline.matching import matched

        sides = (side if isinstance(side, Relation) else self.relation(side) for side in (left, right))
        return matched(self.session, *sides, top_k=top_k)

    def index(
        self, project_dir: str | Path = ".", *, verify: bool = False, cluster: str | None = None,
        **artifacts: Unpack[Artifacts],
    ) -> "Changes":  # fmt: skip
        """Bring the index of the project's columns up to date; ``verify``: compare every vector in it, and mend it.

        ``cluster``: address of a Ray cluster that encodes what is new; None: that of the settings, if any.

        Raises:
            EncoderError, MissingExtraError: the cluster cannot be reached, or is lost; the extra `ray` is missing.
            IndexMismatchError: what was written could not be read back.
            WriteError: another process is writing the index, or the disk is full.
        """
        from dbt_schema_embed.pipeline.search import index_project

        return index_project(self.session, project_dir, artifacts, verify=verify, cluster=cluster)

    def search(
        self,
        query: str,
        project_dir: str | Path = ".",
        *,
        limit: int = 10,
        min_score: float | None = None,
        type: str | None = None,  # noqa: A002  the flag's name, and the field's
        table: str | None = None,
        **artifacts: Unpack[Artifacts],
    ) -> Hits:
        """The columns whose name, table or description is nearest to ``query``, best first.

        Builds the index where it is missing, and brings it up to date.

        Args:
            query: Words, e.g. "customer e-mail".
            project_dir: The folder of dbt_project.yml.
            limit: Most columns to return.
            min_score: Only columns with at least this score, which is at most 1.
            type: Only columns of this type ("varchar") or family of types ("text").
            table: Only columns of this table, source, schema or model.
            artifacts: As in `suggest`.

        Raises:
            As `index`; ConfigError: an empty query, or no column fits ``type`` and ``table``.
        """
        from dbt_schema_embed.index import Filter
        from dbt_schema_embed.pipeline.search import search_project

        found = search_project(self.session, project_dir, artifacts, query, limit, Filter(type, table))
        return Hits(hit for hit in found if min_score is None or hit.score >= min_score)

    def check(
        self, project_dir: str | Path = ".", *, baseline: Path | None = None, **artifacts: Unpack[Artifacts]
    ) -> "Checked":
        """What is wrong with the project's mapping files. Loads no encoder and no index.

        ``baseline``: a file of known findings that are passed over; None: that of the settings, if it is there.

        Raises:
            ArtifactError: the manifest is missing or unreadable.
            ConfigError: an unknown rule in the settings; a baseline that is unreadable or outside the project.
        """
        from dbt_schema_embed.check.project import usual_baseline
        from dbt_schema_embed.pipeline.checking import check_project

        root = Path(project_dir)
        if baseline is None and (usual := usual_baseline(root, self.settings.baseline)).is_file():
            baseline = usual
        return check_project(root, artifacts, self.settings, baseline)

    def write_baseline(
        self, project_dir: str | Path = ".", *, baseline: Path | None = None, **artifacts: Unpack[Artifacts]
    ) -> tuple[Path, int]:
        """Write what `check` finds today to the baseline; the file, and how many findings it knows now."""
        from dbt_schema_embed.pipeline.checking import write_baseline

        return write_baseline(Path(project_dir), artifacts, self.settings, baseline)

    def relation(self, path: "Table", *, docs: str | Path | None = None, table: str | None = None) -> Relation:
        """The table in a CSV, Parquet or DDL file, or in memory; see `read_relation`."""
        from dbt_schema_embed.tables import read_relation

        return read_relation(path, docs=docs, dialect=self.settings.dialect, table=table)

    def profile(
        self,
        project_dir: str | Path = ".",
        *,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        target: str | None = None,
        profiles_dir: Path | None = None,
        row_limit: int | None = None,
        **artifacts: Unpack[Artifacts],
    ) -> "Profiled":
        """Let the user's dbt look at the rows of source tables, and keep statistics that later calls use.

        Calls ``dbt run-operation schema_embed_profile``. Values are kept only where ``store_samples`` is set.

        Args:
            project_dir: The folder of dbt_project.yml.
            select: Source tables in dbt's selection syntax; empty: all.
            exclude: The same; taken away.
            target: dbt's target; None: its default.
            profiles_dir: The folder of profiles.yml; None: dbt's default.
            row_limit: Most rows of a table to look at; None: 10,000.
            artifacts: As in `suggest`.

        Raises:
            ConfigError: no source is selected, or there is no dbt on PATH.
            SchemaEmbedError: dbt fails before it looks at any table, or at several in a row.
        """
        from dbt_schema_embed.observe.profiling import DbtOptions, profile_sources
        from dbt_schema_embed.read.opening import chosen_sources

        opened = self.session.open(project_dir, artifacts, lineage_of=(), values=False)
        sources = chosen_sources(opened.project, select, exclude)
        options, keep_values = DbtOptions(target, profiles_dir, row_limit), self.settings.store_samples
        return profile_sources(opened, sources, options, self.session.progress, keep_values=keep_values)

    def evaluate(
        self,
        project_dir: str | Path = ".",
        *,
        targets: Targets | None = None,
        folds: int = 4,
        cases: Path | None = None,
        **artifacts: Unpack[Artifacts],
    ) -> "Evaluated":
        """How well `suggest` does on this project: source tables that have a model are asked as if they had none.

        ``folds``: rounds; in each, a part of them is asked, and the SQL of the others still teaches how the project
        names things. ``cases``: score the cases in this folder instead, <project>/{target,seeds,gold.json}.
        Without ``cases``, the calibration is kept in the target folder, where `report` finds it.

        Raises:
            ArtifactError: the manifest is missing or unreadable; there are no cases.
            ConfigError: fewer than two source tables have a model.
        """
        from dbt_schema_embed.pipeline.matching import measured

        return measured(self.session, project_dir, artifacts, targets or self.settings.targets, folds, cases)

    def names(self, project_dir: str | Path = ".", **artifacts: Unpack[Artifacts]) -> "tuple[Names, Names]":
        """Source tables and models, each with its columns, for completion; empty where they cannot be read."""
        from dbt_schema_embed.read.completion import project_names

        return project_names(Path(project_dir), self.settings.dialect, **artifacts)

    def doctor(self, project_dir: str | Path = ".", **artifacts: Unpack[Artifacts]) -> "Diagnosis":
        """What is installed, found and missing, and what to do. Changes nothing."""
        from dbt_schema_embed.observe.doctor import diagnose

        return diagnose(self.settings, Path(project_dir), artifacts, Session(self.settings).embedder)

    def encode(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """The vectors of ``texts``: (n, d) float32, rows of length 1, in order, through the memo; (0, d) for nothing.

        Raises:
            EncoderError: the encoder cannot be loaded.
            TypeError: a bare str.
        """
        self.session.need_embed("encode")
        return self.session.embedder().embed(texts)

    async def aencode(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """`encode` in a thread, so that the event loop goes on."""
        import asyncio

        return await asyncio.to_thread(self.encode, texts)

    async def asearch(
        self,
        query: str,
        project_dir: str | Path = ".",
        *,
        limit: int = 10,
        min_score: float | None = None,
        type: str | None = None,  # noqa: A002
        table: str | None = None,
        **artifacts: Unpack[Artifacts],
    ) -> Hits:
        """`search` in a thread, so that the event loop goes on."""
        import asyncio

        return await asyncio.to_thread(
            self.search, query, project_dir, limit=limit, min_score=min_score, type=type, table=table, **artifacts
        )
