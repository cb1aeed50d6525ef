"""Projects made into such whose models another vendor feeds already, so that a second one is asked about.

Few public projects have a second vendor. Here each table that is asked about gets a twin of another name that feeds the
model, which then has SQL; a part of the model's columns stays unfed, sometimes a table is cut in two, as systems with
more tables have it, and sometimes the twin's data passes through a staging or an intermediate model first. One of both
vendors, by the project, is called as the case has it, the other in other words.
"""

import random
from collections import defaultdict
from dataclasses import replace
from zlib import crc32

from cases import Change, Gold
from strange import distinct, other_words

from dbt_schema_embed.records import Lineage, Project, Relation

UNFED, CUT, STAGED, BETWEEN = 0.25, 0.35, 0.5, 0.4
"""Shares: of model columns that the first vendor does not feed; of tables cut in two; of twins with a staging model; of
ends with an intermediate model before them."""
VENDORS = ("acme", "norden", "legacy", "vega", "atlas", "helios", "old_crm", "system_b")


def second_vendor(
    project: Project, gold: Gold, asked: set[str], salt: int = 0
) -> tuple[Project, Gold, set[str], Change]:
    """The project as if the models that ``asked`` feed were built and fed by another vendor."""
    rng = random.Random(crc32(f"{salt}:{project.name}".encode()))
    vendor = rng.choice(VENDORS)
    selected = {parent for r in project.relations for parent in r.parents}
    planned = {r.id: r for r in project.relations if r.kind == "model" and not r.has_sql}
    relations = {r.id: r for r in project.relations}
    twins = _twins([relations[s] for s in sorted(asked) if s in relations], gold, planned, vendor, rng)
    lineage, parents = list(project.lineage), defaultdict[str, list[str]](list)
    for twin, edges in twins:
        relations[twin.id] = twin
        lineage += edges
        through = twin.id
        if rng.random() < STAGED:
            staged = _model(f"stg_{vendor}__{twin.name}", twin, (twin.id,))
            relations[staged.id] = staged
            lineage += [Lineage(twin.id, c.name, staged.id, c.name, "identical") for c in twin.columns]
            through = staged.id
        for model in {e.model for e in edges}:
            parents[model].append(through)
    for model, above in parents.items():
        built = replace(planned[model], has_sql=True, parents=tuple(above))
        if model not in selected and rng.random() < BETWEEN:
            before = _model(f"int_{vendor}_{built.name}", built, built.parents)
            relations[before.id] = before
            lineage += [replace(e, model=before.id) for e in lineage if e.model == model]
            built = replace(built, parents=(before.id,))
        relations[model] = built
    gold, asked = _cut(relations, gold, asked, rng)
    changed = replace(
        project, relations=tuple(sorted(relations.values(), key=lambda r: r.id)), lineage=tuple(sorted(set(lineage)))
    )
    return changed, gold, asked, _named(salt, {t.id for t, _ in twins}, rng.choice((True, True, False, False, None)))


def _twins(
    tables: list[Relation], gold: Gold, planned: dict[str, Relation], vendor: str, rng: random.Random
) -> list[tuple[Relation, list[Lineage]]]:
    """The first vendor's tables, each with what it feeds."""
    found = []
    for table in tables:
        twin = replace(table, id=f"{table.id}__first", source_name=vendor, schema=vendor)
        edges = [
            Lineage(twin.id, c.name, model, column, "renamed")
            for c in table.columns
            for model, column in sorted(gold.truth.get((table.id, c.key.lower()), ()))
            if model in planned and rng.random() > UNFED
        ]
        if edges:
            found.append((twin, edges))
    return found


def _model(name: str, like: Relation, parents: tuple[str, ...]) -> Relation:
    """A built model with the columns of another relation."""
    return replace(
        like, id=f"model.{like.package}.{name}", name=name, kind="model", source_name="", has_sql=True, parents=parents,
        path=f"models/{name}.sql",
    )  # fmt: skip


def _cut(relations: dict[str, Relation], gold: Gold, asked: set[str], rng: random.Random) -> tuple[Gold, set[str]]:
    """Some of the tables as two, the first column in both."""
    truth, kinds, unmapped, skipped = dict(gold.truth), dict(gold.kinds), set(gold.unmapped), set(gold.skipped)
    descends, unknown, more = set(gold.descends), set(gold.unknown), set[str]()
    for source in sorted(asked & set(relations)):
        table = relations[source]
        if len(table.columns) < 8 or rng.random() > CUT:
            continue
        at = rng.randrange(3, len(table.columns) - 2)
        kept, moved = table.columns[:at], (table.columns[0], *table.columns[at:])
        other = replace(table, id=f"{source}__more", name=f"{table.name}_{rng.choice(_DETAILS)}", columns=moved)
        relations[source], relations[other.id] = replace(table, columns=kept), other
        more.add(other.id)
        for key in [(source, c.key.lower()) for c in moved]:
            there = (other.id, key[1])
            if key in truth:
                truth[there], kinds[there] = truth[key], kinds.get(key, "renamed")
            unmapped |= {there} if key in unmapped else set()
            skipped |= {there} if key in skipped else set()
        descends |= {(other.id, *rest) for s, *rest in gold.descends if s == source}  # type: ignore[misc]
        unknown |= {(other.id, m) for s, m in gold.unknown if s == source}
    return Gold(truth, kinds, unmapped, skipped, descends, unknown), asked | more


_DETAILS = ("details", "info", "data", "extra", "attributes", "2", "ext", "lines")


def _named(salt: int, twins: set[str], twins_change: bool | None) -> Change:
    """Other words for one vendor's tables; None: both are called alike, as places of one company are."""

    def change(r: Relation) -> tuple[str, list[str]]:
        if twins_change is None or (r.id in twins) != twins_change:
            return r.name, [c.name for c in r.columns]
        rng = random.Random(crc32(f"{salt}:{r.source_name}".encode()))
        table, names = other_words(r, rng)
        return table or r.name, distinct(names)

    return change
