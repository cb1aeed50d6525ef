"""A second vendor's column is likened to what feeds the canonical one today."""

import numpy as np

from dbt_schema_embed.match.all_words import Lexicon
from dbt_schema_embed.match.block import Block
from dbt_schema_embed.match.candidates import Pool, build_block
from dbt_schema_embed.match.habits import Habits
from dbt_schema_embed.match.layers import feeding
from dbt_schema_embed.match.reading import read_tables
from dbt_schema_embed.match.signals.feeders import feeder_name, feeder_table, target_fed
from tests.match.builders import edges, embedded, model, source

FIRST = source("patient_problem", "problem_code note added_on", "athena")
SECOND = source("problem_list", "problem_cd remark entered_on", "elation")
CONDITION = model("condition", "source_code source_description recorded_date normalized_code", [FIRST])
PLANNED = model("stg_other", "code", [])
EDGES = edges(FIRST, CONDITION, "problem_code>source_code note>source_description added_on>recorded_date")


def block() -> Block:
    tables, models = [FIRST, SECOND], [CONDITION, PLANNED]
    lexicon = Lexicon(tables, models, read_tables(tables, models))
    return build_block(embedded(SECOND), Pool([embedded(m) for m in models], feeding(EDGES)), lexicon, Habits())


def row(values: np.ndarray, column: int) -> dict[str, float]:
    return {t.name: float(v) for t, v in zip(block().targets, values[column], strict=True)}


def test_a_column_that_nothing_feeds_in_a_fed_model_is_told_from_a_planned_one() -> None:
    found = row(target_fed(block()), 0)
    assert (found["source_code"], found["normalized_code"]) == (1, 0)
    assert np.isnan(found["code"])


def test_the_name_of_the_first_vendors_column_speaks_for_its_target() -> None:
    found = row(feeder_name(block()), 0)
    assert max(found, key=lambda name: np.nan_to_num(found[name])) == "source_code"
    assert found["normalized_code"] == 0
    assert np.isnan(found["code"])


def test_tables_about_the_same_speak_for_the_model() -> None:
    found = row(feeder_table(block()), 0)
    assert found["source_code"] > 0.4
    assert np.isnan(found["code"])


def test_a_table_does_not_hear_itself() -> None:
    tables, models = [FIRST], [CONDITION]
    lexicon = Lexicon(tables, models, read_tables(tables, models))
    alone = build_block(embedded(FIRST), Pool([embedded(CONDITION)], feeding(EDGES)), lexicon, Habits())
    assert target_fed(alone).max() == 0
