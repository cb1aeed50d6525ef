"""What the project's own SQL teaches."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.match.habits import ENTITY, Habits, Rule, abstract, home, learn, model_pattern, rule_between
from tests.match.builders import edges, model, source

NAMES = st.lists(st.sampled_from(["id", "at", "is", "order", "date", "x"]), min_size=1, max_size=4).map(tuple)


@given(NAMES, NAMES)
def test_a_rule_leads_from_one_name_to_the_other(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    rule = rule_between(before, after)
    assert (rule is None) == (not set(before) & set(after))
    if rule:
        core = before[len(rule.off_front) : len(before) - len(rule.off_back)]
        assert core
        assert (*rule.off_front, *core, *rule.off_back) == before
        assert (*rule.on_front, *core, *rule.on_back) == after


@given(NAMES, NAMES)
def test_a_learnt_rule_is_applied_to_what_it_was_learnt_from(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    rule, habits = rule_between(before, after), Habits()
    if rule is None:
        return
    habits.rules["text"][rule] = 3
    habits.families["text"] = 3
    assert habits.ruled(before, "text")[after] == 3 / 5
    assert habits.ruled(before, "date") == {}
    assert habits.followed(rule) == 3


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (("created",), ("created", "at"), "x -> x_at"),
        (("active",), ("is", "active"), "x -> is_x"),
        (("dt", "start"), ("start", "date"), "dt_x -> x_date"),
        (("id",), ("id",), "x -> x"),
        (("a", "b", "x"), ("b", "x", "y"), "a_x -> x_y"),  # the longest run of words stays, not the first word of it
        (("id", "order", "date"), ("order", "date", "id"), "id_x -> x_id"),
        (("date", "date"), ("date",), "x_date -> x"),  # of runs that are as long the first one
        (("x", "no"), ("x", "no", "x", "no"), "x -> x_x_no"),
    ],
)
def test_a_rule_in_words(before: tuple[str, ...], after: tuple[str, ...], said: str) -> None:
    assert str(rule_between(before, after)) == said


@pytest.mark.parametrize(
    ("name", "about", "expected"),
    [
        (("order", "id"), ("orders",), (ENTITY, "id")),
        (("credit", "note", "no"), ("credit", "notes"), (ENTITY, "no")),
        (("note", "credit"), ("credit", "notes"), ("note", "credit")),
        (("id",), (), ("id",)),
        (("id",), ("credit", "notes"), ("id",)),
        (("orders", "order"), ("order",), (ENTITY, "order")),  # once
        (("new", "credit", "notes", "no"), ("credit", "note"), ("new", ENTITY, "no")),
        (("credit", "credit", "note"), ("credit", "note"), ("credit", ENTITY)),
        (("credit", "note"), ("credit", "note"), (ENTITY,)),
    ],
)
def test_the_tables_own_words_are_one_mark(name, about, expected) -> None:
    assert abstract(name, about) == expected


def test_what_is_learnt_is_counted_once_an_edge() -> None:
    orders, bills = source("orders", "id created:timestamp junk"), source("bills", "id created:timestamp junk")
    models = [model("stg_stripe__orders", "order_id created_at", [orders]), model("odd", "bill_id made_at", [bills])]
    lineage = edges(orders, models[0], "id>order_id created>created_at") + edges(
        bills, models[1], "id>bill_id created>made_at"
    )
    relations = {r.id: r for r in (orders, bills, *models)}
    habits = learn(lineage, relations, {(orders.id, models[0].id), (bills.id, models[1].id)})
    assert (habits.columns, habits.tables) == (4, 2)
    assert habits.became(("id",)) == {(ENTITY, "id"): 2 / 2.25}
    assert habits.became(("created",)) == {("created", "at"): 1 / 2.25, ("made", "at"): 1 / 2.25}
    assert (habits.drop_rate(("junk",)), habits.drop_rate(("id",)), habits.drop_rate(("new",))) == (2 / 3, 0, 0)
    assert habits.rules["timestamp"] == {Rule((), (), (), ("at",)): 1}
    assert habits.model_names == {("stg_<source>__<table>",): 1, ("odd",): 1}
    assert learn(lineage, relations, set()).columns == 0  # models further down teach nothing


def test_of_two_rules_that_make_a_name_the_more_usual_one_counts() -> None:
    habits = Habits()
    habits.rules["text"] = Counter({Rule((), (), (), ("x",)): 2, Rule(("id",), (), ("id",), ("x",)): 4})
    habits.families["text"] = 6
    assert habits.ruled(("id", "order"), "text") == {("id", "order", "x"): 4 / 8}
    assert habits.ruled(("id",), "text") == {("id", "x"): 2 / 8}  # a rule leaves a word between what it takes off
    assert habits.followed(None) == 0


def test_only_known_relations_teach_and_types_are_looked_up_without_case() -> None:
    orders = source("orders", "Id:integer Junk")
    built = model("stg_orders", "order_id", [orders])
    gone = source("gone", "id")
    lineage = [*edges(orders, built, "ID>order_id"), *edges(gone, built, "id>order_id")]
    lineage += edges(orders, model("lost", "id", [orders]), "id>id")
    arrived = {(edge.source, edge.model) for edge in lineage}
    habits = learn(lineage, {r.id: r for r in (orders, built)}, arrived)
    assert (habits.columns, habits.tables, dict(habits.families)) == (1, 1, {"integer": 1})
    assert habits.homes == {"stripe": {("models/staging", "stg"): 1}}
    assert (habits.dropped[("junk",)], habits.dropped[("id",)]) == (1, 0)
    assert (habits.drop_rate(("junk",)), habits.seen[("id",)]) == (0.5, 1)


def test_where_a_model_lives_and_what_it_is_called() -> None:
    assert home(model("stg_stripe__orders", "id")) == ("models/staging", "stg")
    deep = replace(model("orders", "id"), path="models\\erp\\stg\\orders.sql")
    assert home(deep) == ("models/erp/stg", "orders")
    assert home(replace(deep, path="", name="")) == ("", "")
    assert model_pattern("orders_orders", source("orders", "id")) == ("<table>_orders",)
    assert model_pattern("fct", replace(source("", "id"), source_name="")) == ("fct",)
    assert model_pattern("STG_Stripe__Orders", source("orders", "id")) == ("stg_<source>__<table>",)
