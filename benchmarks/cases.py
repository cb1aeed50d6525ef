"""Training and test data from folders of cases: dbt projects with a gold mapping, and pairs of tables with one.

The data lies outside the package: CASES/dbt/<project>/{target,seeds,gold.json}, CASES/pairs/<set>/<pair>/.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from dbt_schema_embed.match.block import Block, Lexicon, Matrix
from dbt_schema_embed.match.candidates import Targets, build_block
from dbt_schema_embed.match.combine import nothing_rows, signal_values
from dbt_schema_embed.match.habits import Habits
from dbt_schema_embed.match.layers import arrivals, choose_targets
from dbt_schema_embed.match.names import skeleton, words
from dbt_schema_embed.match.suggesting import habits_of
from dbt_schema_embed.read import read_project, read_relation
from dbt_schema_embed.records import Lineage, Project, Relation

Key = tuple[str, str]


@dataclass
class Table:
    """One source table ready to train on or to score."""

    group: str  # project or set: what is left out together
    name: str
    block: Block
    values: dict[str, Matrix]
    nothing: Matrix
    right: Matrix  # (n, k) bool
    passed_over: Matrix  # (n, k) bool: neither right nor wrong
    used: Matrix  # (n,) bool: has a known truth
    empty: Matrix  # (n,) bool: feeds nothing
    kinds: list[str | None] = field(default_factory=list)
    weight: float = 1.0
    scored: bool = True  # False: trained on, never scored


@dataclass(frozen=True)
class Gold:
    """A project's gold mapping, by column keys."""

    truth: dict[Key, set[Key]]
    kinds: dict[Key, str]
    unmapped: set[Key]
    skipped: set[Key]
    descends: set[tuple[str, str, str, str]]
    unknown: set[Key]


def load_gold(path: Path) -> tuple[Gold, dict[str, Any]]:
    """gold.json as sets of keys, and as it stands."""
    raw = json.loads(path.read_text("utf-8"))
    truth: dict[Key, set[Key]] = defaultdict(set)
    kinds: dict[Key, str] = {}
    for p in raw["pairs"]:
        key = (p["source"], p["source_column"].lower())
        truth[key].add((p["model"], p["model_column"].lower()))
        kinds[key] = "renamed" if p["kind"] == "renamed" else kinds.get(key, p["kind"])
    unmapped = {(s, c.lower()) for s, c in raw["unmapped"]}
    skipped = {(s, c.lower()) for s, c, *_ in raw.get("multi_column", [])}
    descends = {(s, c.lower(), m, mc.lower()) for s, c, m, mc in raw.get("also_descends", [])}
    unknown = {(s, m) for s, models in raw.get("unknown_models", {}).items() for m in models}
    return Gold(truth, kinds, unmapped - set(truth), skipped - set(truth), descends, unknown), raw


def hide(project: Project, gold: dict[str, Any], sources: set[str]) -> Project:
    """The project as if the models that those sources feed were planned, and all others built."""
    planned = {p["model"] for p in gold["pairs"] if p["source"] in sources}
    known = {r.id for r in project.relations}
    lineage = {e for e in project.lineage if e.model not in planned and e.source not in sources}
    lineage |= {
        Lineage(p["source"], p["source_column"], p["model"], p["model_column"], p["kind"])
        for p in gold["pairs"]
        if p["model"] not in planned and p["source"] not in sources and p["model"] in known
    }
    base = {
        parent
        for r in project.relations
        if r.id in planned
        for parent in r.parents
        if parent.startswith("model.") and parent.endswith("_tmp")
    }
    relations = tuple(
        replace(r, has_sql=False, parents=()) if r.id in planned else r for r in project.relations if r.id not in base
    )
    return replace(project, relations=relations, lineage=tuple(sorted(lineage)))


def project_tables(
    folder: Path, project: Project, embed: Any, targets: str, hidden: set[str] | None = None, change: str = ""
) -> Iterator[Table]:
    """The tables of one project.

    ``hidden``: hide these sources' models instead of those the case hides; ``change``: "short" shortens the sources'
    names, "split" makes two of planned models.
    """
    gold, raw = load_gold(folder / "gold.json")
    visible = {p["source"] for p in raw["pairs"] if p["visible"]}
    if hidden is None:
        scored = {p["source"] for p in raw["pairs"] if not p["visible"]} - visible
    else:
        project, scored = hide(project, raw, hidden), hidden
    spelled = {r.id: [c.key.lower() for c in r.columns] for r in project.relations}
    if change == "split":
        project, gold = split_models(project, gold)
    if change == "short":
        project = with_short_names(project)
        now = {r.id: dict(zip(spelled[r.id], r.columns, strict=True)) for r in project.relations if r.kind == "source"}
        lineage = (
            replace(e, source_column=now[e.source][e.source_column.lower()].name)
            for e in project.lineage
            if e.source_column.lower() in now.get(e.source, {})
        )
        project = replace(project, lineage=tuple(sorted(lineage)))
    sources = [r for r in project.relations if r.kind == "source" and r.columns]
    models = choose_targets(project, targets)  # type: ignore[arg-type]
    left, right = embed(sources), Targets(embed(models))
    arrived = arrivals(project)
    habits = habits_of(project, arrived)
    lexicon = Lexicon(sources, models)
    fed = {s for s, _ in arrived}
    mapped = {(e.source, e.source_column.lower()) for e in project.lineage}
    for source in left:
        block = build_block(source, right, lexicon, habits)
        keys = spelled[source.relation.id]
        yield _project_table(folder.name, block, keys, gold, source.relation.id in scored, fed, mapped)


def _project_table(
    group: str, block: Block, keys: Sequence[str], gold: Gold, scored: bool, fed: set[str], mapped: set[Key]
) -> Table:
    source = block.source.relation
    n, k = block.shape
    right, over = np.zeros((n, k), bool), np.zeros((n, k), bool)
    used, empty = np.zeros(n, bool), np.zeros(n, bool)
    pairs = [(block.models[m].relation.id, t.key.lower()) for m, t in zip(block.model_of, block.targets, strict=True)]
    kinds: list[str | None] = []
    for i, column in enumerate(source.columns):
        key = (source.id, keys[i])
        truth = gold.truth.get(key, set()) if scored else set()
        # A table that arrives already is trained on too: what of it feeds nothing there must stay unanswered.
        leftover = (
            not scored and source.id in fed and key in gold.unmapped and (source.id, column.name.lower()) not in mapped
        )
        empty[i] = (scored and key in gold.unmapped and key not in gold.skipped) or leftover
        used[i] = bool(truth) or empty[i]
        kinds.append(gold.kinds.get(key) if truth else None)
        for j, pair in enumerate(pairs):
            right[i, j] = pair in truth
            over[i, j] = not right[i, j] and ((*key, *pair) in gold.descends or (source.id, pair[0]) in gold.unknown)
    nothing = nothing_rows(block, source.id in fed)
    return Table(group, source.id, block, signal_values(block), nothing, right, over, used, empty, kinds, scored=scored)


def pair_table(group: str, name: str, sides: Sequence[Relation], truth: set[Key], embed: Any) -> Table:
    """Two tables without a project."""
    left, right = embed(list(sides))
    block = build_block(left, Targets([right]), Lexicon([left.relation], [right.relation]), Habits())
    n, k = block.shape
    hit = np.array([[(a.name, b.name) in truth for b in block.targets] for a in block.columns], bool).reshape(n, k)
    return Table(
        group, name, block, signal_values(block), nothing_rows(block, False),
        hit, np.zeros((n, k), bool), np.ones(n, bool), ~hit.any(axis=1), [None] * n,
    )  # fmt: skip


SECOND_HALF = ("details", "profile", "attributes", "settings", "metrics")


def split_models(project: Project, gold: Gold) -> tuple[Project, Gold]:
    """The project as if every other planned model of six columns or more were two, its last columns in a new one."""
    moved: dict[Key, str] = {}
    relations = []
    for number, r in enumerate(project.relations):
        if r.kind != "model" or r.has_sql or len(r.columns) < 6 or number % 2:
            relations.append(r)
            continue
        at = len(r.columns) * (5 + number % 3) // 10
        name = f"{r.name}_{SECOND_HALF[number % len(SECOND_HALF)]}"
        second = replace(r, id=r.id + name[len(r.name) :], name=name, columns=r.columns[at:])
        moved |= {(r.id, c.key.lower()): second.id for c in second.columns}
        relations += [replace(r, columns=r.columns[:at]), second]
    truth = {k: {(moved.get(p, p[0]), p[1]) for p in pairs} for k, pairs in gold.truth.items()}
    ordered = tuple(sorted(relations, key=lambda r: r.id))
    return replace(project, relations=ordered), replace(gold, truth=truth)


def with_short_names(project: Project) -> Project:
    """The project as if its sources were an old system's: every word of their names shortened, each always alike."""

    def short(name: str) -> str:
        return "_".join(_short_word(w) for w in words(name)) or name

    def renamed(r: Relation) -> Relation:
        columns = tuple(replace(c, name=n, description="") for c, n in zip(r.columns, _distinct(r, short), strict=True))
        return replace(r, name=short(r.name), columns=columns)

    return replace(project, relations=tuple(renamed(r) if r.kind == "source" else r for r in project.relations))


def _distinct(relation: Relation, short: Callable[[str], str]) -> list[str]:
    seen: dict[str, int] = {}
    names = []
    for column in relation.columns:
        name = short(column.name)
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return names


def _short_word(word: str) -> str:
    """What people write for a word in eight letters: its beginning, or its consonants; which one, the word decides."""
    if len(word) < 5:
        return word
    bones = skeleton(word)
    return (word[:3], word[:4], bones[:4], bones)[crc32(word.encode()) % 4]


def read_case(folder: Path, cache: Path) -> Project:
    """A dbt case as the tool reads it."""
    return read_project(folder, cache_dir=cache)


def read_pair(folder: Path) -> tuple[Relation, Relation, set[Key]]:
    """A pair case: both sides and the true pairs."""
    sides = []
    for side in ("source", "target"):
        docs = folder / f"{side}_columns.json"
        sides.append(read_relation(folder / f"{side}.csv", docs=docs if docs.exists() else None))
    truth = {(m["source"], m["target"]) for m in json.loads((folder / "mapping.json").read_text("utf-8"))}
    return sides[0], sides[1], truth
