"""Pairs of tables made from the dbt projects' raw rows, in the manner of Valentine (Koutras et al., ICDE 2021).

A source table is cut in two halves that share some columns and some rows; the right half's columns get the names that
the project's staging models give them, or noisy ones: shortened, without vowels, with a typing error, prefixed.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cases import Table, load_gold, pair_table, read_case

from dbt_schema_embed.records import Column, Project, Relation
from dbt_schema_embed.words import words

PAIRS, WIDEST = 240, 120
Noise = Callable[[str, random.Random], str]


def shortened(name: str, rng: random.Random) -> str:
    """Beginnings of the words, apart or run together."""
    parts = words(name)
    if rng.random() < 0.5:
        return "_".join(p[: rng.randint(1, 4)] if len(p) > 2 else p for p in parts)
    return "".join(p[: rng.randint(1, 4)] for p in parts).upper()


def vowelless(name: str, rng: random.Random) -> str:
    """Without vowels but for most first letters."""
    kept = [
        c for i, c in enumerate(name)
        if c.lower() not in "aeiou" or ((i == 0 or name[i - 1] in "_ ") and rng.random() < 0.7)
    ]  # fmt: skip
    return "".join(kept)


def mistyped(name: str, rng: random.Random) -> str:
    """One letter wrong."""
    at = rng.randrange(len(name))
    return name[:at] + rng.choice("abcdefghijklmnopqrstuvwxyz") + name[at + 1 :] if len(name) > 4 else name


def as_is(name: str, _: random.Random) -> str:
    """The same name."""
    return name


NOISES: tuple[Noise, ...] = (shortened, vowelless, mistyped, as_is, as_is)


def tables(cases: Path, cache: Path, embed: Any) -> Iterator[Table]:
    """PAIRS fabricated pairs, the same at every run."""
    rng = random.Random(0)
    made = []
    for folder in sorted(p for p in (cases / "dbt").iterdir() if (p / "gold.json").exists()):
        project = read_case(folder, cache)
        _, gold = load_gold(folder / "gold.json")
        names: dict[str, dict[str, str]] = {}
        for p in gold["pairs"]:
            names.setdefault(p["source"], {}).setdefault(p["source_column"], p["model_column"])
        for source_id in sorted(names):
            source = project.relation(source_id)
            if source and len(source.columns) > 2 and any(c.values for c in source.columns):
                for _ in range(2):
                    pair = cut(source, names[source_id], _distractors(project, source, rng), rng)
                    if pair and len(pair[1].columns) <= WIDEST:
                        made.append((folder.name, pair))
    rng.shuffle(made)
    for number, (group, (left, right, truth)) in enumerate(made[:PAIRS]):
        yield pair_table(f"made from {group}", str(number), (left, right), truth, embed)


def _distractors(project: Project, source: Relation, rng: random.Random) -> tuple[Column, ...]:
    others = [r for r in project.relations if r.kind == "source" and r.id != source.id and r.columns]
    return rng.choice(others).columns[:40] if others and rng.random() < 0.4 else ()


def cut(
    source: Relation, staged: dict[str, str], others: tuple[Column, ...], rng: random.Random
) -> tuple[Relation, Relation, set[tuple[str, str]]] | None:
    """One pair and its truth; None where too little is left."""
    renamed = rng.random() < 0.4
    noise = rng.choice(NOISES)
    prefix = rng.choice(["", "", "", "".join(w[:4] for w in words(source.name)) + "_", f"{source.name}_"])
    valued = rng.random() < 0.75
    shared_rows = rng.choice([0.0, 0.3, 0.5, 1.0])
    left_share, right_share = rng.choice([0.6, 0.8, 1.0]), rng.choice([0.5, 0.7, 0.9, 1.0])
    left: list[Column] = []
    right: dict[str, Column] = {}
    truth = set()
    for column in source.columns:
        name = staged.get(column.name) if renamed else prefix + noise(column.name, rng)
        mine, theirs = _rows(column, shared_rows, rng) if valued else ((), ())
        in_left = rng.random() < left_share
        if in_left:
            kept_type = column.type if rng.random() < 0.5 else None
            left.append(Column(column.name, kept_type, values=mine, value_count=len(mine) and column.value_count))
        if name and name not in right and rng.random() < right_share:
            right[name] = Column(name, values=theirs, value_count=len(theirs) and column.value_count)
            if in_left:
                truth.add((column.name, name))
    for other in others:
        values = other.values if valued else ()
        right.setdefault(other.name, Column(other.name, values=values, value_count=len(values) and other.value_count))
    if len(left) < 2 or len(right) < 2 or not truth:
        return None
    shuffled = list(right.values())
    rng.shuffle(shuffled)
    named = rng.random() < 0.3
    return (
        _table("source" if not named else source.name, left),
        _table("target" if not named else f"stg_{source.name}", shuffled),
        truth,
    )


def _rows(column: Column, shared: float, rng: random.Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    values = list(column.values)
    rng.shuffle(values)
    if len(values) < 4:
        return tuple(values), tuple(values)
    mine, theirs = values[: len(values) // 2], values[len(values) // 2 :]
    return tuple(mine), tuple(dict.fromkeys(theirs + mine[: int(len(mine) * shared)]))


def _table(name: str, columns: list[Column]) -> Relation:
    placed = tuple(replace(c, position=i) for i, c in enumerate(columns))
    return Relation(name, name, "table", placed)
