"""How this project names things, learnt from the SQL it already has."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath

from dbt_schema_embed.match.names import entity, stem
from dbt_schema_embed.records import Lineage, Relation
from dbt_schema_embed.types import type_family
from dbt_schema_embed.words import words

ENTITY = "<table>"
Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A change of name: words taken off and put on at either end. ``<table>`` stands for the table's own name."""

    off_front: Words
    off_back: Words
    on_front: Words
    on_back: Words

    def __str__(self) -> str:
        before = "_".join((*self.off_front, "x", *self.off_back))
        return f"{before} -> {'_'.join((*self.on_front, 'x', *self.on_back))}"


def abstract(name: Words, about: Words) -> Words:
    """``name`` with the table's own words, singular or plural, replaced by ``<table>``."""
    size = len(about)
    if not 0 < size <= len(name):
        return name
    stems, wanted = _stems(name), _stems(about)
    if wanted[0] in stems:
        for at in range(len(name) - size + 1):
            if stems[at : at + size] == wanted:
                return (*name[:at], ENTITY, *name[at + size :])
    return name


@lru_cache(maxsize=100_000)
def _stems(name: Words) -> Words:
    return tuple(stem(w) for w in name)


@lru_cache(maxsize=100_000)
def rule_between(before: Words, after: Words) -> Rule | None:
    """The rule that turns one name into the other around their longest common run of words; None without one."""
    best = (0, 0, 0)
    for i in range(len(before)):
        for j in range(len(after)):
            size = 0
            while i + size < len(before) and j + size < len(after) and before[i + size] == after[j + size]:
                size += 1
            best = max(best, (size, -i, -j))
    size, i, j = best[0], -best[1], -best[2]
    if not size:
        return None
    return Rule(before[:i], before[i + size :], after[:j], after[j + size :])


@dataclass
class Habits:
    """Counts over the columns whose way into a first-layer model is known. ``columns`` is 0 where no SQL exists."""

    columns: int = 0
    precedents: dict[Words, Counter[Words]] = field(default_factory=lambda: defaultdict(Counter))
    seen: Counter[Words] = field(default_factory=Counter)  # columns of mapped tables, by abstract name
    dropped: Counter[Words] = field(default_factory=Counter)  # ... and those of them that feed nothing
    rules: dict[str, Counter[Rule]] = field(default_factory=lambda: defaultdict(Counter))  # by type family
    families: Counter[str] = field(default_factory=Counter)
    model_names: Counter[tuple[str, ...]] = field(default_factory=Counter)
    homes: dict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    tables: int = 0
    _ends: dict[str, dict[tuple[Words, Words], list[tuple[Rule, int]]]] = field(default_factory=dict, repr=False)

    def became(self, before: Words) -> dict[Words, float]:
        """What columns of that name became -> the share of them that did; 0.8 for one of one, in [0, 1)."""
        known = self.precedents.get(before)
        return {after: times / (self.seen[before] + 0.25) for after, times in known.items()} if known else {}

    def ruled(self, before: Words, family: str) -> dict[Words, float]:
        """The names that rules make of ``before`` -> the share of that family's columns that followed the rule."""
        found: dict[Words, float] = {}
        known = self._by_ends(family)
        for front in range(len(before)):
            for back in range(len(before) - front):
                core = before[front : len(before) - back]
                for rule, times in known.get((before[:front], before[len(before) - back :]), ()):
                    after = (*rule.on_front, *core, *rule.on_back)
                    found[after] = max(found.get(after, 0.0), times / (self.families[family] + 2))
        return found

    def _by_ends(self, family: str) -> dict[tuple[Words, Words], list[tuple[Rule, int]]]:
        """The family's rules by what they take off."""
        if family not in self._ends:
            ends = self._ends[family] = defaultdict(list)
            for rule, times in self.rules.get(family, Counter()).items():
                ends[rule.off_front, rule.off_back].append((rule, times))
        return self._ends[family]

    def followed(self, rule: Rule | None) -> int:
        """How many columns followed the rule, over all types."""
        return sum(counts[rule] for counts in self.rules.values()) if rule else 0

    def drop_rate(self, before: Words) -> float:
        """How often columns of that name feed nothing, of all times seen; in [0, 1), shrunk towards 0."""
        times = self.seen.get(before, 0)
        return self.dropped[before] / (times + 1) if times else 0.0


def model_pattern(model: str, source: Relation) -> tuple[str, ...]:
    """The model's name with the source's name and the table's replaced: ``stg_<source>__<table>``."""
    out = model.lower()
    for name, mark in ((source.name.lower(), "<table>"), (source.source_name.lower(), "<source>")):
        if name:
            out = out.replace(name, mark, 1)
    return (out,)


def home(model: Relation) -> tuple[str, str]:
    """Where a model lives: its folder, and the first word of its name."""
    return _home(model.path, model.name)


@lru_cache(maxsize=50_000)
def _home(path: str, name: str) -> tuple[str, str]:
    folder = str(PurePosixPath(path.replace("\\", "/")).parent) if path else ""
    return folder, next(iter(words(name)), "")


def learn(
    lineage: Iterable[Lineage], relations: Mapping[str, Relation], arrived: Collection[tuple[str, str]]
) -> Habits:
    """Habits from the edges that end in a first-layer model.

    Args:
        lineage: what the SQL says.
        relations: every relation by id.
        arrived: (source id, model id) of the models that tables first arrive in.
    """
    habits = Habits()
    by_pair: dict[tuple[str, str], list[Lineage]] = defaultdict(list)
    for edge in lineage:
        if (edge.source, edge.model) in arrived and edge.source in relations and edge.model in relations:
            by_pair[edge.source, edge.model].append(edge)
    mapped: dict[str, set[str]] = defaultdict(set)
    for (source_id, model_id), edges in sorted(by_pair.items()):
        source, model = relations[source_id], relations[model_id]
        habits.model_names[model_pattern(model.name, source)] += 1
        habits.homes[source.source_name][home(model)] += 1
        habits.tables += 1
        _learn_columns(habits, source, edges)
        mapped[source_id] |= {e.source_column.lower() for e in edges}
    for source_id, fed in mapped.items():
        source = relations[source_id]
        for column in source.columns:
            name = abstract(words(column.name), entity(source.name))
            habits.seen[name] += 1
            habits.dropped[name] += column.name.lower() not in fed
    return habits


def _learn_columns(habits: Habits, source: Relation, edges: Sequence[Lineage]) -> None:
    about = entity(source.name)
    types = {c.name.lower(): type_family(c.type) or "" for c in source.columns}
    for edge in edges:
        before = abstract(words(edge.source_column), about)
        after = abstract(words(edge.model_column), about)
        family = types.get(edge.source_column.lower(), "")
        habits.columns += 1
        habits.precedents[before][after] += 1
        habits.families[family] += 1
        rule = rule_between(before, after)
        if rule is not None:
            habits.rules[family][rule] += 1
