"""What rivals say to each other between the two rounds."""

import numpy as np
import pytest

from dbt_schema_embed.match.all_words import Lexicon
from dbt_schema_embed.match.candidates import build_block
from dbt_schema_embed.match.habits import Habits
from dbt_schema_embed.match.hearing import Heard, voice
from dbt_schema_embed.match.odds import Odds
from dbt_schema_embed.match.pool import Pool
from dbt_schema_embed.match.reading import read_tables
from tests.match.builders import embedded, model, source

TABLES = [source("orders", "status total"), source("bills", "status city"), source("notes", "city")]
MODELS = [model("stg_a", "status total"), model("stg_b", "status city")]


@pytest.fixture(scope="module")
def blocks():
    lexicon = Lexicon(TABLES, MODELS, read_tables(TABLES, MODELS))
    return [build_block(embedded(t), Pool([embedded(m) for m in MODELS]), lexicon, Habits()) for t in TABLES]


def odds(*rows: tuple[float, ...]) -> Odds:
    p = np.array(rows, np.float32)
    return Odds(p, 1 - p.sum(axis=1))


ORDERS = odds((0.6, 0, 0.3, 0), (0, 0.9, 0, 0))
BILLS = odds((0.1, 0, 0.2, 0), (0, 0, 0, 0.7))
NOTES = odds((0, 0, 0, 0.5))


def test_a_column_hears_those_of_its_name_in_other_tables(blocks) -> None:
    voices = [voice(blocks[0], ORDERS, False), voice(blocks[1], BILLS, False)]
    heard = Heard(voices)
    echo = heard.echo(blocks[0], ORDERS, voices[0])
    assert np.isnan(echo[1]).all()  # nobody else has a total
    # 1.2 were given to "status" by both, less what this table gave to each candidate of that name
    assert echo[0] == pytest.approx([0.6, 0, 0.9, 0])
    silent = voice(blocks[2], NOTES, True)
    assert heard.echo(blocks[2], NOTES, silent)[0] == pytest.approx([0, 0, 0, 0.7])


def test_a_table_alone_hears_nothing(blocks) -> None:
    own = voice(blocks[0], ORDERS, False)
    assert np.isnan(Heard([own]).echo(blocks[0], ORDERS, own)).all()


def test_claims_are_those_of_all_and_a_silent_table_counts_for_itself_only(blocks) -> None:
    loud, quiet = voice(blocks[0], ORDERS, False), voice(blocks[1], BILLS, True)
    assert loud.claims == pytest.approx([1.5, 0.3])
    assert quiet.claims == pytest.approx([0.1, 0.9])
    heard = Heard([loud, quiet])
    assert heard.claimed(loud) == pytest.approx([1.5, 0.3])
    assert heard.claimed(quiet) == pytest.approx([1.6, 1.2])
    assert quiet.said == {}


def test_a_faint_probability_is_no_voice(blocks) -> None:
    assert voice(blocks[2], odds((0.01, 0, 0.015, 0)), False).said == {"city": {}}
