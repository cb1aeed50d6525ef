"""Hiding models: the project as it was before its source tables had any."""

from dataclasses import replace

import pytest

from dbt_schema_embed.match.layers import arrivals, choose_targets
from dbt_schema_embed.observe.hiding import folds, hidden, measurable
from dbt_schema_embed.records import Project
from tests.match.builders import edges, model, project, shop, source

CUSTOMERS, PRODUCTS = "source.shop.stripe.customers", "source.shop.stripe.products"
STG_CUSTOMERS, STG_PRODUCTS = "model.shop.stg_stripe__customers", "model.shop.stg_stripe__products"


def with_base_model() -> Project:
    """A table that arrives by way of a base model, and a mart that two tables reach."""
    raw, other = source("raw", "id name"), source("other", "id")
    base = model("base", "id name", [raw])
    staged = replace(model("stg_raw", "raw_id raw_name", [raw]), parents=(base.id,))
    beside = model("stg_other", "other_id", [other])
    mart = replace(model("mart", "raw_id other_id", [raw]), parents=(staged.id, beside.id))
    known = [*edges(raw, base, "id name"), *edges(raw, staged, "id>raw_id name>raw_name")]
    known += [*edges(other, beside, "id>other_id"), *edges(raw, mart, "id>raw_id"), *edges(other, mart, "id>other_id")]
    return project([raw, other, base, staged, beside, mart], known)


def test_tables_that_arrive_in_a_model_can_be_measured() -> None:
    assert [table.id for table in measurable(shop())] == [CUSTOMERS, PRODUCTS]
    assert measurable(project([source("charges", "id")])) == ()


def test_a_hidden_model_is_planned_and_the_others_stay() -> None:
    before, after = shop(), hidden(shop(), {CUSTOMERS})
    planned, built = after.relation(STG_CUSTOMERS), after.relation(STG_PRODUCTS)
    was = before.relation(STG_CUSTOMERS)
    assert planned is not None
    assert was is not None
    assert planned == replace(was, has_sql=False, parents=())
    assert built == before.relation(STG_PRODUCTS)
    assert after.lineage == tuple(e for e in before.lineage if e.source == PRODUCTS)
    assert planned in choose_targets(after, "auto")
    assert arrivals(after) == {(PRODUCTS, STG_PRODUCTS)}


def test_base_models_on_the_way_are_gone_and_marts_stay() -> None:
    after = hidden(with_base_model(), {"source.shop.stripe.raw"})
    assert after.relation("model.shop.base") is None
    assert {e.model for e in after.lineage} == {"model.shop.stg_other", "model.shop.mart"}
    assert after.relation("model.shop.mart") == with_base_model().relation("model.shop.mart")


def test_what_other_tables_feed_in_a_hidden_model_is_forgotten() -> None:
    one, two = source("one", "id a"), source("two", "id b")
    union = model("stg_both", "both_id a b", [one, two])
    known = [*edges(one, union, "id>both_id a"), *edges(two, union, "id>both_id b")]
    assert hidden(project([one, two, union], known), {one.id}).lineage == ()


def test_hiding_nothing_changes_nothing() -> None:
    assert hidden(shop(), ()) == shop()


@pytest.mark.parametrize(("count", "sizes"), [(2, [3, 2]), (4, [2, 1, 1, 1]), (9, [1, 1, 1, 1, 1])])
def test_every_table_is_in_one_fold_whatever_the_order(count: int, sizes: list[int]) -> None:
    tables = [source(name, "id") for name in "abcde"]
    found = folds(tables, count)
    assert [len(fold) for fold in found] == sizes
    assert sorted(t.id for fold in found for t in fold) == [t.id for t in tables]
    assert folds(tables[::-1], count) == found
