"""How alike two words are: a table, and what holds of all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.match.wordtable import ABBREVIATION, SKELETON, STEM, SYNONYM, TYPO, WordTable


@pytest.mark.parametrize(
    ("one", "other", "worth"),
    [
        ("order", "order", 1), ("orders", "order", STEM), ("created", "creates", STEM),
        ("customer", "client", SYNONYM), ("qty", "quantity", SYNONYM), ("number", "id", SYNONYM),
        ("qty", "amount", 0), ("cstmr", "customer", SYNONYM),
        ("trffc", "traffic", SKELETON), ("ab", "aba", ABBREVIATION * 0.9),
        ("conf", "confidence", ABBREVIATION), ("cfd", "confidence", ABBREVIATION),
        ("cide", "confidence", ABBREVIATION * 0.9),
        ("no", "nitro", ABBREVIATION * 0.7), ("x", "xylo", 0), ("onf", "confidence", 0),
        ("2", "20", 0), ("a2", "a20", 0), ("recieve", "receive", SKELETON), ("colr", "colour", SKELETON),
        ("12345", "12346", 0), ("hat", "hut", 0), ("hate", "hut", 0), ("house", "mouse", TYPO * 0.8), ("cat", "dog", 0),
    ],
)  # fmt: skip
def test_two_words(one: str, other: str, worth: float) -> None:
    for a, b in ((one, other), (other, one)):
        assert WordTable([a], [b]).likeness[0, 0] == pytest.approx(worth, abs=0.006)


WORDS = st.lists(st.text("abcdeinorst1", min_size=1, max_size=7), max_size=6)


@given(WORDS, WORDS)
def test_a_table_is_shares_blind_to_sides_and_to_other_words(left: list[str], right: list[str]) -> None:
    found, back = WordTable(left, right), WordTable(right, left)
    assert (found.likeness == back.likeness.T).all()
    assert ((found.likeness >= 0) & (found.likeness <= 1)).all()
    assert found.likeness[-1].max() == found.likeness[:, -1].max() == 0  # "no word" is like none
    for word in set(left) & set(right):
        assert found.likeness[found.rows([word])[0], found.columns([word])[0]] == 1
    for word in left[:2]:
        alone = WordTable([word], right).likeness[0]
        assert (alone == found.likeness[found.rows([word])[0]]).all()
    assert found.rows(["zzz"]).tolist() == [len(set(left))]
