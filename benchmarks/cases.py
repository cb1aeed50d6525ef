"""Training and test data from folders of cases: dbt projects with a gold mapping, and pairs of tables with one.

The data lies outside the package: CASES/dbt/<project>/{target,seeds,gold.json}, CASES/pairs/<set>/<pair>/.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.all_words import Lexicon
from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.candidates import build_block
from dbt_schema_embed.match.column_values import NOTHING_NAMES, nothing_rows
from dbt_schema_embed.match.habits import Habits
from dbt_schema_embed.match.hearing import voice
from dbt_schema_embed.match.knowledge import Knowledge, knowledge
from dbt_schema_embed.match.layers import arrivals, choose_targets, feeding
from dbt_schema_embed.match.odds import Odds
from dbt_schema_embed.match.pair_values import signal_values, standings
from dbt_schema_embed.match.pool import Pool
from dbt_schema_embed.match.ranking import Draft, second_look
from dbt_schema_embed.match.reading import read_tables
from dbt_schema_embed.match.suggesting import habits_of
from dbt_schema_embed.read.project import read_project
from dbt_schema_embed.records import Column, Lineage, Project, Relation
from dbt_schema_embed.tables import read_relation

Key = tuple[str, str]


@dataclass(frozen=True)
class Table:
    """One source table ready to train on or to score. It also stands where the matcher expects a `Block`."""

    group: str  # project or set: what is left out together
    name: str
    values: dict[str, Any]  # (n, k) float16
    nothing: Matrix  # (n, len(NOTHING_NAMES))
    legible: Matrix  # (n,)
    right: Matrix  # (n, k) bool
    passed_over: Matrix  # (n, k) bool: neither right nor wrong
    used: Matrix  # (n,) bool: has a known truth
    empty: Matrix  # (n,) bool: feeds nothing
    kinds: list[str | None]
    model_of: Any  # (k,) int
    models: list[Any]  # each with .relation.id
    targets: list[Column]
    columns: list[Column]
    cores: list[tuple[str, ...]]
    weight: float = 1.0
    scored: bool = True  # False: trained on, never scored

    @property
    def shape(self) -> tuple[int, int]:
        """(source columns, candidates)."""
        return len(self.columns), len(self.targets)

    @property
    def arrives(self) -> bool:
        """It feeds a model already."""
        return bool(self.nothing[:, NOTHING_NAMES.index("table_arrives")].any())

    @property
    def row_values(self) -> Matrix:
        """(n, r + 1), as `match.column_values.row_values` has them."""
        return np.concatenate([self.nothing, self.legible[:, None]], axis=1, dtype=np.float32)

    def floats(self, names: Sequence[str]) -> dict[str, Matrix]:
        """Some of the values as float32."""
        return {name: self.values[name].astype(np.float32) for name in names}


@dataclass(frozen=True)
class Named:
    """A model that has only an id."""

    id: str

    @property
    def relation(self) -> "Named":
        """Itself, where the matcher looks for a model's relation."""
        return self


def table_of(block: Block, group: str, name: str, arrives: bool, **truth: Any) -> Table:
    """The table without its vectors."""
    values = signal_values(block)
    return Table(
        group, name, _small(values), nothing_rows(block, values, arrives), block.legible,
        model_of=block.model_of, models=[Named(m.relation.id) for m in block.models],
        targets=[replace(c, values=()) for c in block.targets], columns=[replace(c, values=()) for c in block.columns],
        cores=list(block.cores), **truth,
    )  # fmt: skip


def _small(values: Mapping[str, Matrix]) -> dict[str, Any]:
    return {name: v.astype(np.float16) for name, v in values.items()}


def competing(run: Sequence[Table], odds: Sequence[Odds]) -> list[Table]:
    """The tables with what the first round says about each of them and of all together; those of a group compete."""
    found: dict[int, Table] = {}
    groups: dict[str, list[int]] = defaultdict(list)
    for at, table in enumerate(run):
        groups[table.group].append(at)
    for places in groups.values():
        drafts = [_draft(run[at], odds[at]) for at in places]
        voices = {str(at): draft.voice for at, draft in enumerate(drafts)}
        for at, (_, values, rows) in zip(places, second_look(drafts, voices), strict=True):
            found[at] = replace(run[at], values=run[at].values | _small(values), nothing=rows)
    return [found[at] for at in range(len(run))]


def _draft(table: Any, odds: Odds) -> Draft:
    own = voice(table, odds, table.arrives)
    met = np.ones(len(table.models), bool)
    return Draft(table, table.floats(("type_fit",)), table.nothing, odds, table.arrives, own, met)


def without_targets(table: Table, rng: np.random.Generator) -> Table:
    """The table as if its model lacked some of the columns that it feeds, so that they feed nothing.

    Cases made from SQL know only columns that are read: without these the networks would learn that all are.
    """
    gone = table.right[table.used].any(axis=0) & (rng.random(table.right.shape[1]) < rng.uniform(0.05, 0.35))
    keep = ~gone
    if not gone.any() or not keep.any():
        return table
    values = {name: v[:, keep] for name, v in table.values.items()}
    values |= _small(standings({name: v.astype(np.float32) for name, v in values.items()}, table.model_of[keep]))
    nothing = table.nothing.copy()
    for name, signal in (("best_name", "both_found"), ("best_reading", "same_reading")):
        nothing[:, NOTHING_NAMES.index(name)] = values[signal].max(axis=1)
    less = replace(_kept(table, keep), values=values, nothing=nothing, scored=False)
    return replace(less, empty=table.empty | (table.used & table.right.any(axis=1) & ~less.right.any(axis=1)))


def narrowed(table: Table, most: int) -> Table:
    """The table beside the candidates hardest to tell apart, and all right ones."""
    return table if table.shape[1] <= most else _kept(table, hardest(table, most))


def hardest(table: Table, most: int) -> NDArray[np.int64]:
    """(most,) ascending: the right candidates, then those that look likest."""
    looks = ("source_words_found", "name_meaning", "table_words")
    hard = sum(np.nan_to_num(table.values[n].astype(np.float32)) * w for n, w in zip(looks, (1, 1, 0.5), strict=True))
    ease = -hard.max(axis=0, initial=0) - 10.0 * table.right.any(axis=0)
    return np.sort(np.argsort(ease, kind="stable")[:most])


def _kept(table: Table, keep: NDArray[Any]) -> Table:
    """The table with some of its candidates."""
    places = np.arange(table.shape[1])[keep]
    return replace(
        table, values={name: v[:, places] for name, v in table.values.items()}, right=table.right[:, places],
        passed_over=table.passed_over[:, places], model_of=table.model_of[places],
        targets=[table.targets[j] for j in places.tolist()],
    )  # fmt: skip


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


MOST_TABLES = 30
"""Tables of one project that are trained on: a giant teaches no more than thirty of its tables do."""


def project_tables(
    folder: Path, project: Project, embed: Any, targets: str = "auto", *,
    hidden: set[str] | None = None, change: "Change | None" = None, known: Knowledge | None = None,
    vendor: "Vendor | None" = None,
) -> Iterator[Table]:  # fmt: skip
    """The tables of one project.

    ``hidden``: hide these sources' models instead of those the case hides; ``change``: gives the sources other names;
    ``known``: the dictionary; ``vendor``: makes the models that the tables feed into models that another vendor feeds.
    """
    gold, raw = load_gold(folder / "gold.json")
    visible = {p["source"] for p in raw["pairs"] if p["visible"]}
    if hidden is None:
        scored = {p["source"] for p in raw["pairs"] if not p["visible"]} - visible
    else:
        project, scored = hide(project, raw, hidden), hidden
    if vendor is not None:
        project, gold, scored, change = vendor(project, gold, scored)
    spelled = {r.id: [c.key.lower() for c in r.columns] for r in project.relations}
    if change is not None:
        project = renamed_project(project, change, spelled)
    sources = [r for r in project.relations if r.kind == "source" and r.columns]
    models = choose_targets(project, targets)  # type: ignore[arg-type]
    readings = read_tables(sources, models, known or knowledge())
    said = {name: r.texts for name, r in readings.items()}
    arrived = arrivals(project)
    fed = {s for s, _ in arrived}
    left = embed(_some(sources, scored) if vendor is None else _few(sources, scored), said=said)
    right = Pool(embed(models, said=said), feeding(project.lineage), {m for _, m in arrived})
    habits = habits_of(project, arrived)
    lexicon = Lexicon(sources, models, readings)
    mapped = {(e.source, e.source_column.lower()) for e in project.lineage}
    for source in left:
        block = build_block(source, right, lexicon, habits)
        keys = spelled[source.relation.id]
        yield _project_table(folder.name, block, keys, gold, source.relation.id in scored, fed, mapped)


def _some(sources: Sequence[Relation], scored: set[str]) -> list[Relation]:
    """At most MOST_TABLES of the tables that are asked about, and a third of those that arrive, ten at most."""
    asked = [r for r in sources if r.id in scored]
    rest = [r for r in sources if r.id not in scored]
    step = max(1, -(-len(asked) // MOST_TABLES))
    return asked[::step] + rest[:: max(3, -(-len(rest) // 10))]


def _few(sources: Sequence[Relation], asked: set[str]) -> list[Relation]:
    """A third of MOST_TABLES of those asked about."""
    some = [r for r in sources if r.id in asked]
    return some[:: max(1, -(-3 * len(some) // MOST_TABLES))]


Change = Callable[[Relation], tuple[str, list[str]]]
"""A source table -> another name for it, and other names for its columns."""

Vendor = Callable[[Project, Gold, set[str]], tuple[Project, Gold, set[str], Change]]
"""A project, its gold and the tables asked about -> the same with another vendor, and how tables are called."""


def renamed_project(project: Project, change: Change, spelled: dict[str, list[str]]) -> Project:
    """The project as if its source tables were called otherwise."""

    def renamed(r: Relation) -> Relation:
        table, names = change(r)
        columns = tuple(replace(c, name=n, description="") for c, n in zip(r.columns, names, strict=True))
        return replace(r, name=table, columns=columns)

    relations = tuple(renamed(r) if r.kind == "source" else r for r in project.relations)
    now = {r.id: dict(zip(spelled[r.id], r.columns, strict=True)) for r in relations if r.kind == "source"}
    lineage = (
        replace(e, source_column=now[e.source][e.source_column.lower()].name)
        for e in project.lineage
        if e.source_column.lower() in now.get(e.source, {})
    )
    return replace(project, relations=relations, lineage=tuple(sorted(lineage)))


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
    return table_of(
        block, group, source.id, source.id in fed, right=right, passed_over=over, used=used, empty=empty, kinds=kinds,
        scored=scored,
    )  # fmt: skip


def pair_table(group: str, name: str, sides: Sequence[Relation], truth: set[Key], embed: Any) -> Table:
    """Two tables without a project."""
    readings = read_tables(sides[:1], sides[1:])
    left, right = embed(list(sides), said={name: r.texts for name, r in readings.items()})
    block = build_block(left, Pool([right]), Lexicon([left.relation], [right.relation], readings), Habits())
    n, k = block.shape
    hit = np.array([[(a.name, b.name) in truth for b in block.targets] for a in block.columns], bool).reshape(n, k)
    return table_of(
        block, group, name, False, right=hit, passed_over=np.zeros((n, k), bool), used=np.ones(n, bool),
        empty=~hit.any(axis=1), kinds=[None] * n,
    )  # fmt: skip


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
