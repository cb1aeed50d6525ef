"""The table of word pieces: the encoder's own pieces, and vectors that know what words mean."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from dbt_schema_embed.embed.locate import DEFAULT_ENCODER, encoder_folder
from dbt_schema_embed.embed.static import DIM, StaticEmbedder, _rows, _table

TEXTS = [
    "customer name", "KundenNr Straße", "Größe_cm", "東京 address", "e-mail (work)", "Дата рождения", "वस्तु", "ｆｕｌｌ",
    "a\0b", "naïve café", "x" * 150, "😀 ok", "tab\tnew\nline", "İstanbul", "ﬁx", "한국어 이름", "don't", "price$",
    "100km", "٣٤", "\u2028", "a\u200bb", "_",
]  # fmt: skip
SAME = [
    ("birth date", "date of birth", "issue date"),
    ("customer", "client", "invoice"),
    ("e-mail", "mail address", "street"),
    ("family name", "last name", "file name"),
    ("zip code", "postal code", "discount code"),
    ("salary", "wage", "weight"),
    ("physician", "doctor", "patient age"),
]
"""Two that mean the same, and one that has a word of the first or stands beside it in a table."""


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """The encoder's."""
    found = Tokenizer.from_file(str(encoder_folder(DEFAULT_ENCODER) / "tokenizer.json"))
    found.no_padding()
    found.no_truncation()
    return found


def pieces(text: str) -> Iterator[str]:
    known, _ = _table()
    names = list(known)
    return (names[row] for row in _rows(text, known, {}))


@pytest.mark.model
@pytest.mark.parametrize("text", TEXTS)
def test_pieces_are_those_of_the_encoder(tokenizer: Tokenizer, text: str) -> None:
    assert list(pieces(text)) == (tokenizer.encode(text, add_special_tokens=False).tokens or ["[UNK]"])


RANGES = [(0, 0x52F), (0x5D0, 0x5EA), (0x620, 0x64A), (0x904, 0x939), (0xE01, 0xE3A), (0x2010, 0x2027),
          (0x3041, 0x3096), (0x4E00, 0x9FA5), (0xAC00, 0xD7A3), (0xFF01, 0xFF5A)]  # fmt: skip
"""Scripts that every version of Unicode in use knows alike."""


@pytest.mark.model
@given(st.text(st.one_of(st.characters(min_codepoint=a, max_codepoint=b) for a, b in RANGES), max_size=30))
def test_pieces_of_any_text_are_those_of_the_encoder(tokenizer: Tokenizer, text: str) -> None:
    assert list(pieces(text)) == (tokenizer.encode(text, add_special_tokens=False).tokens or ["[UNK]"])


@given(st.lists(st.text(max_size=40), max_size=8))
def test_rows_have_length_one_and_follow_the_texts(texts: list[str]) -> None:
    rows = StaticEmbedder().embed(texts)
    assert rows.shape == (len(texts), DIM)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    for row, text in zip(rows, texts, strict=True):
        assert np.allclose(row, StaticEmbedder().embed([text])[0], atol=1e-6)


@pytest.mark.parametrize(("one", "same", "other"), SAME)
def test_what_means_the_same_is_nearer(one: str, same: str, other: str) -> None:
    a, b, c = StaticEmbedder().embed([one, same, other])
    assert a @ b > a @ c
