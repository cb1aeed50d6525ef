"""What no dictionary reads, as a multilingual encoder sees it: a table of names, and when it is not asked."""

from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
import yaml

from dbt_schema_embed.embed import open_embedder
from dbt_schema_embed.embed.languages import LANGUAGES
from dbt_schema_embed.extras import lacking
from dbt_schema_embed.match.guessing import read_with_guesses
from dbt_schema_embed.match.knowledge import Knowledge, Listed, knowledge
from dbt_schema_embed.match.reading import read_tables
from tests.match.builders import model, source

NAMES = yaml.safe_load((Path(__file__).parents[1] / "fixtures/match/guesses.yml").read_text("utf-8"))
NOBODY = Knowledge((), Listed())
"""A dictionary without a word."""
PERSONS = model(
    "stg_persons",
    "customer_id first_name last_name birth_date phone_number email street city postal_code country is_active "
    "order_date total_amount currency quantity product_name invoice_number status notes",
)


class Asked:
    """Vectors of hashed words, some texts being others; remembers what it was asked."""

    def __init__(self, same: dict[str, str]) -> None:
        self.same, self.texts = same, list[str]()

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += texts
        rows = np.zeros((len(texts), 2**12), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in self.same.get(text, text).split():
                row[crc32(word.encode()) % 2**12] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.skipif(bool(lacking("languages")), reason="the extra languages is not installed")
def test_every_name_is_taken_for_what_it_means(tmp_path: Path) -> None:
    embedder = open_embedder(LANGUAGES, cache_dir=tmp_path)
    for name, said in NAMES:
        table = source("t", name)
        found = read_with_guesses([table], [PERSONS], NOBODY, vectors=embedder.embed)[table.id].columns[0]
        assert found.legible == (0 if said == "?" else 1), name
        assert said in ("?", " ".join(found.variants[0])), name


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("id first_name CustomerName created_at", ()),  # English
        ("KundenNr Vorname GebDatum Strasse PLZ Ort", ()),  # the dictionaries have it
        ("id first_name last_name xqv_city zip", ()),  # an abbreviation in an English table
        ("id first_name last_name city ដីកា", ("ដីកា",)),  # no abbreviation
        ("zorgblat kwimple_zorgblat", ("zorgblat", "kwimple zorgblat")),
    ],
)
def test_who_is_asked(said: str, asked: Sequence[str]) -> None:
    table, vectors = source("t", said), Asked({})
    found = read_with_guesses([table], [PERSONS], knowledge(), vectors=vectors)
    assert tuple(vectors.texts[: len(asked)]) == asked
    assert bool(vectors.texts) == bool(asked)
    assert found == read_tables([table], [PERSONS], knowledge())  # nothing was like it


def test_a_word_that_was_taken_for_another_is_read_in_every_name() -> None:
    table = source("t", "zorgblat zorgblat_kwimple wubble_zorgblat")
    vectors = Asked({"zorgblat": "date", "zorgblat kwimple": "birth date"})
    date, birth, other = read_with_guesses([table], [PERSONS], knowledge(), vectors=vectors)[table.id].columns
    assert (date.variants[0], birth.variants[0]) == (("date",), ("birth", "date"))
    assert other.variants[0] == ("wubble", "date")
    assert 0 < other.legible < 1
    assert {r.parts[-1].origin for r in (date, birth, other)} == {("guess", "the multilingual encoder")}


def test_two_meanings_that_are_as_near_are_no_guess() -> None:
    table, two = source("t", "zorgblat"), model("stg_t", "ship_date bill_date")
    vectors = Asked({"zorgblat": "ship bill date"})
    assert read_with_guesses([table], [two], knowledge(), vectors=vectors)[table.id].columns[0].legible == 0


def test_dictionaries_and_glossaries_go_before_a_guess() -> None:
    table = source("t", "zorgblat wubble ort")
    vectors = Asked({"zorgblat": "city", "wubble": "city"})
    found = read_with_guesses([table], [PERSONS], knowledge(), {"": [("zorgblat", "hat size")]}, vectors)[table.id]
    assert [c.variants[0] for c in found.columns[:2]] == [("hat", "size"), ("city",)]
    assert "zorgblat" not in vectors.texts
