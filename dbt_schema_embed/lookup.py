"""Which table, model or column people mean by a name, and what a mapping file calls each of them."""

from collections.abc import Iterable, Sequence

from dbt_schema_embed.errors import ConfigError, near_hint, printable
from dbt_schema_embed.records import Project, Relation


def model_names(relations: Iterable[Relation]) -> dict[str, str]:
    """What a mapping file calls each relation a column can feed: ``{unique_id: name}``.

    The bare name, or the unique_id without its kind (``shop.stg_orders``, ``shop.dim_users.v2``) where the bare name
    is not unique.
    """
    targets = [r for r in relations if r.kind != "source"]
    seen: dict[str, int] = {}
    for relation in targets:
        seen[relation.name] = seen.get(relation.name, 0) + 1
    return {r.id: r.name if seen[r.name] == 1 else r.id.partition(".")[2] or r.id for r in targets}


def shared_labels(relations: Sequence[Relation]) -> frozenset[str]:
    """Labels ("stripe.charges") that several packages' sources have."""
    seen: dict[str, int] = {}
    for relation in relations:
        if relation.kind == "source":
            seen[relation.label] = seen.get(relation.label, 0) + 1
    return frozenset(label for label, count in seen.items() if count > 1)


def sources_called(relations: Iterable[Relation], label: str, package: str = "") -> list[Relation]:
    """The source tables that ``label`` ("stripe.charges") means: those spelled so, or else those alike but for case.

    ``package``: only of this one. More than one: several packages declare it, or case alone tells them apart.
    """
    found = [r for r in relations if r.kind != "model" and r.label.lower() == label.lower()]
    found = [r for r in found if package in ("", r.package)]
    return [r for r in found if r.label == label] or found


def source_tables(project: Project, said: str) -> list[Relation]:
    """The source tables that "stripe.charges", "package.stripe.charges" or a unique_id means, best spelled first.

    Raises:
        ConfigError: there is none; the message names a near one.
    """
    sources = [r for r in project.relations if r.kind == "source"]
    word = said.lower()
    meant = [r for r in sources if word in (name.lower() for name in _names(r))]
    if not meant:
        hint = near_hint(said, [r.label for r in sources]) or "write it as source.table"
        raise ConfigError(f"the project has no source table {printable(said)!r}", hint=hint)
    return sorted(meant, key=lambda r: said not in _names(r))


def source_column(project: Project, said: str) -> tuple[Relation, str]:
    """The source table and the column that ``stripe.charges.id`` names; a unique_id before the column will do too.

    Raises:
        ConfigError: there is none; the message names a near one.
    """
    table, _, name = said.rpartition(".")
    try:
        meant = source_tables(project, table)
    except ConfigError as problem:
        problem.hint = problem.hint.replace("source.table", "source.table.column")
        raise
    for relation in meant:
        if column := relation.column(name):
            return relation, column.name
    raise ConfigError(
        f"{printable(meant[0].label)} has no column {printable(name)!r}",
        hint=near_hint(name, [c.name for c in meant[0].columns]),
    )


def model_column(project: Project, model: str, column: str) -> tuple[Relation, str]:
    """The model and the column that two names mean; the model as mapping files name it, or its unique_id.

    Raises:
        ConfigError: there is none; the message names a near one.
    """
    names = model_names(project.relations)
    found = [r for r in project.relations if model.lower() in (r.id.lower(), names.get(r.id, "").lower())]
    if not found:
        raise ConfigError(f"the project has no model {printable(model)!r}", hint=near_hint(model, list(names.values())))
    target = found[0].column(column)
    if target is None:
        known = [c.name for c in found[0].columns]
        raise ConfigError(f"{names[found[0].id]} has no column {printable(column)!r}", hint=near_hint(column, known))
    return found[0], target.name


def _names(relation: Relation) -> tuple[str, str, str]:
    return relation.label, relation.id, f"{relation.package}.{relation.label}"
