"""What each signal says of pairs of columns: tables of names, types, keys, habits and values."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.match.habits import ENTITY, Habits, Rule
from dbt_schema_embed.match.signals import habits, kinds, names, tables, types_keys, values
from dbt_schema_embed.records import Column, Relation
from tests.match.builders import block_of, model, source


def said(signal: Callable[[Block], Matrix], left: str, right: str, table: str = "t") -> float | None:
    """Of one column beside one other; None: silent."""
    (found,) = signal(block_of(source(table, left), model("stg_m", right))).ravel().tolist()
    return None if np.isnan(found) else round(found, 3)


@pytest.mark.parametrize(
    ("left", "right", "found"),
    [
        ("order_id", "OrderId", 1), ("order_id", "orderid", 1), ("order_id", "id_order", 0), ("order_id", "order", 0),
    ],
)  # fmt: skip
def test_exact_is_blind_to_case_and_separators(left: str, right: str, found: float) -> None:
    assert said(names.exact, left, right) == found


@pytest.mark.parametrize(
    ("left", "right", "found"),
    [
        ("cust_nm", "customer_name", 0.8), ("custname", "customer_name", 1), ("cstmr", "customer", 1),
        ("customer_name", "custname", 1),  # either may be the shorter one
        ("crlm", "credit_limit", 0.8), ("crlm", "climate", 0), ("consc", "confidence_score", 1),
        ("name", "name", 0), ("n", "name", 0), ("xname", "name", 0), ("amt", "amount", 0),
    ],
)  # fmt: skip
def test_abbreviation(left: str, right: str, found: float) -> None:
    assert said(names.abbreviation, left, right) == pytest.approx(found)


@pytest.mark.parametrize(
    ("table", "left", "right", "found"),
    [
        ("t", "Geburtsdatum", "birth_date", 1), ("t", "date_of_birth", "birth_date", 1), ("t", "birth_date", "date", 0),
        ("Kunden", "Kundennummer", "number", 0.8), ("t", "Kundennummer", "number", 0),
        ("t", "paid_at", "is_paid", 1),  # little words are silent
        ("t", "xqv", "xqw", 0),
    ],
)  # fmt: skip
def test_same_reading(table: str, left: str, right: str, found: float) -> None:
    assert said(names.same_reading, left, right, table) == pytest.approx(found)


def test_letters_are_tried_with_the_tables_name_and_without_a_shared_beginning() -> None:
    assert said(names.letters, "id", "chargeid") == pytest.approx(0.4)
    assert said(names.letters, "id", "chargeid", "charge") == 1
    table, target = source("t", "xqname xqcity xqtown xqdate"), model("m", "name city")
    assert names.letters(block_of(table, target))[[0, 1], [0, 1]].tolist() == [1, 1]


def test_shares_of_words_found_are_of_each_side() -> None:
    block = block_of(source("charges", "id charge_note"), model("stg_x", "charge_id note"))
    found = names.source_words_found(block)
    assert found[0, 0] == pytest.approx(1)
    assert 0 < found[1, 1] < 1
    wanted = names.target_words_found_in_table(block)
    assert wanted[0, 0] > 0.9  # the table's name says "charge"
    assert wanted[0, 1] < 0.5
    assert names.both_found(block)[1, 1] <= found[1, 1] + 1e-6
    assert (names.both_found(block) <= wanted + 1e-6).all()
    assert names.head(block)[0, 0] == 1
    assert names.head(block)[1, 1] == 1
    assert names.head(block)[0, 1] == 0


@pytest.mark.parametrize(
    ("left", "right", "found"),
    [
        ("integer", "int", 1), ("integer", "decimal", 0.8), ("date", "timestamp", 0.8), ("text", "uuid", 0.8),
        ("integer", "boolean", 0.5), ("text", "integer", 0.5), ("integer", "date", 0.3), ("text", "time", 0.3),
        ("boolean", "date", 0), ("uuid", "integer", 0), ("text", "", None), ("", "text", None),
    ],
)  # fmt: skip
def test_types_fit_by_what_staging_casts(left: str, right: str, found: float | None) -> None:
    for a, b in ((left, right), (right, left)):
        assert said(types_keys.type_fit, f"x:{a}", f"y:{b}") == (found if found is None else pytest.approx(found))


def test_keys_are_what_is_declared_and_an_id_of_a_source() -> None:
    table = source("t", "id UUID guid name code")
    table = replace(table, columns=(*table.columns[:4], replace(table.columns[4], unique=True)))
    keyed, plain = model("m", "m_id note"), model("n", "n_id")
    keyed = replace(keyed, columns=(replace(keyed.columns[0], not_null=True), keyed.columns[1]))
    found = types_keys.key_fit(block_of(table, keyed, plain))
    assert found[:, 0].tolist() == [1, 1, 1, 0, 1]
    assert found[:, 1].tolist() == [0, 0, 0, 1, 0]
    assert np.isnan(found[:, 2]).all()  # that model declares no key


@pytest.mark.parametrize(
    ("left", "right", "found"),
    [
        ("paid_on", "paid_at", 1), ("total", "qty", 0.6), ("order_id", "order_code", 0.6), ("was_sent", "paid_at", 0.3),
        ("order_id", "paid_at", 0), ("colour", "paid_at", None), ("colour", "colour", None),
        ("x:boolean", "was_sent", 1), ("x:date", "paid_at", 1), ("x:decimal", "total", 1), ("x:uuid", "order_id", 1),
        ("x:text", "order_id", None), ("paid_at:boolean", "paid_on", 1),  # the name goes before the type
        ("Geburtsdatum", "paid_at", 1),  # as it reads
        ("time_of_visit", "paid_at", 1), ("date_x", "paid_at", 1), ("x_datetime_y", "paid_at", 1),
    ],
)  # fmt: skip
def test_kinds_of_value_that_names_or_types_say(left: str, right: str, found: float | None) -> None:
    for a, b in ((left, right), (right, left)):
        assert said(kinds.kind_said, a, b) == (found if found is None else pytest.approx(found))


def test_habits_are_silent_without_sql_and_speak_by_type_and_name() -> None:
    table = source("orders", "id:integer created:timestamp note:text")
    target = model("stg_stripe__orders", "order_id created_at note", [])
    silent = block_of(table, target)
    for signal in (habits.precedent, habits.name_rule, habits.model_name_habit, habits.home_habit):
        assert np.isnan(signal(silent)).all()
    known = Habits(columns=4, tables=3)
    known.precedents[("id",)] = Counter({(ENTITY, "id"): 3})
    known.seen[("id",)] = 3
    known.rules["timestamp"] = Counter({Rule((), (), (), ("at",)): 2})
    known.families["timestamp"] = 2
    known.model_names = Counter({("stg_<source>__<table>",): 2})
    known.homes["stripe"] = Counter({("models/staging", "stg"): 3})
    block = block_of(table, target, model("orders_raw", "id"), habits=known)
    assert habits.precedent(block)[:, 0] == pytest.approx([3 / 3.25, 0, 0])
    assert habits.precedent(block)[:, 1:].max() == 0
    assert habits.name_rule(block)[:, 1] == pytest.approx([0, 2 / 4, 0])
    assert habits.name_rule(block)[:, [0, 2, 3]].max() == 0
    assert habits.model_name_habit(block)[0] == pytest.approx([0.5, 0.5, 0.5, 0])
    assert habits.home_habit(block)[0] == pytest.approx([0.75, 0.75, 0.75, 0])
    other = block_of(source("orders", "id", "acme"), target, habits=known)
    assert np.isnan(habits.home_habit(other)).all()  # of that source nothing is known


def test_a_table_that_a_model_holds_and_a_model_that_a_table_fills() -> None:
    table = source("orders", "status total city phone")
    block = block_of(table, model("a", "status total city phone hat shoe glove scarf"), model("b", "status total"))
    held, filled = tables.source_covered(block)[0], tables.model_covered(block)[0]
    assert held[[0, -1]] == pytest.approx([1, 0.5], abs=0.15)
    assert filled[[0, -1]] == pytest.approx([0.5, 1], abs=0.15)
    assert tables.model_free(block).min() == 1
    assert np.isnan(tables.model_entered(block)).all()


def test_a_model_that_says_another_source_is_told_from_one_that_says_this() -> None:
    table, other = source("users", "id", "stripe"), source("users", "id", "paypal")
    models = [model(f"stg_{n}", "id") for n in ("stripe__users", "paypal__users", "users")]
    found = tables.source_named(block_of(table, *models, sources=[other]))[0]
    assert found[0] == 1
    assert found[1] == 0
    assert np.isnan(found[2])


def valued(*of: tuple[str, ...]) -> Relation:
    columns = tuple(Column(f"c{i}", values=some) for i, some in enumerate(of))
    return Relation("source.p.s.t", "t", "source", columns, source_name="s")


A, B, N, M = ("paid", "open", "Void"), ("PAID", "void"), ("1", "10", "100"), ("1", "12", "90")


@pytest.mark.parametrize(
    ("signal", "left", "right", "found"),
    [
        (values.value_overlap, A, B, 1), (values.value_overlap, A, ("paid", "x", "y"), 1 / 3),
        (values.value_overlap, A, N, 0), (values.value_overlap, A, (), None), (values.value_overlap, (), A, None),
        (values.value_kind, A, B, 1), (values.value_kind, A, N, 0), (values.value_kind, N, ("1", "2.5"), 0.5),
        (values.value_range, N, N, 1), (values.value_range, A, N, 0), (values.value_range, N, A, 0),
        (values.value_range, A, B, None),
        (values.value_letters, A, A, 1), (values.value_letters, A, N, 0), (values.value_letters, A, (), None),
        (values.value_spread, A, A, 1), (values.value_spread, ("ab",), ("abcde",), 0.5),
    ],
)  # fmt: skip
def test_values_side_by_side(signal, left: tuple[str, ...], right: tuple[str, ...], found: float | None) -> None:
    table, target = valued(left), replace(valued(right), id="model.p.m", kind="model")
    (value,) = signal(block_of(table, target)).ravel().tolist()
    assert np.isnan(value) if found is None else value == pytest.approx(found, abs=1e-3)


def test_ranges_that_are_near_are_more_alike_than_ranges_that_are_far() -> None:
    target = replace(valued(M, ("1000000", "9000000")), id="model.p.m", kind="model")
    near, far = values.value_range(block_of(valued(N), target))[0]
    assert 0.5 < near < 1
    assert far < 0.05
