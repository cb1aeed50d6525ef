"""`suggest`: a project's tables and models embedded and matched, people's decisions put over the answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_schema_embed.errors import ConfigError, near_hint, printable
from dbt_schema_embed.pipeline.mappings import decided, load_mappings, owners, with_decisions, write_suggestions
from dbt_schema_embed.pipeline.reranking import Reranker, reranked
from dbt_schema_embed.pipeline.unfed import half_built, unfed_columns
from dbt_schema_embed.read.opening import chosen_sources
from dbt_schema_embed.records import Artifacts, Opened, Project, Relation, Suggestions
from dbt_schema_embed.settings import Targets

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline.mappings import Mappings
    from dbt_schema_embed.pipeline.session import Session


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
    rerank: Reranker | None = None


def suggest_project(
    session: "Session", project_dir: str | Path, wish: Wish, artifacts: Artifacts
) -> tuple[Opened, Suggestions]:
    """The project, and what `SchemaEmbed.suggest` answers and raises."""
    from dbt_schema_embed.match import choose_targets, suggest
    from dbt_schema_embed.pipeline.matching import glossary_path, prepare
    from dbt_schema_embed.pipeline.profiling import with_values

    opened = session.open(project_dir, artifacts)
    sources = chosen_sources(opened.project, wish.select, wish.exclude)
    if wish.profile:
        opened, sources = with_values(session, opened, sources)
    mappings = load_mappings(opened.root, session.settings)
    known = decided(opened, mappings)
    pins = pinned(opened, mappings, sources, wish)
    targets = wish.targets or session.settings.targets
    models = _targets(opened.project, choose_targets(opened.project, targets), pins)
    only = {source.id for source in sources}
    glossary = glossary_path(opened.root, session.settings)
    ready = prepare(session, opened.project, only, targets, glossary, models=models)
    session.progress("Matching tables")
    with session.timed("match"):
        found = suggest(
            ready.sources, ready.models, project=opened.project, readings=ready.readings, only=only,
            rejected={*known.rejected, *_barred(opened.project, models, pins)}, accepted=known.accepted,
            top_k=wish.top_k, propose=wish.propose, progress=partial(session.progress, "Matching tables"),
        )  # fmt: skip
    failures: list[str] = []
    if wish.rerank is not None:
        found, failures = reranked(opened, mappings.folder, found, wish.rerank)
    keys = {(source.id, column.name): column.key for source in sources for column in source.columns}
    rows = with_decisions(found, known, keys)
    said = [*opened.project.warnings, *failures]
    written = write_suggestions(opened, mappings, rows, pins, said.extend) if wish.write else ()
    everything = not wish.select and not wish.exclude
    unfed = unfed_columns(opened, mappings, rows, models if everything else ())
    return opened, Suggestions(rows, session.told(said), written, unfed)


@dataclass(frozen=True, slots=True)
class Pin:
    """The models that a table feeds (empty: any) and those it does not, by the names mapping files use."""

    into: tuple[str, ...] = ()
    not_into: tuple[str, ...] = ()


def pinned(opened: Opened, mappings: "Mappings", sources: Sequence[Relation], wish: Wish) -> dict[str, Pin]:
    """What is said of where tables go: unique_id -> pin, from their files, and for ``sources`` from the wish.

    Raises:
        ConfigError: the wish names a model that the project does not have.
    """
    from dbt_schema_embed.lookup import model_names

    names = model_names(opened.project.relations)
    spelled = {name.lower(): name for name in names.values()} | {i.lower(): name for i, name in names.items()}

    def known(said: Sequence[str]) -> tuple[str, ...]:
        for name in said:
            if name.lower() not in spelled:
                hint = near_hint(name, list(names.values()))
                raise ConfigError(f"the project has no model {printable(name)!r}", hint=hint)
        return tuple(dict.fromkeys(spelled[name.lower()] for name in said))

    pins = {i: Pin(file.into, file.not_into) for i, (_, file) in owners(opened, mappings).items()}
    into, not_into = known(wish.into), known(wish.not_into)
    for source in sources if into or not_into else ():
        old = pins.get(source.id, Pin())
        banned = dict.fromkeys([*(name for name in old.not_into if name not in into), *not_into])
        kept = into or tuple(name for name in old.into if name not in not_into)
        pins[source.id] = Pin(kept, tuple(banned))
    return pins


def _targets(project: Project, chosen: Sequence[Relation], pins: Mapping[str, Pin]) -> tuple[Relation, ...]:
    """The models to match with: those chosen, those that people pinned a table to, and what half-built ones lack."""
    from dbt_schema_embed.lookup import model_names

    names = model_names(project.relations)
    wanted = {name.lower() for pin in pins.values() for name in pin.into}
    models = {model.id: model for model in chosen}
    for relation in project.relations:
        if relation.id not in models and relation.columns and names.get(relation.id, "").lower() in wanted:
            models[relation.id] = relation
        elif relation.id not in models and (lacking := half_built(project, relation)):
            models[relation.id] = replace(relation, columns=lacking)
    return tuple(models[i] for i in sorted(models))


def _barred(project: Project, models: Sequence[Relation], pins: Mapping[str, Pin]) -> set[tuple[str, str, str, str]]:
    """The pairs of columns that the pins rule out, as rejected ones."""
    from dbt_schema_embed.lookup import model_names

    names = model_names(project.relations)
    found: set[tuple[str, str, str, str]] = set()
    for source_id, pin in pins.items():
        source = project.relation(source_id)
        into, not_into = ({name.lower() for name in some} for some in (pin.into, pin.not_into))
        for model in models if source and (into or not_into) else ():
            name = names[model.id].lower()
            if name in not_into or (into and name not in into):
                columns = source.columns if source else ()
                found |= {(source_id, c.name, model.id, t.name) for c in columns for t in model.columns}
    return found
