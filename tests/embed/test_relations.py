"""Relations become rows; each distinct text is encoded once over all of them."""

from collections.abc import Callable

import numpy as np

from dbt_schema_embed.embed.memo import MemoEmbedder
from dbt_schema_embed.embed.relations import UNRELATED_NAMES, embed_relations
from dbt_schema_embed.embed.text import column_texts, pair_texts
from dbt_schema_embed.records import Column, Relation
from tests.embed.encoders import DIM, HashEncoder, hash_rows

SHOP = [
    Relation("a", "stg_shop__orders", "model", (Column("id"), Column("customerId", description="Who ordered."))),
    Relation("b", "orders", "source", (Column("ID"), Column("customer_id")), source_name="shop"),
    Relation("c", "empty", "model"),
]


def test_rows_are_those_of_the_texts(open_memo: Callable[..., MemoEmbedder]) -> None:
    """Facet by facet, column by column; no text is a row of zeros."""
    embedded = embed_relations(SHOP, open_memo())
    for relation, one in zip(SHOP, embedded, strict=True):
        texts = column_texts(relation)
        assert one.relation is relation
        assert np.array_equal(one.table, hash_rows([texts.table])[0])
        for name, facet in texts.facets.items():
            expected = hash_rows(facet) * [[float(bool(text))] for text in facet] if facet else np.zeros((0, DIM))
            assert np.array_equal(one.facets[name], expected.astype(np.float32))
            assert one.facets[name].dtype == np.float32


def test_each_distinct_text_is_encoded_once(open_memo: Callable[..., MemoEmbedder], hash_encoder: HashEncoder) -> None:
    """Over all relations and facets."""
    embed_relations(SHOP, open_memo(levels=[]))
    encoded = sorted(set(hash_encoder.encoded) - set(UNRELATED_NAMES))  # those say what another encoder calls unlike
    assert encoded == ["Who ordered.", "customer id", "empty", "id", "orders"]


def test_no_relations(open_memo: Callable[..., MemoEmbedder], hash_encoder: HashEncoder) -> None:
    """Give none, and load nothing."""
    assert embed_relations([], open_memo()) == ()
    assert hash_encoder.loads == 0


def test_texts_with_sample_values_are_not_remembered(open_memo: Callable[..., MemoEmbedder]) -> None:
    """They are encoded again by the next run."""
    people = Relation("p", "people", "table", (Column("sex", values=("male", "female")),))
    first, second = open_memo(), open_memo()
    embed_relations([people], first, texts_of=pair_texts)
    embed_relations([people], second, texts_of=pair_texts)
    assert second.stats.misses == 3  # "sex: male, female", "male" and "female"


def test_values_come_apart_and_stay_private(open_memo: Callable[..., MemoEmbedder]) -> None:
    """A row a value; a column without words has none."""
    people = Relation(
        "p", "people", "table", (Column("sex", values=("male", "female", "male")), Column("n", values="1"))
    )
    (embedded,) = embed_relations([people], open_memo(), texts_of=pair_texts)
    assert [v.shape for v in embedded.values] == [(2, DIM), (0, DIM)]
    assert np.array_equal(embedded.values[0], hash_rows(["male", "female"]))


def test_in_table_lies_between_name_and_table(
    open_memo: Callable[..., MemoEmbedder], hash_encoder: HashEncoder
) -> None:
    """Of length 1, and never encoded; no name stays zeros, no table leaves the name."""
    nameless = Relation("d", "stg_x__lines", "model", (Column(" "), Column("id")))
    untitled = Relation("e", "", "model", (Column("id"),))
    composed = embed_relations([*SHOP, nameless, untitled], open_memo(levels=[]))
    assert not any(": " in text for text in hash_encoder.encoded)
    for one in composed:
        expected = 0.6 * one.table + 0.4 * one.facets["name"]
        expected[~one.facets["name"].any(axis=1)] = 0
        expected /= np.maximum(np.linalg.norm(expected, axis=1, keepdims=True), 1e-12)
        assert np.abs(one.facets["in_table"] - expected).max(initial=0) < 1e-6
        assert one.facets["in_table"].dtype == np.float32
    assert not composed[3].facets["in_table"][0].any()
    assert np.allclose(composed[4].facets["in_table"], composed[4].facets["name"])
