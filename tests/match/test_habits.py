"""What the project's own SQL teaches."""

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


def test_where_a_model_lives_and_what_it_is_called() -> None:
    assert home(model("stg_stripe__orders", "id")) == ("models/staging", "stg")
    assert model_pattern("STG_Stripe__Orders", source("orders", "id")) == ("stg_<source>__<table>",)
