"""Which models people say that a source table feeds, and which it does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dbt_schema_embed.decide.mappings import Mappings, owners
from dbt_schema_embed.decide.unfed import half_built, unfed_columns
from dbt_schema_embed.errors import ConfigError, near_hint, printable
from dbt_schema_embed.lookup import model_names
from dbt_schema_embed.records import Opened, Project, Relation


@dataclass(frozen=True, slots=True)
class Pin:
    """The models that a table feeds (empty: any) and those it does not, by the names mapping files use."""

    into: tuple[str, ...] = ()
    not_into: tuple[str, ...] = ()


def pinned(
    opened: Opened, mappings: Mappings, sources: Sequence[Relation], into: Sequence[str], not_into: Sequence[str]
) -> dict[str, Pin]:
    """What is said of where tables go: unique_id -> pin, from their files, and for ``sources`` from what is
    said now, ``into`` and ``not_into``.

    Raises:
        ConfigError: a model is named that the project does not have.
    """
    names = model_names(opened.project.relations)
    spelled = {name.lower(): name for name in names.values()} | {i.lower(): name for i, name in names.items()}

    def known(said: Sequence[str]) -> tuple[str, ...]:
        for name in said:
            if name.lower() not in spelled:
                hint = near_hint(name, list(names.values()))
                raise ConfigError(f"the project has no model {printable(name)!r}", hint=hint)
        return tuple(dict.fromkeys(spelled[name.lower()] for name in said))

    pins = {i: Pin(file.into, file.not_into) for i, (_, file) in owners(opened, mappings).items()}
    into, not_into = known(into), known(not_into)
    for source in sources if into or not_into else ():
        old = pins.get(source.id, Pin())
        banned = dict.fromkeys([*(name for name in old.not_into if name not in into), *not_into])
        kept = into or tuple(name for name in old.into if name not in not_into)
        pins[source.id] = Pin(kept, tuple(banned))
    return pins


def targets_with(project: Project, chosen: Sequence[Relation], pins: Mapping[str, Pin]) -> tuple[Relation, ...]:
    """The models to match with: those chosen, those that people pinned a table to, and what half-built ones lack."""
    names = model_names(project.relations)
    wanted = {name.lower() for pin in pins.values() for name in pin.into}
    models = {model.id: model for model in chosen}
    for relation in project.relations:
        if relation.id not in models and relation.columns and names.get(relation.id, "").lower() in wanted:
            models[relation.id] = relation
        elif relation.id not in models and (lacking := half_built(project, relation)):
            models[relation.id] = replace(relation, columns=lacking)
    return tuple(models[i] for i in sorted(models))


def barred(project: Project, models: Sequence[Relation], pins: Mapping[str, Pin]) -> set[tuple[str, str, str, str]]:
    """The pairs of columns that the pins rule out, as rejected ones."""
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


def waiting(
    opened: Opened,
    mappings: Mappings,
    sources: Sequence[Relation],
    models: Sequence[Relation],
    pins: Mapping[str, Pin],
) -> tuple[Relation, ...]:
    """``models`` with the columns that wait for a table, those that have any; pinned ones as they are."""
    mine = {path for i, (path, _) in owners(opened, mappings).items() if i in {source.id for source in sources}}
    others = replace(mappings, files=tuple(entry for entry in mappings.files if entry[0] not in mine))
    unfed = {(u.model, u.model_column) for u in unfed_columns(opened, others, (), models)}
    said = {name for source in sources if (pin := pins.get(source.id)) for name in pin.into}
    names = model_names(opened.project.relations)
    left = (
        m if names[m.id] in said else replace(m, columns=tuple(c for c in m.columns if (m.id, c.name) in unfed))
        for m in models
    )
    return tuple(m for m in left if m.columns)
