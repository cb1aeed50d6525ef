"""What `suggest`, `explain` and `evaluate` all need before they match: names read, relations embedded."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_schema_embed.decide.mappings import decided, glossary_path, load_mappings
from dbt_schema_embed.errors import WriteError
from dbt_schema_embed.files import shown_path
from dbt_schema_embed.pipeline.session import Session
from dbt_schema_embed.records import (
    Artifacts,
    Embedded,
    Opened,
    Project,
    Relation,
    Suggestion,
    Suggestions,
    Targets,
)

if TYPE_CHECKING:
    from dbt_schema_embed.match import Lexicon
    from dbt_schema_embed.match.reading import Glossary
    from dbt_schema_embed.observe.evaluating import Evaluated


@dataclass(frozen=True)
class Prepared:
    """Two sides that can be matched; names are read and embedded when they are first asked for."""

    session: Session
    project: Project  # tables of too many columns have none in it
    asked: Collection[str]  # ids of source tables
    relations: Sequence[Relation]  # the models that they may feed
    words: "Glossary"

    @cached_property
    def state(self) -> object:
        """What an answer depends on beside people's decisions and this package."""
        encoders = self.session.usual_embedder().encoder_id, self.session.languages() is not None
        return self.project.relations, self.project.lineage, self.relations, self.words, encoders

    @cached_property
    def lexicon(self) -> "Lexicon":
        """The words of the project, with what its names say."""
        self.session.progress("Reading names")
        return self.session.once("names", self._named, self._read)

    @cached_property
    def sources(self) -> tuple[Embedded, ...]:
        """The tables asked about and those that compete with them."""
        from dbt_schema_embed.match import competitors

        return self.session.embedded(competitors(self.project, self.asked), self.lexicon.readings)

    @cached_property
    def models(self) -> tuple[Embedded, ...]:
        """The models."""
        lexicon = self.lexicon
        return self.session.once("models", self._named, lambda: self.session.embedded(self.relations, lexicon.readings))

    @property
    def _named(self) -> object:
        return self.project, [(model.id, len(model.columns)) for model in self.relations], self.words

    def _read(self) -> "Lexicon":
        from dbt_schema_embed.match import KeptReadings, knowledge, project_words, read_with_guesses, readable

        session, cache = self.session, self.session.cache_dir()
        kept = KeptReadings(cache, session.scratch) if session.settings.enable_caching and session.scratch else None
        tables, known = readable(self.project), knowledge(cache)
        readings = read_with_guesses(tables, self.relations, known, self.words, session.languages(), kept)
        if kept:
            kept.save()
        return project_words(self.project, self.relations, readings)


def prepare(
    session: Session,
    project: Project,
    asked: Collection[str],
    targets: Targets,
    glossary: Path | None = None,
    *,
    models: Sequence[Relation] | None = None,
) -> Prepared:
    """The source tables ``asked`` (ids) with their competitors, and the models that they may feed.

    ``models`` take the place of those that ``targets`` chooses. Tables that are `too_wide` are left out.

    Raises:
        ConfigError: ``glossary``, a file that need not exist, cannot be read.
    """
    from dbt_schema_embed.match import choose_targets, read_glossary
    from dbt_schema_embed.match.bounds import too_wide

    models = choose_targets(project, targets) if models is None else models
    models = [model for model in models if not too_wide(model)]
    words = read_glossary(glossary) if glossary else {}
    project = replace(project, relations=tuple(replace(r, columns=()) if too_wide(r) else r for r in project.relations))
    return Prepared(session, project, asked, models, words)


def matched(session: Session, left: Relation, right: Relation, *, top_k: int | None) -> Suggestions:
    """See `SchemaEmbed.match`."""
    from dbt_schema_embed.embed import pair_texts
    from dbt_schema_embed.match import knowledge, match, read_with_guesses
    from dbt_schema_embed.match.bounds import check_table

    for side in (left, right):
        check_table(side)
    name = left.id
    left = replace(left, id=f"{name} ") if name == right.id else left  # two files may be called alike
    known = knowledge(session.cache_dir())
    readings = read_with_guesses([left], [right], known, vectors=session.languages())
    sides = session.embedded([left, right], readings, texts_of=pair_texts)
    session.progress("Matching")
    with session.timed("match"):
        found = match(sides[0], sides[1], readings=readings, top_k=top_k)
    rows = tuple(replace(row, source=name) for row in found)
    return Suggestions(rows, session.told())


@dataclass(frozen=True, slots=True)
class Glossed:
    """Words proposed for the glossary. ``text``: lines that it lacks; ``written``: the file, where it was changed."""

    text: str
    written: str = ""


def propose_glossary(session: Session, opened: Opened, *, write: bool) -> Glossed:
    """Words that the project's accepted decisions explain and no dictionary knows; ``write``: add them to the glossary.

    Raises:
        ConfigError: the glossary cannot be read.
        MappingError: a mapping file cannot be read.
        WriteError: the glossary cannot be written.
    """
    from dbt_schema_embed.match.glossary import learnt, read_glossary
    from dbt_schema_embed.match.knowledge import knowledge
    from dbt_schema_embed.write.mapping import add_words

    path = glossary_path(opened.root, session.settings.mappings_dir)
    accepted = decided(opened, load_mappings(opened.root, session.settings.mappings_dir)).accepted
    text = learnt(opened.project, accepted, knowledge(session.cache_dir()), read_glossary(path))
    if not text or not write:
        return Glossed(text)
    add_words(path, text, opened.root)
    return Glossed(text, shown_path(opened.root, path))


def measured(
    session: Session, project_dir: str | Path, artifacts: Artifacts, targets: Targets, rounds: int, cases: Path | None
) -> "Evaluated":
    """See `SchemaEmbed.evaluate`: what the matcher answers, nothing put over it."""
    from dbt_schema_embed.match import suggest
    from dbt_schema_embed.observe.evaluating import KEPT, evaluate_cases, evaluate_project, keep

    def ask(project: Project, tables: Sequence[Relation]) -> Sequence[Suggestion]:
        session.told(project.warnings)
        only = {table.id for table in tables}
        ready = prepare(session, project, only, targets)
        return suggest(ready.sources, ready.models, project=ready.project, lexicon=ready.lexicon, only=only)

    if cases is not None:
        found = evaluate_cases(cases, lambda folder: session.open(folder, {}).project, ask, session.progress)
    else:
        opened = session.open(project_dir, artifacts)
        found = evaluate_project(opened.project, ask, rounds, session.progress)
        try:
            keep(found, opened.scratch / KEPT)
        except WriteError as problem:  # the figures are there all the same
            session.told([f"the report will not know of this: {problem.message}"])
    session.told()
    return found
