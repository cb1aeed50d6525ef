"""A person's words beside the names of columns."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from dbt_schema_embed.match.query import FOUND, TABLE, Ragged, name_likeness, query_words
from dbt_schema_embed.match.wordtable import WordTable
from dbt_schema_embed.records import Column, Relation
from dbt_schema_embed.words import words

CUSTOMERS = Relation(
    "c", "cust", "source", tuple(Column(n) for n in ("cust_eml", "cust_nm", "E-Mail", "created_at", ""))
)


def scores_of(query: str, relations: Sequence[Relation]) -> NDArray[np.float32]:
    """The likeness of each column, relation by relation."""
    names = sorted({c.name for r in relations for c in r.columns})
    known = sorted({word for name in (*names, *(r.name for r in relations)) for word in words(name)})
    return name_likeness(
        query,
        known,
        ragged([[known.index(word) for word in words(name)] for name in names]),
        ragged([[known.index(word) for word in words(r.name)] for r in relations]),
        np.array([names.index(c.name) for r in relations for c in r.columns], np.int32),
        np.array([number for number, r in enumerate(relations) for _ in r.columns], np.int32),
    )


def ragged(lists: Sequence[Sequence[int]]) -> Ragged:
    """Lists as the index keeps them."""
    return np.cumsum([0, *map(len, lists)]), np.array([number for some in lists for number in some], np.int32)


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
    scores = scores_of("customer e-mail", [CUSTOMERS])
    assert scores.argmax() == 0
    assert scores[0] > 0.8
    assert scores[3] < 0.5
    assert ((scores >= 0) & (scores <= 1)).all()


def test_nothing_asked_is_like_nothing() -> None:
    assert scores_of("", [CUSTOMERS]).tolist() == [0.0] * 5
    assert scores_of("x", []).shape == (0,)
    assert scores_of("x", [CUSTOMERS]).dtype == np.float32


def test_the_order_of_relations_is_kept() -> None:
    other = Relation("o", "orders", "model", (Column("email"),))
    both = scores_of("email", [other, CUSTOMERS])
    assert both[0] == scores_of("email", [other])[0]
    assert len(both) == 6


def test_words_in_lists_score_as_each_name_alone() -> None:
    """The oracle: every word compared with every word, name by name."""
    draw = random.Random(1)
    some = [
        "customer",
        "cust_eml",
        "customers",
        "email",
        "e",
        "mail",
        "address",
        "ordr",
        "orders",
        "id",
        "2",
        "id2",
        "total",
        "totl",
        "paid",
        "paymnt客户",
    ]
    tables = [
        Relation(f"t{n}", "_".join(draw.sample(some, 2)), "source",
                 tuple(Column("_".join(draw.choices(some, k=k))) for k in (1, 2, 3, 4)))
        for n in range(30)
    ]  # fmt: skip
    for query in ("customer e-mail", "order total", "id", "the address of a customer", "zzz"):
        expected = [alone(query, c.name, t.name) for t in tables for c in t.columns]
        assert np.allclose(scores_of(query, tables), expected, atol=1e-6)


def alone(query: str, name: str, table: str) -> float:
    """The likeness of one name in its table."""
    asked, own, beside = query_words(query), words(name), words(table)
    if not own:
        return 0.0
    alike = WordTable(asked, {*own, *beside})
    rows = alike.likeness[alike.rows(asked)]
    mine, tables = rows[:, alike.columns(own)], rows[:, alike.columns(beside)]
    best = np.maximum(mine.max(axis=1), TABLE * tables.max(axis=1))
    return float(FOUND * best.mean() + (1 - FOUND) * mine.max(axis=0).mean())
