"""`suggest`: a project's tables and models embedded and matched, people's decisions put over the answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_schema_embed.decide.mappings import (
    brought_up,
    decided,
    glossary_path,
    load_mappings,
    with_decisions,
    write_suggestions,
)
from dbt_schema_embed.decide.pins import barred, pinned, targets_with, waiting
from dbt_schema_embed.decide.unfed import unfed_columns
from dbt_schema_embed.errors import ConfigError, listed, printable
from dbt_schema_embed.lookup import model_names, source_column, source_tables
from dbt_schema_embed.read.opening import chosen_sources
from dbt_schema_embed.records import Artifacts, Opened, Relation, Suggestion, Suggestions, Targets

if TYPE_CHECKING:
    from dbt_schema_embed.decide.mappings import Decided, Mappings
    from dbt_schema_embed.decide.pins import Pin, waiting
    from dbt_schema_embed.decide.reranking import Reranker
    from dbt_schema_embed.match import KeptAnswers
    from dbt_schema_embed.pipeline.matching import Prepared
    from dbt_schema_embed.pipeline.session import Session
    from dbt_schema_embed.write.rewrite import Rewrite


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks of `suggest`; see `SchemaEmbed.suggest`."""

    select: Sequence[str] = ()
    exclude: Sequence[str] = ()
    targets: Targets | None = None
    top_k: int = 10
    propose: bool = False
    write: bool = False
    profile: bool = False
    into: Sequence[str] = ()
    not_into: Sequence[str] = ()
    rerank: "Reranker | None" = None
    changed_since: str | None = None
    shares: bool = False  # say what each kind of evidence adds


@dataclass(frozen=True, slots=True)
class Question:
    """Source tables that somebody asks about, and all that the answer depends on."""

    opened: Opened
    sources: Sequence[Relation]
    mappings: "Mappings"
    known: "Decided"
    pins: "Mapping[str, Pin]"
    models: Sequence[Relation]
    ready: "Prepared"

    @property
    def rejected(self) -> set[tuple[str, str, str, str]]:
        """Pairs that people rule out, one by one or by pins."""
        return {*self.known.rejected, *barred(self.opened.project, self.models, self.pins)}


def question(
    session: "Session",
    opened: Opened,
    sources: Sequence[Relation],
    targets: Targets | None = None,
    into: Sequence[str] = (),
    not_into: Sequence[str] = (),
    *,
    planned: bool = False,
) -> Question:
    """What an answer about ``sources`` depends on, names read and relations embedded; raises as `suggest`.

    ``planned``: only columns that are planned and that no other table feeds count, and models that people say the
    tables feed.
    """
    from dbt_schema_embed.match import choose_targets
    from dbt_schema_embed.pipeline.matching import prepare

    mappings = load_mappings(opened.root, session.settings.mappings_dir)
    known = decided(opened, mappings)
    pins = pinned(opened, mappings, sources, into, not_into)
    targets = targets or session.settings.targets
    models = targets_with(opened.project, choose_targets(opened.project, targets), pins)
    if planned:
        models = waiting(opened, mappings, sources, models, pins)
    only = {source.id for source in sources}
    glossary = glossary_path(opened.root, session.settings.mappings_dir)
    ready = prepare(session, opened.project, only, targets, glossary, models=models)
    return Question(opened, sources, mappings, known, pins, models, ready)


def answer(session: "Session", asked: Question, wish: Wish) -> tuple[tuple[Suggestion, ...], list[str]]:
    """A row for every column of the tables, decisions put over the answers; and what a language model failed at."""
    session.progress("Matching tables")
    with session.timed("match"):
        found = _matched(session, asked, wish)
    failures: list[str] = []
    if wish.rerank is not None:
        from dbt_schema_embed.decide.reranking import reranked

        found, failures = reranked(asked.opened, asked.mappings.folder, found, wish.rerank)
    keys = {(source.id, column.name): column.key for source in asked.sources for column in source.columns}
    rows = with_decisions(found, asked.known, keys)
    return _with_names(session, asked, rows) if wish.propose else rows, failures


def _matched(session: "Session", asked: Question, wish: Wish) -> tuple[Suggestion, ...]:
    """What matching says, as it is kept where nothing has changed since; tables by id."""
    from dbt_schema_embed.match import suggest

    kept, wanted = _kept(session, asked), (wish.top_k, wish.shares)
    known = {source.id: rows for source in asked.sources if kept and (rows := kept.rows(source.id, *wanted))}
    session.looked_at(source for source in asked.sources if source.id in known)
    only = {source.id for source in asked.sources} - known.keys()
    ready = asked.ready
    if any(r.id in only and r.columns for r in ready.project.relations):
        found = suggest(
            ready.sources, ready.models, project=ready.project, lexicon=ready.lexicon, only=only,
            rejected=asked.rejected, accepted=asked.known.accepted, top_k=wish.top_k, shares=wish.shares, kept=kept,
            progress=partial(session.progress, "Matching tables"),
        )  # fmt: skip
        known |= {source: tuple(rows) for source, rows in groupby(found, key=lambda row: row.source)}
        if kept:
            kept.keep_rows(found, *wanted)
            kept.save()
    return tuple(row for source in sorted(known) for row in known[source])


def _kept(session: "Session", asked: Question) -> "KeptAnswers | None":
    """What was found of this project before, as it stands."""
    from dbt_schema_embed.match import KeptAnswers

    if not session.settings.enable_caching:
        return None
    scratch = asked.opened.scratch
    return KeptAnswers(session.cache_dir(), scratch, asked.ready.state, asked.rejected, asked.known.accepted)


def _with_names(session: "Session", asked: Question, rows: Sequence[Suggestion]) -> tuple[Suggestion, ...]:
    """The rows with names for what maps to nothing; see `match.with_names`."""
    from dbt_schema_embed.match import Plans, knowledge, with_names

    project = asked.opened.project
    unfed = unfed_columns(asked.opened, asked.mappings, rows, asked.models)
    ids = {name: i for i, name in model_names(project.relations).items()}
    into = {source: ids[pin.into[0]] for source, pin in asked.pins.items() if pin.into and pin.into[0] in ids}
    wanted = frozenset((u.model, u.model_column.lower()) for u in unfed)
    plain = knowledge(session.cache_dir()).plain
    return with_names(rows, Plans(project, asked.ready.lexicon.readings, plain, into, wanted))


def suggest_project(
    session: "Session", project_dir: str | Path, wish: Wish, artifacts: Artifacts
) -> tuple[Opened, Suggestions]:
    """The project, and what `SchemaEmbed.suggest` answers and raises."""
    from dbt_schema_embed.decide.changed import changed_rows
    from dbt_schema_embed.match.bounds import too_wide, with_the_rest
    from dbt_schema_embed.observe.profiling import with_values

    opened = session.open(project_dir, artifacts)
    sources = chosen_sources(opened.project, wish.select, wish.exclude)
    if wish.profile:
        opened, sources = with_values(opened, sources, session.progress, session.told)
    asked = question(session, opened, sources, wish.targets, wish.into, wish.not_into)
    compared, failures = answer(session, asked, wish)
    rows = with_the_rest(compared, sources)
    wide = [line for relation in (*sources, *asked.models) if (line := too_wide(relation))]
    said = [*opened.project.warnings, *failures, *wide]
    if unknown := [printable(source.label) for source in sources if not source.columns]:
        said.append(f"no columns are known of {listed(unknown)}: run dbt docs generate, or list them in its YAML")
    written = write_suggestions(opened, asked.mappings, compared, asked.pins, said.extend) if wish.write else ()
    everything = not wish.select and not wish.exclude
    unfed = unfed_columns(opened, asked.mappings, rows, asked.models if everything else ())
    if wish.changed_since is not None:
        rows = changed_rows(rows, opened, session.settings.mappings_dir, wish.changed_since)
        models = {row.model for row in rows}
        unfed = tuple(u for u in unfed if u.model in models)
    return opened, Suggestions(rows, session.told(said), written, unfed)


def propose_table(
    session: "Session", project_dir: str | Path, artifacts: Artifacts, table: str
) -> "tuple[Opened, Rewrite]":
    """The project, and the mapping file of one source table with new columns proposed; nothing is written yet.

    Raises:
        ConfigError: no source table is called so, or its columns are not known.
    """
    from dbt_schema_embed.match.bounds import check_table

    opened = session.open(project_dir, artifacts)
    source = source_tables(opened.project, table)[0]
    if not source.columns:
        raise ConfigError(f"no columns are known of {printable(source.label)}", hint="run: dbt docs generate")
    check_table(source)
    asked = question(session, opened, [source], planned=True)
    rows, _ = answer(session, asked, Wish(propose=True))
    said = list(opened.project.warnings)
    (plan,) = brought_up(opened, asked.mappings, rows, asked.pins, said.extend)
    session.told(said)
    return opened, plan


def explained(session: "Session", column: str, project_dir: str | Path, artifacts: Artifacts, targets: Targets) -> str:
    """See `SchemaEmbed.explain`."""
    from dbt_schema_embed.match import explain
    from dbt_schema_embed.match.bounds import check_table

    opened = session.open(project_dir, artifacts)
    source, name = source_column(opened.project, column)
    check_table(source)
    asked = question(session, opened, [source], targets)
    text = explain(
        source.id, name, asked.ready.sources, asked.ready.models, project=asked.ready.project,
        lexicon=asked.ready.lexicon, rejected=asked.rejected, accepted=asked.known.accepted,
        kept=_kept(session, asked), targets=targets,
    )  # fmt: skip
    session.told(opened.project.warnings)
    return text
