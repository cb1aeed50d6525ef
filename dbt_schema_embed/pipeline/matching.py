"""What `suggest`, `explain` and `evaluate` all need before they match: names read, relations embedded."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
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
    from dbt_schema_embed.match import Lexicon, TableReading
    from dbt_schema_embed.observe.evaluating import Evaluated


@dataclass(frozen=True, slots=True)
class Prepared:
    """Two sides that can be matched."""

    project: Project  # tables of too many columns have none in it
    sources: tuple[Embedded, ...]  # the tables asked about and those that compete with them
    models: tuple[Embedded, ...]
    lexicon: "Lexicon"
    state: object  # what an answer depends on beside the project, people's decisions and this package


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
    from dbt_schema_embed.match import (
        KeptReadings,
        choose_targets,
        competitors,
        knowledge,
        project_words,
        read_glossary,
        read_with_guesses,
        readable,
    )
    from dbt_schema_embed.match.bounds import too_wide

    session.progress("Reading names")
    models = choose_targets(project, targets) if models is None else models
    models = [model for model in models if not too_wide(model)]
    words = read_glossary(glossary) if glossary else {}
    state = (project, [(model.id, len(model.columns)) for model in models], words)
    project = replace(project, relations=tuple(replace(r, columns=()) if too_wide(r) else r for r in project.relations))

    def read() -> "tuple[Mapping[str, TableReading], Lexicon]":
        cache = session.cache_dir()
        kept = KeptReadings(cache, session.scratch) if session.settings.enable_caching and session.scratch else None
        readings = read_with_guesses(readable(project), models, knowledge(cache), words, session.languages(), kept)
        if kept:
            kept.save()
        return readings, project_words(project, models, readings)

    readings, lexicon = session.names_read(state, read)
    sources = session.embedded(competitors(project, asked), readings)
    encoders = session.usual_embedder().encoder_id, session.languages() is not None
    return Prepared(project, sources, session.embedded(models, readings), lexicon, (words, encoders))


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
