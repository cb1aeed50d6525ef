"""What is said about an answer: evidence in numbers, and one line of words."""

import numpy as np

from dbt_schema_embed.errors import printable
from dbt_schema_embed.match.habits import rule_between
from dbt_schema_embed.match.knowledge import Origin
from dbt_schema_embed.match.names import stem
from dbt_schema_embed.match.pair_values import SIGNAL_NAMES, WHOLE_TABLE_NAMES
from dbt_schema_embed.match.phrases import phrase_words
from dbt_schema_embed.match.ranking import Ranked
from dbt_schema_embed.match.reading import Part
from dbt_schema_embed.records import NO_MODEL, Evidence, rounded
from dbt_schema_embed.types import type_family

_NEAR = 0.33
"""Names of a lower cosine are not near: of two drawn at random in ten real projects, 19 in 20 are below."""

_SOME = 0.3
"""Share of a name's words from which some are found: one shortened word of two."""

_LIKE_FEEDER, _BESIDE = 0.85, 0.7
"""Likeness to a feeding column's name, and shares of an order that is kept, from which they are said."""

_LIKENESSES = (
    "source_words_found", "target_words_found_in_table", "description", "name_in_description", "abbreviation",
    "value_overlap", "value_meaning", "name_meaning", "feeder_name",
)  # fmt: skip
_VALUES = ("value_overlap", "value_meaning", "value_letters", "value_range")


def evidence(table: Ranked, i: int, j: int) -> Evidence:
    """The five headings people read first (name, habit, table, type, values), then every signal by its own name."""
    value = {name: _number(table.values[name].item(i, j)) for name in (*SIGNAL_NAMES, *WHOLE_TABLE_NAMES)}
    seen = [v for v in (value[name] for name in _VALUES) if v is not None]
    found, wanted = value["source_words_found"] or 0.0, value["target_words_found_in_table"] or 0.0
    headings: dict[str, float | str | None] = {
        "name": round((found + wanted) / 2, 2),
        "habit": habit(table, i, j)[0] or None,
        "table": value["table_share"],
        "type": value["type_fit"],
        "values": round(max(seen), 2) if seen else None,
    }
    return headings | {name: v for name, v in value.items() if v is not None}


def _number(value: float) -> float | None:
    return None if value != value else round(value, 2)


def habit(table: Ranked, i: int, j: int) -> tuple[str, int]:
    """The project's habit that leads from one name to the other, and how many columns follow it; ("", 0) for none."""
    block = table.block
    before, after = block.abstract_names[i], block.abstract_targets[j]
    times = block.habits.precedents[before][after] if before in block.habits.precedents else 0
    if times:
        return f"{'_'.join(before)} -> {'_'.join(after)}", times
    rule = rule_between(before, after)
    return (str(rule), block.habits.followed(rule)) if rule and block.habits.followed(rule) else ("", 0)


def reason(table: Ranked, i: int, j: int) -> str:
    """Why this answer, in one line."""
    said = because(table, i, j)
    odds = table.odds.candidates[i]
    rivals = [r for r in np.argsort(-odds, kind="stable")[:2].tolist() if r != j and odds[r] > 0.25]
    if rivals and odds[j] < 0.7:
        other = table.block.targets[rivals[0]].name
        said += f"; {other} would fit too"
    block = table.block
    model = int(block.model_of[j])
    others = block.side.fed_by[block.chosen[model]] - {block.source.relation.id}
    return said + (f"; a second source of {block.models[model].relation.name}" if others else "")


def because(table: Ranked, i: int, j: int) -> str:
    """What speaks for a candidate, in a few words."""
    text, times = habit(table, i, j)
    if table.values["exact"][i, j] == 1:
        return "same name"
    if times > 1 and text != "x -> x":
        return f"{text}, as in {times} other columns"
    return known_as(table, i, j) or _alike(table, i, j) or left_over(table, i, j)


def _alike(table: Ranked, i: int, j: int) -> str:
    """The strongest likeness, "" for none. Signals that are silent are 0 here."""
    value = {name: float(np.nan_to_num(table.values[name][i, j])) for name in _LIKENESSES}
    shared = max(value["source_words_found"], value["target_words_found_in_table"])
    described = value["description"] > 0.7 or value["name_in_description"] > 0.6
    said = {
        "same words, with the table's name": min(value["source_words_found"], value["target_words_found_in_table"])
        > 0.9,
        "one name abbreviates the other": value["abbreviation"] == 1,
        "named like a column that feeds it today": value["feeder_name"] > _LIKE_FEEDER,
        f"{value['value_overlap']:.0%} of the values in common": value["value_overlap"] > 0.5,
        "words in common": shared > 0.6,
        f"values near in meaning ({value['value_meaning']:.2f})": value["value_meaning"] > 0.7,
        "the description fits": described,
        f"near in meaning ({value['name_meaning']:.2f})": value["name_meaning"] >= _NEAR,
        "some words in common": shared > _SOME,
    }
    return next((text for text, holds in said.items() if holds), "")


def known_as(table: Ranked, i: int, j: int) -> str:
    """What a dictionary says of the name where that leads to the candidate: "Geburtsdatum is German for date of
    birth"."""
    block = table.block
    reading, plain = block.readings[i], set(block.source_words[i])
    parts = [p for p in reading.parts if p.origin and p.text != p.meanings[0]]
    wanted = {stem(w) for view in block.target_views[j] for w in view}
    telling = [p for p in parts if any(stem(w) in wanted for m in p.meanings for w in phrase_words(m))]
    foreign = [(p, p.origin) for p in telling if p.origin and p.origin.kind != "english"]
    if not foreign or table.values["both_found"][i, j] < _SOME or {stem(w) for w in plain} >= wanted:
        return ""
    whole = len(reading.parts) == 1
    said = [_saying(block.columns[i].name if whole else p.text, p, origin, wanted) for p, origin in foreign]
    return ", ".join(dict.fromkeys(said[:2]))


def _saying(name: str, part: Part, origin: Origin, wanted: set[str]) -> str:
    word = printable(name)
    fitting = [m for m in part.meanings if any(stem(w) in wanted for w in phrase_words(m))]
    meaning = (fitting or list(part.meanings))[0]
    if origin.kind == "language":
        return f"{word} is {origin.name.partition(',')[0]} for {meaning}"
    if origin.kind == "guess":
        return f"{word} looks like {meaning} to {origin.name}"
    return (
        f"{word} is {meaning} in {origin.name}" if origin.kind == "glossary" else f"{word} is {origin.name}'s {meaning}"
    )


def left_over(table: Ranked, i: int, j: int) -> str:
    """Why a column goes where nothing of its name points."""
    block = table.block
    family = type_family(block.columns[i].type) or type_family(block.targets[j].type)
    taken = table.odds.candidates.max(axis=0) > 0.5
    taken[j] = False
    rest = [
        t for k, t in enumerate(block.targets)
        if block.model_of[k] == block.model_of[j] and not taken[k] and type_family(t.type) in (family, None)
    ]  # fmt: skip
    if family and len(rest) == 1:
        return f"the only {family} left"
    if table.values["beside"][i, j] > _BESIDE and table.values["order_kept"][i, j] > _BESIDE:
        return "beside the same columns in both tables"
    return "what is left in a table that fits"


def nothing_reason(table: Ranked, i: int) -> str:
    """Why a column maps to nothing, in one line."""
    block = table.block
    name = block.abstract_names[i]
    times, seen = block.habits.dropped[name], block.habits.seen[name]
    if times and times >= 0.7 * seen:
        return f"feeds nothing in {times} of {seen} other tables"
    odds = table.odds.candidates[i]
    if not odds.size:
        return NO_MODEL
    best = int(odds.argmax())
    return f"nothing fits; nearest is {block.targets[best].name} ({rounded(float(odds[best])):.2f})"


def undecided_reason(table: Ranked, i: int) -> str:
    """Why nobody can tell what a column feeds, in one line."""
    odds = table.odds.candidates[i]
    best = np.argsort(-odds, kind="stable")[:3].tolist()
    names = " or ".join(dict.fromkeys(table.block.targets[j].name for j in best if odds[j] > 0.05))
    why = "its name is not understood" if table.block.readings[i].legible < 0.5 else "its name does not say"
    return f"cannot tell: {why}" + (f"; perhaps {names}" if names else "")
