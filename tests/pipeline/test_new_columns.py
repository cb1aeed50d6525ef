"""Columns that no model has yet: proposed, kept, accepted and staged."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.records import PROPOSER, Suggestion

FILE = "schema_mappings/stripe__charges.yml"
SQL = "models/staging/stripe/stg_stripe__charges.sql"
TABLE = ["stripe.charges"]


def rows_of(engine: SchemaEmbed, shop: Path, **more: bool) -> dict[str, Suggestion]:
    return {row.source_column: row for row in engine.suggest(shop, select=TABLE, **more).rows}


def written(shop: Path) -> dict[str, dict[str, Any]]:
    rows = yaml.safe_load((shop / FILE).read_text("utf-8"))["columns"]
    return {row["source_column"]: row for row in rows}


def test_proposals_are_kept_until_a_person_decides(engine: SchemaEmbed, shop: Path) -> None:
    rows = rows_of(engine, shop, propose=True, write=True)
    column = next(name for name, row in rows.items() if row.proposed_name)
    said = written(shop)[column]
    assert (said["model"], said["status"], said["decided_by"]) == ("stg_stripe__charges", "suggested", PROPOSER)
    before = (shop / FILE).read_bytes()
    for propose in (True, False):  # a run that proposes nothing keeps them, too
        assert engine.suggest(shop, select=TABLE, propose=propose, write=True).written == ()
    assert (shop / FILE).read_bytes() == before
    assert rows_of(engine, shop)[column].proposed_name == said["model_column"]
    assert not [p for p in engine.check(shop).problems if p.code.startswith("unknown-model")]

    engine.accept("stripe.charges", [column], shop)
    row = rows_of(engine, shop)[column]
    assert (row.status, row.model, row.model_column) == (
        "accepted", "model.shop.stg_stripe__charges", said["model_column"],
    )  # fmt: skip
    engine.stage("stripe.charges", shop)
    assert said["model_column"] in (shop / SQL).read_text("utf-8")


def test_a_planned_column_that_nothing_feeds_comes_first(engine: SchemaEmbed, shop: Path) -> None:
    """The habit makes charge_id of id; the model is to have it: nothing new is proposed."""
    assert rows_of(engine, shop, propose=True)["id"].proposed_name is None


def test_an_answer_of_the_matcher_comes_before_a_proposal(engine: SchemaEmbed, shop: Path) -> None:
    engine.suggest(shop, select=TABLE, propose=True, write=True)
    before, text = written(shop), (shop / FILE).read_text("utf-8")
    old = "    model_column: amount\n    confidence: 0.90\n    status: suggested\n    reason: the same name\n"
    assert old in text
    new = f"    model_column: amount_2\n    status: suggested\n    reason: a new column\n    decided_by: {PROPOSER}\n"
    (shop / FILE).write_text(text.replace(old, new), "utf-8")
    engine.suggest(shop, select=TABLE, write=True)
    assert written(shop) == before


@pytest.mark.parametrize("dry_run", [True, False])
def test_stage_new_proposes_accepts_and_writes(engine: SchemaEmbed, shop: Path, dry_run: bool) -> None:
    proposed = {
        name: row.proposed_name for name, row in rows_of(engine, shop, propose=True).items() if row.proposed_name
    }
    changed = engine.stage("stripe.charges", shop, new=True, dry_run=dry_run)
    assert proposed
    assert all(f"+    model_column: {new}\n+    status: accepted\n" in changed.diff for new in proposed.values())
    assert (shop / FILE).exists() is not dry_run
    if not dry_run:
        assert set(changed.files) == {FILE, SQL}
        assert all(str(new) in (shop / SQL).read_text("utf-8") for new in proposed.values())
        assert {written(shop)[name]["status"] for name in proposed} == {"accepted"}
        assert written(shop)["amount"]["status"] == "suggested"


def test_no_plan_is_written_for_a_model_that_is_there(engine: SchemaEmbed, shop: Path) -> None:
    with pytest.raises(ConfigError, match=r"^model stg_stripe__charges is there already\n"):
        engine.decisions.plan("stripe.charges", shop)
    assert not (shop / FILE).exists()
