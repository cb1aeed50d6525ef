"""Models made from accepted mappings build, and hold the rows that SQL written by hand gives."""

import shutil
from pathlib import Path

import pytest

from tests.dbt.conftest import Shop
from tests.dbt.golden import write_comparison

pytestmark = pytest.mark.dbt

# vendor, source table, model
TABLES = [
    ("stripe", "charges", "stg_stripe__charges"),
    ("shopkeep", "ord_hdr", "stg_shopkeep__orders"),
    ("shopkeep", "web_checkouts", "stg_shopkeep__web_checkouts"),
]


@pytest.fixture
def workshop(shop: Shop, tmp_path: Path) -> Shop:
    """The built shop in a folder of its own, so that a test may write models."""
    folder = tmp_path / "shop"
    shutil.copytree(shop.folder, folder, symlinks=True)
    return Shop(folder, shop.dbt, shop.target, shop.env)


def build(workshop: Shop) -> str:
    """Build the models and compare them with those written by hand."""
    selected = write_comparison(workshop.folder, [model for _, _, model in TABLES])
    return workshop.must("build", "--indirect-selection", "cautious", "--select", *selected).output


def test_models_with_schema_embed_select_hold_the_rows_of_hand_written_ones(workshop: Shop) -> None:
    for vendor, table, model in TABLES:
        relation = f"source('{vendor}', '{table}')"
        sql = f"select {{{{ dbt_schema_embed.schema_embed_select({relation}) }}}}\nfrom {{{{ {relation} }}}}\n"
        workshop.staging(model).write_text(sql)
    assert build(workshop).count("PASS same_rows_") == len(TABLES)


def test_generated_models_hold_the_rows_of_hand_written_ones(workshop: Shop) -> None:
    for vendor, table, model in TABLES:
        arguments = {"source_name": vendor, "table_name": table}
        printed = workshop.operation("schema_embed_generate_staging", "-q", **arguments)
        workshop.staging(model).write_text(printed.output)
    assert build(workshop).count("PASS same_rows_") == len(TABLES)


def test_a_model_that_nothing_is_mapped_to_says_what_to_do(workshop: Shop) -> None:
    relation = "source('stripe', 'refunds')"
    sql = f"select {{{{ dbt_schema_embed.schema_embed_select({relation}) }}}} from {{{{ {relation} }}}}"
    (workshop.folder / "models/lonely.sql").write_text(sql)
    outcome = workshop.run("compile", "--select", "lonely")
    assert not outcome.ok
    assert "no column of stripe.refunds is mapped to lonely: accept mappings, then run dbt-schema-embed apply" in (
        outcome.output
    )


def test_dbt_empty_runs_still_find_the_source(workshop: Shop) -> None:
    """--empty makes source() a subquery: the macro must not read its text."""
    relation = "source('stripe', 'charges')"
    sql = f"select {{{{ dbt_schema_embed.schema_embed_select({relation}) }}}} from {{{{ {relation} }}}}"
    workshop.staging("stg_stripe__charges").write_text(sql)
    workshop.must("run", "--empty", "--select", "stg_stripe__charges")
