"""schema_embed_generate_staging prints a model that dbt builds, in the project's style."""

from pathlib import Path

import pytest

from tests.dbt.conftest import Shop

pytestmark = pytest.mark.dbt

CASES = [
    ("charges", {"source_name": "stripe", "table_name": "charges"}),
    (
        "ord_hdr_leading_commas",
        {"source_name": "shopkeep", "table_name": "ord_hdr", "leading_commas": True, "materialized": "table"},
    ),
    ("web_checkouts_quoted", {"source_name": "shopkeep", "table_name": "web_checkouts", "case_sensitive_cols": True}),
]


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=[name for name, _ in CASES])
def test_the_printed_model_is_the_expected_one(shop: Shop, root: Path, name: str, arguments: dict[str, object]) -> None:
    expected = (root / "tests/fixtures/dbt/staging" / f"{name}.sql").read_text("utf-8")
    printed = shop.operation("schema_embed_generate_staging", "-q", **arguments)
    assert printed.ok, printed.output
    assert printed.output == expected


def test_a_table_without_mappings_is_a_clear_error(shop: Shop) -> None:
    outcome = shop.operation("schema_embed_generate_staging", source_name="stripe", table_name="refunds")
    assert not outcome.ok
    assert "no column of stripe.refunds is mapped: accept mappings, then run dbt-schema-embed apply" in outcome.output


def test_a_model_that_nothing_is_mapped_to_is_a_clear_error(shop: Shop) -> None:
    arguments = {"source_name": "stripe", "table_name": "charges", "model_name": "stg_stripe__payouts"}
    outcome = shop.operation("schema_embed_generate_staging", **arguments)
    assert not outcome.ok
    assert "no column of stripe.charges is mapped to stg_stripe__payouts" in outcome.output
