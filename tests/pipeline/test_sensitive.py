"""What no screen shows."""

import pytest

from dbt_schema_embed.pipeline.reviewing import _examples
from dbt_schema_embed.pipeline.sensitive import hidden
from dbt_schema_embed.records import Column


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ann.b+c@example.co.uk", "(e-mail address)"),
        ("<ann@localhost>", "<(e-mail address)>"),
        ("4242424242424242", "(card number)"),
        ("4242-4242-4242-4242", "(card number)"),
        ("378282246310005", "(card number)"),
        ("4242424242424241", "4242424242424241"),
        ("1690000000000", "1690000000000"),
        ("+32 358 409 929", "+32 358 409 929"),
        ("sku_12345678901", "sku_12345678901"),
        ("sk_live_51HxPlanted", "(key or token)"),
        ("AKIAIOSFODNN7EXAMPLE", "(key or token)"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "(key or token)"),
        ("9f86d081884c7d659a2feaa0c55ad015", "(key or token)"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\nabc", "(key or token)"),
        ("https://u:p@host/x", "(e-mail address)"),
        ("paid, by card: 12 EUR", "paid, by card: 12 EUR"),
        ("a-long-name-of-words-only-here", "a-long-name-of-words-only-here"),
        ("2024-02-07 13:30:23.123456", "2024-02-07 13:30:23.123456"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("", ""),
    ],
)
def test_secrets_are_replaced_by_their_kind(text: str, shown: str) -> None:
    assert hidden(text) == shown


def test_the_examples_of_a_review_hide_them() -> None:
    column = Column("x", values=("Torino", "ann@example.com", "4242424242424242"))
    assert _examples(column) == "Torino, (e-mail address), (card number)"
