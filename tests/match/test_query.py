"""A person's words beside the names of columns."""

import numpy as np
import pytest

from dbt_schema_embed.match.query import name_likeness, query_words
from dbt_schema_embed.records import Column, Relation

CUSTOMERS = Relation(
    "c", "cust", "source", tuple(Column(n) for n in ("cust_eml", "cust_nm", "E-Mail", "created_at", ""))
)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("customer e-mail", ("customer", "email")),
        ("Customer customer ID", ("customer", "id")),
        ("p o box", ("pobox",)),
        ("plan b", ("plan", "b")),
        ("", ()),
        ("***", ("***",)),
        ("客户 邮箱", ("客户", "邮箱")),
    ],
)
def test_query_words(query: str, words: tuple[str, ...]) -> None:
    assert query_words(query) == words


def test_shortened_names_are_found_and_the_table_helps() -> None:
    scores = name_likeness("customer e-mail", [CUSTOMERS])
    assert scores.argmax() == 0
    assert scores[0] > 0.8
    assert scores[3] < 0.5
    assert ((scores >= 0) & (scores <= 1)).all()


def test_nothing_asked_is_like_nothing() -> None:
    assert name_likeness("", [CUSTOMERS]).tolist() == [0.0] * 5
    assert name_likeness("x", []).shape == (0,)
    assert name_likeness("x", [CUSTOMERS]).dtype == np.float32


def test_the_order_of_relations_is_kept() -> None:
    other = Relation("o", "orders", "model", (Column("email"),))
    both = name_likeness("email", [other, CUSTOMERS])
    assert both[0] == name_likeness("email", [other])[0]
    assert len(both) == 6
