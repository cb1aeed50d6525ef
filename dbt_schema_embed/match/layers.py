"""Where models stand between sources and marts, and which of them a source table could feed."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from dbt_schema_embed.match.nearby import Rivals
from dbt_schema_embed.records import Lineage, Project, Relation, Targets

Pair = tuple[str, str]


def choose_targets(project: Project, targets: Targets = "auto") -> tuple[Relation, ...]:
    """The models whose columns are candidates, sorted by id; models without known columns are left out.

    ``auto``: the models that a source table could feed: those planned but not built, first-layer models that nothing
    feeds, those that source tables arrive in, and ends that no other model selects from and that nothing planned leads
    to: a second vendor feeds either of these. All models where there is none.
    ``all``: every model but base models, which only pass one table on to the model where it arrives.
    """
    arrived, passed = _walk(project)
    base = {model for _, model in passed}
    models = [r for r in project.relations if r.kind == "model" and r.columns and r.id not in base]
    if targets == "auto":
        entered = {model for _, model in arrived}
        fed = fed_models(project)
        sources = {r.id for r in project.relations if r.kind in ("source", "seed")}
        selected = {parent for r in project.relations for parent in r.parents}

        waiting = _below({m.id for m in models if not m.has_sql}, project.relations)

        def could_be_fed(m: Relation) -> bool:
            first = bool(m.parents) and all(p in sources for p in m.parents)
            end = m.id not in selected and m.id not in waiting
            return m.id in entered or end or (m.id not in fed and (not m.has_sql or first))

        models = [m for m in models if could_be_fed(m)] or models
    return tuple(sorted(models, key=lambda m: m.id))


def _below(models: Collection[str], relations: Iterable[Relation]) -> set[str]:
    """The models that select from one of ``models``, directly or not."""
    children = _children(relations)
    front, found = list(models), set[str]()
    while front:
        for child in children.get(front.pop(), ()):
            if child not in found:
                found.add(child)
                front.append(child)
    return found


def fed_models(project: Project) -> frozenset[str]:
    """Ids of the models that source columns feed today."""
    return frozenset(edge.model for edge in project.lineage)


Feeding = Mapping[Pair, Collection[Pair]]
"""(model id, column in lower case) -> the source columns that feed it today, as (source id, column in lower case)."""


def feeding(lineage: Iterable[Lineage]) -> Feeding:
    """Which source columns feed which model columns today."""
    out: dict[Pair, set[Pair]] = defaultdict(set)
    for edge in lineage:
        out[edge.model, edge.model_column.lower()].add((edge.source, edge.source_column.lower()))
    return {target: tuple(sorted(columns)) for target, columns in out.items()}


def competitors(project: Project, asked: Collection[str]) -> tuple[Relation, ...]:
    """The source tables to rank for an answer about those ``asked`` (ids), sorted by id.

    These and their `rivals`, so that an answer about one table is the same whether it is asked for alone or with all
    others.
    """
    tables = [r for r in project.relations if r.kind == "source" and r.columns]
    wanted = set(asked)
    if not wanted.issuperset(r.id for r in tables):
        against = rivals(project)
        for table in tables:
            if table.id in asked:
                wanted |= against.of(table)
                if against.few:
                    break
    return tuple(sorted((r for r in tables if r.id in wanted), key=lambda r: r.id))


def rivals(project: Project) -> Rivals:
    """The source tables that arrive nowhere yet: they want the same models as each other."""
    arrived = {source for source, _ in arrivals(project)}
    open_ = (r for r in project.relations if r.kind == "source" and r.columns and r.id not in arrived)
    return Rivals(sorted(open_, key=lambda r: r.id))


def arrivals(project: Project) -> frozenset[Pair]:
    """(source id, model id) of the models that source tables first arrive in.

    A base model that passes a table on unchanged to one other model is not where it arrives: that other model is.
    """
    return frozenset(_walk(project)[0])


def base_models(project: Project) -> frozenset[Pair]:
    """(source id, model id) of the base models that source tables pass through on the way to where they arrive."""
    return frozenset(_walk(project)[1])


def _walk(project: Project) -> tuple[set[Pair], set[Pair]]:
    """(where source tables arrive, base models on the way there), each as (source id, model id)."""
    relations = {r.id: r for r in project.relations}
    edges: dict[Pair, list[Lineage]] = defaultdict(list)
    for edge in project.lineage:
        edges[edge.source, edge.model].append(edge)
    children = _children(project.relations)
    arrived: set[Pair] = set()
    passed: set[Pair] = set()
    for source in sorted({s for s, _ in edges}):
        front = [c for c in children.get(source, ()) if (source, c) in edges]
        seen = set(front)
        while front:
            model = front.pop()
            after = [c for c in children.get(model, ()) if (source, c) in edges]
            if _passes_on(edges[source, model], relations[model]) and len(after) == 1:
                front += [c for c in after if c not in seen]
                seen.update(after)
                passed.add((source, model))
            else:
                arrived.add((source, model))
    return arrived, passed


def _children(relations: Iterable[Relation]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = defaultdict(list)
    for relation in relations:
        for parent in relation.parents:
            out[parent].append(relation.id)
    return out


def _passes_on(edges: Sequence[Lineage], model: Relation) -> bool:
    return all(e.kind == "identical" for e in edges) and len(edges) >= 0.9 * len(model.columns)


def feeders(lineage: Iterable[Lineage], relations: Mapping[str, Relation]) -> dict[tuple[str, str], tuple[str, ...]]:
    """(model id, column key) -> "source.table.column" of the source columns that feed it today, sorted."""
    out: dict[tuple[str, str], set[str]] = defaultdict(set)
    for edge in lineage:
        if edge.source in relations:
            label = f"{relations[edge.source].label}.{edge.source_column}"
            out[edge.model, edge.model_column.lower()].add(label)
    return {key: tuple(sorted(labels)) for key, labels in out.items()}
