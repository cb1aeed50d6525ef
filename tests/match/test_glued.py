"""Glued words cut into the pieces that explain their letters best."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.match.glued import LONGEST, cut

WORDS = "geb dat datum kunde kunden nummer num mer vor name ort id nr cust omer customer 客户 编号 名 称"
KNOWN = frozenset(WORDS.split())


def pieces(word: str, known: frozenset[str] = KNOWN, price: float = 0.0) -> str:
    """The pieces with a blank between them; those that are not known in brackets."""
    found = cut(word, lambda piece: price if piece in known else float("inf"))
    return " ".join(piece if sure else f"[{piece}]" for piece, sure in found)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("gebdat", "geb dat"),
        ("geburtsdatum", "[geburtsdatum]"),  # half of it is nobody's: no cut
        ("gebdatum", "geb datum"),
        ("kundennummer", "kunden nummer"),  # the longer word, not "kunde" and a letter left over
        ("kundenvorname", "kunden vor name"),
        ("kundenxnummer", "kunden nummer"),  # a letter that joins two is not said
        ("kundenxyznummer", "kunden [xyz] nummer"),
        ("kundenxynummer", "kunden nummer"),  # two letters may be an ending
        ("idnr", "[idnr]"),  # pieces of two letters stand in too many words
        ("kundenid", "kunden id"),
        ("customer", "cust omer"),  # a word as a whole is the caller's to look up
        ("qwertz", "[qwertz]"),
        ("a", "[a]"),
        ("客户编号", "客户 编号"),
        ("客户编号名", "客户 编号 名"),
        ("客户名", "[客户名]"),
        ("名称", "[名称]"),  # one ideograph each is chance
    ],
)
def test_a_word_is_cut_where_pieces_explain_most_of_it(word: str, found: str) -> None:
    assert pieces(word) == found


def test_what_is_dear_is_not_taken_where_it_explains_little() -> None:
    assert pieces("gebdatum", price=0.4) == "geb datum"
    assert pieces("gebdat", price=0.4) == "[gebdat]"


def test_a_piece_is_looked_up_to_a_length() -> None:
    long = "x" * (LONGEST + 1)
    assert pieces(long[1:] + "datum", frozenset({long[1:], "datum"})) == f"{long[1:]} datum"
    assert pieces(long + "datum", frozenset({long, "datum"})) == f"[{long}datum]"


@given(st.text("gebdatkunr客", max_size=30), st.sets(st.text("gebdatkunr客", min_size=1, max_size=5), max_size=30))
def test_pieces_are_known_words_of_the_word_in_order(word: str, known: set[str]) -> None:
    at = 0
    for piece, sure in cut(word, lambda p: 0.0 if p in known else float("inf")):
        at = word.index(piece, at) + len(piece)
        assert sure == (piece in known) or (not sure and piece == word)
