"""Which tables may become a second source of a model that is built."""

from dataclasses import replace

import numpy as np
import pytest

from dbt_schema_embed.match.hearing import voice
from dbt_schema_embed.match.layers import feeding
from dbt_schema_embed.match.odds import Odds
from dbt_schema_embed.match.pair_values import signal_values
from dbt_schema_embed.match.pool import Pool
from dbt_schema_embed.match.ranking import Draft, acquainted, at_home
from dbt_schema_embed.records import Relation
from tests.match.builders import block_of, edges, embedded, model, source


@pytest.mark.parametrize(
    ("table", "met"),
    [
        (source("PageViews", "visitId pageUrl"), False),  # an id and a text are no reason
        (source("PageViews", "visitId email"), True),
        (source("people", "a1 a2"), True),
    ],
)
def test_strangers_to_a_built_model_are_no_second_source(table: Relation, met: bool) -> None:
    contacts = source("contacts", "contactId email")
    people = model("people", "contact_id email", [contacts])
    pool = Pool([embedded(people)], feeding(edges(contacts, people, "contactId>contact_id email>email")))
    block = replace(block_of(table, people), side=pool)
    (found,) = acquainted(block, signal_values(block))
    assert found == met
    likely = Odds(np.full(block.shape, 0.9, np.float32), np.full(2, 0.1, np.float32))
    draft = Draft(block, None, np.zeros((2, 1)), likely, False, voice(block, likely, False), np.array([met]))
    assert at_home(draft).all() == met
