"""What no screen shows."""

from collections.abc import Callable

import pytest

from dbt_schema_embed.decide.reviewing import _examples
from dbt_schema_embed.records import Column
from dbt_schema_embed.sensitive import hidden, without_values
from tests.doubling import assert_linear


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


SAID = [
    ('invalid input syntax for type integer: "Canary Smith"', "invalid input syntax for type integer: (not shown)"),
    ('value "Canary" is out of range for type integer', "value (not shown) is out of range for type integer"),
    ("Could not convert string 'Canary O'Smith' to INT32", "Could not convert string (not shown) to INT32"),
    ("Numeric value 'Canary ' Smith' is not recognized", "Numeric value (not shown) is not recognized"),
    ("can't cast 'Canary'", "can't cast (not shown)"),
    ("Bad int64 value: Canary Smith", "Bad int64 (not shown)"),
    ("Bad int64 value: Canary\nLINE 1", "Bad int64 (not shown)LINE 1"),
    ("DETAIL:  Key (mail)=(Canary (x)) already exists.", "DETAIL:  Key (mail)(not shown) already exists."),
    ("DETAIL:  Failing row contains (1, Canary, x).", "DETAIL:  Failing row (not shown)."),
    ('value "Canary" for "YYYY"\nDETAIL:  Value must', "value (not shown)\nDETAIL:  Value must"),
    ('text cut within "Canary\nSmith', "text cut within (not shown)"),
    ("permission denied for schema raw", "permission denied for schema raw"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "shown"), SAID)
def test_what_a_database_quotes_is_not_shown(said: str, shown: str) -> None:
    assert without_values(said) == shown
    assert "Canary" not in without_values(said)


@pytest.mark.parametrize(
    "piece", ["a", "a1", "1", "1 ", "4-", "@", "a@", "'", '"a', "-----BEGIN", "sk_", "=(", "\n", "é"]
)
@pytest.mark.parametrize("function", [hidden, without_values])
def test_hiding_takes_time_in_proportion(function: Callable[[str], str], piece: str) -> None:
    assert_linear(lambda size: function(piece * (size // len(piece))), 200_000)
