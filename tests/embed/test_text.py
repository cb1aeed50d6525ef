"""Names become words; a relation becomes texts, facet by facet."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.embed.text import DESCRIPTION_LIMIT, column_texts, table_words
from dbt_schema_embed.records import Column, Relation
from dbt_schema_embed.words import NAME_LIMIT, spoken

NAMES = [
    ("customer_id", "customer id"),
    ("CUSTOMER_ID", "customer id"),
    ("customerId", "customer id"),
    ("CustomerID", "customer id"),
    ("customerIDs", "customer ids"),
    ("orderIDsNew", "order ids new"),
    ("HTTPResponseCode", "http response code"),
    ("ABTest", "ab test"),
    ("eCommerceURL2Path", "e commerce url 2 path"),
    ("address2", "address 2"),
    ("line1Text", "line 1 text"),
    ("7_day_clicks", "7 day clicks"),
    ("30days", "30 days"),
    ("7d", "7d"),
    ("q1_sales", "q1 sales"),
    ("s3_path", "s3 path"),
    ("sha256", "sha 256"),
    ("custom__c", "custom c"),
    ("_fivetran_synced", "fivetran synced"),
    ("properties.$browser", "properties browser"),
    ("unit price (EUR)", "unit price eur"),
    ("客户编号", "客户编号"),
    ("ग्राहक_नाम", "ग्राहक नाम"),  # vowel signs are part of the word
    ("Größe_ÄnderungsDatum", "größe änderungs datum"),
    ("идентификаторКлиента", "идентификатор клиента"),
    ("ｆｕｌｌ＿ｗｉｄｔｈ", "full width"),
    ("___", "___"),
    ("#", "#"),
    (" ", ""),
    ("", ""),
]


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_words(name: str, expected: str) -> None:
    """Snake, camel, acronyms, digits and other scripts."""
    assert spoken(name) == expected


@given(st.text(max_size=300))
def test_words_of_words_are_the_same(name: str) -> None:
    """Splitting is stable, bounded and leaves no capital that has a small letter."""
    once = spoken(name)
    assert spoken(once) == spoken(spoken(once))
    assert len(once) <= 20 * NAME_LIMIT  # one character may stand for many: NFKC unfolds ligatures


TABLES = [
    ("stg_stripe__charges", "", "charges"),
    ("base_stripe__charges_tmp", "", "charges"),
    ("int_shop__orders_joined", "", "orders joined"),
    ("fct_orders", "", "orders"),
    ("dim_customer", "", "customer"),
    ("raw_payments", "", "payments"),
    ("src_ads", "", "ads"),
    ("stripe__charge", "", "charge"),
    ("stripe_charge", "stripe", "charge"),
    ("STRIPE_CHARGE", "Stripe", "charge"),
    ("stripe", "stripe", "stripe"),
    ("strip_mall", "strip", "mall"),
    ("interval", "", "interval"),  # starts with a layer's letters, is none
    ("stg_", "", "stg"),
    ("_tmp", "", "tmp"),
    ("__", "", ""),
    ("", "", ""),
]


@pytest.mark.parametrize(("name", "source", "expected"), TABLES)
def test_table_words(name: str, source: str, expected: str) -> None:
    """Layer, vendor and "_tmp" say nothing about what a table holds."""
    assert table_words(Relation("x", name, "model", source_name=source)) == expected


def test_column_texts_keep_facets_apart() -> None:
    """Each facet has a text a column; the type is in none of them."""
    columns = (Column("customerId", type="varchar", description="Who  paid.\n"), Column("amount", type="numeric(38,0)"))
    texts = column_texts(Relation("m", "stg_stripe__charges", "model", columns))
    assert texts.table == "charges"
    assert texts.facets == {
        "name": ("customer id", "amount"),
        "description": ("Who paid.", ""),
    }


DESCRIPTIONS = [
    ("", ""),
    ("{{ doc('id') }}", ""),
    ("The `id` of the *row*.", "The id of the row."),
    ("See [the docs](https://example.com/x) for it.", "See the docs for it."),
    ("a" * 1000, "a" * DESCRIPTION_LIMIT),
    ("First sentence. " * 6 + "x" * 500, ("First sentence. " * 6).strip()),
    ("word " * 200, ("word " * 48).strip()),
]


@pytest.mark.parametrize(("given_text", "expected"), DESCRIPTIONS)
def test_descriptions_are_cleaned_and_cut(given_text: str, expected: str) -> None:
    """Jinja and Markdown go; long prose ends at a sentence or a word."""
    relation = Relation("m", "t", "model", (Column("c", description=given_text),))
    assert column_texts(relation).facets["description"] == (expected,)


def test_a_relation_without_columns() -> None:
    """Facets are empty, not missing."""
    texts = column_texts(Relation("m", "orders", "model"))
    assert texts.facets == {"name": (), "description": ()}


@pytest.mark.parametrize("piece", ["[", "[](", "[a]", "{{", "{%", "{{ {% ", "`", "a", "[a](b"])
def test_descriptions_take_little_time(piece: str) -> None:
    """They are cut, so that each takes little; many of them take that many times as much."""

    def read(size: int) -> None:
        text = piece * (1000 // len(piece))
        column_texts(Relation("m", "m", "model", tuple(Column(f"c{i}", None, text) for i in range(size))))

    start = time.thread_time()
    read(1000)
    assert time.thread_time() - start < 1.0
