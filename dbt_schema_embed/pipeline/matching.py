"""What `suggest`, `explain` and `evaluate` all need before they match: names read, relations embedded."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_schema_embed.decide.mappings import decided, glossary_path, load_mappings, shown_path
from dbt_schema_embed.files import write_text
from dbt_schema_embed.pipeline.session import Session
from dbt_schema_embed.records import Embedded, Opened, Project, Relation
from dbt_schema_embed.settings import Targets

if TYPE_CHECKING:
    from dbt_schema_embed.match import TableReading


@dataclass(frozen=True, slots=True)
class Prepared:
    """Two sides that can be matched."""

    sources: tuple[Embedded, ...]  # the tables asked about and those that compete with them
    models: tuple[Embedded, ...]
    readings: "Mapping[str, TableReading]"


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

    ``models`` take the place of those that ``targets`` chooses.

    Raises:
        ConfigError: ``glossary``, a file that need not exist, cannot be read.
    """
    from dbt_schema_embed.match import (
        choose_targets,
        competitors,
        knowledge,
        read_glossary,
        read_tables,
        readable,
    )

    session.progress("Reading names")
    models = choose_targets(project, targets) if models is None else models
    words = read_glossary(glossary) if glossary else {}
    readings = read_tables(readable(project), models, knowledge(session.cache_dir()), words)
    sources = session.embedded(competitors(project, asked), readings)
    return Prepared(sources, session.embedded(models, readings), readings)


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
    from dbt_schema_embed.match import glossary_text, knowledge, propose_words, read_glossary, read_tables, readable

    path = glossary_path(opened.root, session.settings.mappings_dir)
    known = read_glossary(path)
    accepted = decided(opened, load_mappings(opened.root, session.settings.mappings_dir)).accepted
    relations = {r.id: r for r in opened.project.relations}
    models = [r for r in opened.project.relations if r.kind == "model" and r.columns]
    readings = read_tables(readable(opened.project), models, knowledge(session.cache_dir()), known)
    keys = {(r.id, c.key): c.name for r in relations.values() if r.kind == "source" for c in r.columns}
    pairs = [
        (relations[source], keys[source, key], target[1])
        for (source, key), target in sorted(accepted.items())
        if target and (source, key) in keys
    ]
    text = glossary_text(propose_words(pairs, readings), known)
    if not text or not write:
        return Glossed(text)
    before = path.read_text("utf-8-sig") if path.exists() else "# Words of this project: `word, word: meaning`\n"
    write_text(path, before.rstrip("\n") + "\n" + text, root=opened.root)
    return Glossed(text, shown_path(opened.root, path))
