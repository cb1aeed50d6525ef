"""The one line of words beside an answer: which sentence, at which value."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from dbt_schema_embed.match.block import Block
from dbt_schema_embed.match.column_values import NOTHING_NAMES, after_first, nothing_rows
from dbt_schema_embed.match.habits import ENTITY, Habits, Rule
from dbt_schema_embed.match.layers import feeding
from dbt_schema_embed.match.odds import Odds
from dbt_schema_embed.match.pair_values import SIGNAL_NAMES, WHOLE_TABLE_NAMES, signal_values
from dbt_schema_embed.match.pool import Pool
from dbt_schema_embed.match.ranking import Ranked
from dbt_schema_embed.match.reasons import because, evidence, habit, nothing_reason, reason, undecided_reason
from tests.match.builders import block_of, edges, embedded, model, source


def ranked(block: Block, *rows: tuple[float, ...], **values: float) -> Ranked:
    """A table with these probabilities, where every signal is silent but those that are named."""
    p = np.array(rows or np.zeros(block.shape), np.float32).reshape(block.shape)
    odds = Odds(p, 1 - p.sum(axis=1))
    said = {n: np.full(block.shape, values.get(n, np.nan), np.float32) for n in (*SIGNAL_NAMES, *WHOLE_TABLE_NAMES)}
    none = np.zeros(0, np.float32)
    return Ranked(block, said, odds, odds, np.zeros((len(p), len(NOTHING_NAMES)), np.float32), none, none)


PLAIN = block_of(source("t", "zq:text zw:text"), model("m", "xa:text xb:text"))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"exact": 1}, "same name"),
        ({"source_words_found": 0.91, "target_words_found_in_table": 0.91}, "same words, with the table's name"),
        ({"source_words_found": 0.9, "target_words_found_in_table": 1}, "words in common"),
        ({"abbreviation": 1, "value_overlap": 1}, "one name abbreviates the other"),
        ({"abbreviation": 0.8, "value_overlap": 1}, "100% of the values in common"),
        ({"feeder_name": 0.86, "value_overlap": 1}, "named like a column that feeds it today"),
        ({"feeder_name": 0.849, "value_overlap": 0.51}, "51% of the values in common"),
        ({"value_overlap": 0.5, "source_words_found": 0.61}, "words in common"),
        ({"source_words_found": 0.599, "value_meaning": 0.71}, "values near in meaning (0.71)"),
        ({"target_words_found_in_table": 0.61}, "words in common"),
        ({"value_meaning": 0.7, "description": 0.71}, "the description fits"),
        ({"name_in_description": 0.61}, "the description fits"),
        ({"description": 0.699, "name_in_description": 0.599, "name_meaning": 0.331}, "near in meaning (0.33)"),
        ({"name_meaning": 0.32, "source_words_found": 0.31}, "some words in common"),
        ({"source_words_found": 0.299}, "what is left in a table that fits"),
        ({"beside": 0.71, "order_kept": 0.71}, "beside the same columns in both tables"),
        ({"beside": 0.7, "order_kept": 1}, "what is left in a table that fits"),
        ({"beside": 1, "order_kept": 0.7}, "what is left in a table that fits"),
    ],
)
def test_the_strongest_likeness_is_said(values: dict[str, float], said: str) -> None:
    assert because(ranked(PLAIN, **values), 0, 0) == said


@pytest.mark.parametrize(
    ("odds", "said"),
    [
        ((0.6, 0.3), "same name; xb would fit too"),
        ((0.6, 0.25), "same name"),
        ((0.7, 0.3), "same name"),  # sure enough
        ((0.2, 0.69), "same name; xb would fit too"),  # the assignment gave it the second
    ],
)
def test_a_rival_is_named_where_the_answer_is_doubtful(odds: tuple[float, float], said: str) -> None:
    assert reason(ranked(PLAIN, odds, (0, 0), exact=1), 0, 0) == said


def test_the_only_one_of_its_type_that_is_left() -> None:
    block = block_of(source("t", "zq:date zw:text zv"), model("m", "xa:date xb:text xc:date"), model("n", "xd:date"))
    free, taken = (0, 0, 0, 0), (0, 0, 0.6, 0)
    assert because(ranked(block, free, taken, free), 0, 0) == "the only date left"
    assert because(ranked(block, free, free, free), 0, 0) == "what is left in a table that fits"
    assert because(ranked(block, (0.6, 0, 0, 0), taken, free), 0, 0) == "the only date left"  # it took that itself
    assert because(ranked(block, free, free, free), 1, 1) == "the only text left"
    assert because(ranked(block, free, taken, free), 2, 0) == "the only date left"  # as the candidate says
    assert because(ranked(block, free, (0, 0, 0.5, 0), free), 0, 0) == "what is left in a table that fits"


def test_a_habit_is_said_from_two_columns_on_and_with_how_many() -> None:
    known = Habits(columns=3)
    table, target = source("orders", "id:integer made:date same"), model("m", "order_id made_at same")
    for times, said in ((1, "words in common"), (2, "id -> <table>_id, as in 2 other columns")):
        known.precedents[("id",)] = Counter({(ENTITY, "id"): times})
        one = ranked(block_of(table, target, habits=known), source_words_found=0.61)
        assert because(one, 0, 0) == said
        assert habit(one, 0, 0) == ("id -> <table>_id", times)
    known.rules["date"] = Counter({Rule((), (), (), ("at",)): 2, Rule((), (), (), ()): 5})
    known.rules["timestamp"] = Counter({Rule((), (), (), ("at",)): 2})
    one = ranked(block_of(table, target, habits=known), source_words_found=0.61)
    assert because(one, 1, 1) == "x -> x_at, as in 4 other columns"
    assert because(one, 2, 2) == "words in common"  # that a name stays as it is, is no news
    assert habit(one, 0, 1) == ("", 0)


@pytest.mark.parametrize(
    ("column", "target", "said"),
    [
        ("Geburtsdatum", "birth_date", "Geburtsdatum is German for date of birth"),
        ("Kunden_Geburtsdatum", "customer_birth_date",
         "kunden is German for customer, geburtsdatum is German for date of birth"),
        ("Geburtsdatum", "hat_size", "what is left in a table that fits"),
        ("birth_date", "birth_date", "what is left in a table that fits"),  # English needs no dictionary
    ],
)  # fmt: skip
def test_a_dictionary_is_named_where_it_leads_to_the_answer(column: str, target: str, said: str) -> None:
    block = block_of(source("t", f"{column} Vorname Nachname Strasse Postleitzahl"), model("m", target))
    assert because(ranked(block, both_found=0.3), 0, 0) == said
    assert because(ranked(block, both_found=0.29), 0, 0) == "what is left in a table that fits"


def test_a_second_source_is_said_of_another_table_alone() -> None:
    first, second = source("a", "id", "one"), source("b", "id", "two")
    built = model("m", "id", [first])
    assert reason(ranked(block_of(second, built), exact=1), 0, 0) == "same name"
    pool = Pool([embedded(built)], feeding(edges(first, built, "id")))
    for table, said in ((second, "same name; a second source of m"), (first, "same name")):
        assert reason(ranked(replace(block_of(table, built), side=pool), exact=1), 0, 0) == said


@pytest.mark.parametrize(
    ("dropped", "seen", "said"),
    [
        (7, 10, "feeds nothing in 7 of 10 other tables"), (6, 10, "nothing fits; nearest is xb (0.29)"),
        (0, 0, "nothing fits; nearest is xb (0.29)"),
    ],
)  # fmt: skip
def test_why_nothing(dropped: int, seen: int, said: str) -> None:
    known = Habits()
    known.dropped[("zq",)], known.seen[("zq",)] = dropped, seen
    block = block_of(source("t", "zq"), model("m", "xa xb"), habits=known)
    assert nothing_reason(ranked(block, (0.1, 0.2999)), 0) == said


@pytest.mark.parametrize(
    ("column", "odds", "said"),
    [
        ("zqxv", (0.3, 0.2, 0.06, 0.4), "cannot tell: its name is not understood; perhaps xd or xa or xb"),
        ("zqxv", (0.3, 0.05, 0, 0), "cannot tell: its name is not understood; perhaps xa"),
        ("order", (0.01, 0, 0, 0), "cannot tell: its name does not say"),
    ],
)
def test_why_undecided(column: str, odds: tuple[float, ...], said: str) -> None:
    block = block_of(source("t", column), model("m", "xa xb xc xd"))
    assert undecided_reason(ranked(block, odds), 0) == said


def test_evidence_has_five_headings_and_what_is_not_silent() -> None:
    said = {"source_words_found": 0.504, "target_words_found_in_table": 1, "table_share": 0.25, "type_fit": 1}
    found = evidence(ranked(PLAIN, value_letters=0.333, value_overlap=0.2, **said), 0, 0)
    assert list(found)[:5] == ["name", "habit", "table", "type", "values"]
    assert list(found.values())[:5] == [0.75, None, 0.25, 1, 0.33]
    assert found["source_words_found"] == 0.5
    assert "description" not in found
    assert evidence(ranked(PLAIN), 0, 0)["values"] is None


def rows_of(block: Block, *, arrives: bool = False) -> list[dict[str, float]]:
    rows = nothing_rows(block, signal_values(block), arrives)
    return [dict(zip(NOTHING_NAMES, row, strict=True)) for row in rows.tolist()]


def test_what_speaks_for_a_column_feeding_nothing() -> None:
    known = Habits(columns=2)
    known.seen[("note",)], known.dropped[("note",)] = 3, 2
    table = source("t", "note _zqv zqv_batch name")
    note, under, technical, name = rows_of(block_of(table, model("m", "name city note"), habits=known), arrives=True)
    assert (note["drop_rate"], note["name_seen"], name["drop_rate"], name["name_seen"]) == (0.5, 1, 0, 0)
    assert (note["underscore"], under["underscore"]) == (0, 1)
    assert (note["technical"], technical["technical"]) == (0, 1)
    assert (note["unread"], under["unread"]) == (0, 1)
    assert 0 < technical["unread"] < 1
    assert {r["project_has_habits"] for r in (note, name)} == {r["table_arrives"] for r in (note, name)} == {1}
    assert (name["best_name"], name["best_reading"]) == (pytest.approx(1), 1)
    assert (under["best_name"], under["best_reading"]) == (0, 0)
    assert [r["room"] for r in (note, under, technical, name)] == pytest.approx([3 / 7] * 4)
    assert rows_of(block_of(table, model("m", "name")))[0]["project_has_habits"] == 0


def test_what_the_first_round_leaves_for_a_column() -> None:
    block = block_of(source("t", "a:date b:text c:text"), model("m", "u:date v:text w:text"), model("n", "x:text"))
    fit = signal_values(block)["type_fit"]
    rows = np.zeros((3, len(NOTHING_NAMES)), np.float32)
    odds = Odds(np.array([[0.9, 0, 0, 0], [0, 0.3, 0.1, 0], [0, 0.2, 0, 0.1]], np.float32), np.zeros(3, np.float32))
    places = [NOTHING_NAMES.index(name) for name in ("best_first", "spare", "spare_of_type")]
    found = after_first(block, rows, odds, fit)[:, places]
    # of m only w is free, v is half taken; b and c wait for it, a does not
    assert found[:, 0] == pytest.approx([0.9, 0.3, 0.2])
    assert found[:, 1] == pytest.approx([1 / 3] * 3)
    assert found[:, 2] == pytest.approx([0.5, 0.5, 0.5])
