"""schema_embed_profile says of a table what its rows say, in one statement; a missing table costs that table."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.dbt.conftest import Shop

pytestmark = pytest.mark.dbt


def seed(shop: Shop, name: str) -> dict[str, list[str]]:
    """The columns of a seed; an empty cell is a null."""
    path: Path = next((shop.folder / "seeds").rglob(f"{name}.csv"))
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {column: [row[column] for row in rows if row[column]] for column in rows[0]}


def by_name(profile: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {column["name"]: column for column in profile["columns"]}


def test_a_profile_agrees_with_the_rows(shop: Shop) -> None:
    outcome = shop.operation("schema_embed_profile", select="stripe.charges", include_values=True)
    assert outcome.ok, outcome.output
    profile = outcome.profile("source.shop.stripe.charges")
    cells = seed(shop, "stripe_charges")
    assert profile["rows_profiled"] == profile["row_count"] == 90
    columns = by_name(profile)
    assert list(columns) == list(cells)
    for name, found in columns.items():
        assert found["filled"] == len(cells[name]), name
        if name not in ("created", "_fivetran_synced"):  # engines print times in ways of their own
            assert dict(found["top_values"]) == Counter(cells[name]), name
        if cells[name]:
            assert found["distinct"] == len(set(cells[name])), name
    assert columns["receipt_email"]["patterns"][0][0] == "a.a9@a.a"
    assert columns["description"]["patterns"] == [["a 9", 90]]
    assert columns["invoice"]["filled"] == 0
    assert columns["invoice"]["top_values"] == []


def test_values_are_printed_only_when_asked_for(shop: Shop) -> None:
    outcome = shop.operation("schema_embed_profile", select="shopkeep.cust")
    columns = by_name(outcome.profile("source.shop.shopkeep.cust"))
    assert "@example.com" not in outcome.output
    assert columns["cust_eml"]["patterns"] == [["a.a9@a.a", 40]]
    assert columns["cust_eml"]["top_values"] == []


def test_at_most_row_limit_rows_are_read(shop: Shop) -> None:
    outcome = shop.operation("schema_embed_profile", source_name="shopkeep", table_name="ord_ln", row_limit=50)
    profile = outcome.profile("source.shop.shopkeep.ord_ln")
    assert profile["rows_profiled"] == 50
    assert profile["row_count"] in (197, None)  # PostgreSQL: an estimate, and none before the first ANALYZE
    assert by_name(profile)["ord_no"]["filled"] == 50


def test_one_statement_reads_the_table(shop: Shop) -> None:
    arguments = {"source_name": "stripe", "table_name": "payouts"}
    outcome = shop.operation("schema_embed_profile", "--log-level", "debug", **arguments)
    statements = outcome.output.split("On macro_schema_embed_profile:")
    naming = [statement for statement in statements if '."payouts"' in statement.split("<schema_embed>")[0]]
    reading = [statement for statement in naming if "(describe " not in statement]  # DuckDB's look at the columns
    assert len(reading) == 1
    assert "with sampled as" in reading[0]


def test_sources_are_chosen_by_name(shop: Shop) -> None:
    arguments = {"select": "source:stripe shopkeep.promo", "exclude": ["stripe.charges", "source:stripe.customers"]}
    outcome = shop.operation("schema_embed_profile", **arguments)
    assert [e["table"] for e in outcome.events if e["event"] == "profile"] == [
        "source.shop.shopkeep.promo",
        "source.shop.stripe.disputes",
        "source.shop.stripe.invoices",
        "source.shop.stripe.payouts",
        "source.shop.stripe.refunds",
        "source.shop.stripe.subscriptions",
    ]


def test_a_name_that_no_source_has_is_a_clear_error(shop: Shop) -> None:
    outcome = shop.operation("schema_embed_profile", select="stripe.chargs")
    assert not outcome.ok
    assert "no source table is called stripe.chargs" in outcome.output


def test_a_table_that_is_not_there_costs_that_table(shop: Shop) -> None:
    path = shop.folder / "models/ghost.yml"
    path.write_text("sources:\n  - {name: a_ghost, schema: raw_stripe, tables: [{name: nowhere}]}\n")
    try:
        outcome = shop.operation("schema_embed_profile", select=["a_ghost", "stripe.refunds"])
    finally:
        path.unlink()
    assert outcome.ok, outcome.output
    assert [(e["event"], e["table"]) for e in outcome.events] == [
        ("start", "source.shop.a_ghost.nowhere"),
        ("missing", "source.shop.a_ghost.nowhere"),
        ("start", "source.shop.stripe.refunds"),
        ("profile", "source.shop.stripe.refunds"),
    ]
    assert all(event["schema_version"] == 1 for event in outcome.events)


def test_the_hook_profiles_what_the_models_read_behind_a_var(shop: Shop) -> None:
    path = shop.folder / "dbt_project.yml"
    before = path.read_text("utf-8")
    path.write_text(before + 'on-run-end: "{{ dbt_schema_embed.schema_embed_on_run_end() }}"\n')
    try:
        on = ("--vars", "{schema_embed_profile_on_run_end: true}")
        quiet = shop.must("run", "--select", "stg_stripe__refunds")
        loud = shop.must("run", "--select", "stg_stripe__refunds stg_shopkeep__customers", *on)
        compiled = shop.must("compile", "--select", "stg_stripe__refunds", *on)
    finally:
        path.write_text(before)
    assert quiet.events == compiled.events == []
    profiles = [event for event in loud.events if event["event"] == "profile"]
    assert [event["table"] for event in profiles] == ["source.shop.shopkeep.cust", "source.shop.stripe.refunds"]
    assert "@example.com" not in loud.output
