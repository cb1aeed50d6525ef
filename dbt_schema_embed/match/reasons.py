"""What is said about an answer: evidence in numbers, and one line of words."""

import numpy as np

from dbt_schema_embed.match.combine import SIGNAL_NAMES, WHOLE_TABLE_NAMES
from dbt_schema_embed.match.habits import rule_between
from dbt_schema_embed.match.ranking import Ranked
from dbt_schema_embed.records import Evidence

_NEAR = 0.33
"""Names of a lower cosine are not near: of two drawn at random in ten real projects, 19 in 20 are below."""

_SOME = 0.3
"""Share of a name's words from which some are found: one shortened word of two."""

_VALUES = ("value_overlap", "value_meaning", "value_letters", "value_range")


def evidence(table: Ranked, i: int, j: int) -> Evidence:
    """The five headings people read first (name, habit, table, type, values), then every signal by its own name."""
    value = {name: _number(table.values[name][i, j]) for name in (*SIGNAL_NAMES, *WHOLE_TABLE_NAMES)}
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
    return None if np.isnan(value) else round(float(value), 2)


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
    return said


def because(table: Ranked, i: int, j: int) -> str:
    """What speaks for a candidate, in a few words."""
    text, times = habit(table, i, j)
    value = {name: table.values[name][i, j] for name in SIGNAL_NAMES}
    if value["exact"] == 1:
        return "same name"
    if times > 1 and text != "x -> x":
        return f"{text}, as in {times} other columns"
    if value["source_words_found"] > 0.9 and value["target_words_found_in_table"] > 0.9:
        return "same words, with the table's name"
    if value["abbreviation"] == 1:
        return "one name abbreviates the other"
    if not np.isnan(value["value_overlap"]) and value["value_overlap"] > 0.5:
        return f"{value['value_overlap']:.0%} of the values in common"
    shared = max(value["source_words_found"], value["target_words_found_in_table"])
    if shared > 0.6:
        return "words in common"
    if np.nan_to_num(value["value_meaning"]) > 0.7:
        return f"values near in meaning ({value['value_meaning']:.2f})"
    if np.nan_to_num(value["description"]) > 0.7 or np.nan_to_num(value["name_in_description"]) > 0.6:
        return "the description fits"
    near = value["name_meaning"]
    if near >= _NEAR:
        return f"near in meaning ({near:.2f})"
    return "some words in common" if shared > _SOME else "what is left in a table that fits"


def nothing_reason(table: Ranked, i: int) -> str:
    """Why a column maps to nothing, in one line."""
    block = table.block
    name = block.abstract_names[i]
    times, seen = block.habits.dropped[name], block.habits.seen[name]
    if times and times >= 0.7 * seen:
        return f"feeds nothing in {times} of {seen} other tables"
    odds = table.odds.candidates[i]
    if not odds.size:
        return "there is no model to feed"
    best = int(odds.argmax())
    return f"nothing fits; nearest is {block.targets[best].name} ({odds[best]:.2f})"
