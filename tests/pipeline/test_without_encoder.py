"""The base install: every call that matches answers, without the extra `embed`, and says so once."""

from pathlib import Path

import pytest

from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.pipeline.session import STATIC
from dbt_schema_embed.tables import read_relation


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> SchemaEmbed:
    """An engine where the packages of the extra are not installed, and the real matcher."""
    monkeypatch.setattr("dbt_schema_embed.extras.MEMO", ("no_such_module",))
    monkeypatch.setattr("dbt_schema_embed.embed.opening.open_embedder", None)  # nobody may ask for an encoder
    return SchemaEmbed()


def test_suggest_answers_and_says_once_what_it_did_without(bare: SchemaEmbed, shop: Path) -> None:
    answer = bare.suggest(shop, select=["stripe.disputes"])
    found = {row.source_column: row.model_column for row in answer.rows}
    assert (found["id"], found["charge"], found["livemode"]) == ("dispute_id", "charge_id", None)
    bare.suggest(shop, select=["stripe.charges"])
    assert bare.warnings == [STATIC]


def test_match_answers(bare: SchemaEmbed, tmp_path: Path) -> None:
    (tmp_path / "left.csv").write_text("id,cust_name,e_mail\n1,ann,a@example.com\n")
    (tmp_path / "right.csv").write_text("customer_id,customer_name,email\n7,bob,b@example.com\n")
    answer = bare.match(read_relation(tmp_path / "left.csv"), read_relation(tmp_path / "right.csv"))
    assert [row.model_column for row in answer.rows][1:] == ["customer_name", "email"]
    assert answer.warnings == (STATIC,)


def test_report_is_drawn_and_says_what_it_did_without(bare: SchemaEmbed, shop: Path) -> None:
    written = bare.report(shop, select=["stripe.disputes"])
    assert "compared by a table of word pieces" in written.path.read_text("utf-8")


def test_search_goes_by_words_and_meanings(bare: SchemaEmbed, shop: Path) -> None:
    found = bare.search("dispute reason", shop, limit=3)
    assert (found[0].relation, found[0].column) == ("model.shop.stg_stripe__disputes", "dispute_reason")
    assert 0.5 < found[0].score <= 1
    assert bare.search("dispute reason", shop, limit=3) == found  # of the index as it stands
    assert {hit.column for hit in bare.search("town", shop, limit=2)} == {"city"}
    assert bare.warnings == [STATIC]


def test_the_index_is_of_the_table(bare: SchemaEmbed, shop: Path) -> None:
    first = bare.index(shop)
    again = bare.index(shop)
    assert first.added > 0
    assert (again.added, again.kept) == (0, first.added)


def test_an_index_of_the_table_gives_way_to_one_of_the_encoder(
    engine: SchemaEmbed, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("dbt_schema_embed.extras.MEMO", ("no_such_module",))
        SchemaEmbed().search("amount", shop)
    assert engine.search("amount", shop)
    assert any("made for another encoder: it is built anew" in line for line in engine.warnings)


def test_an_explanation_and_an_evaluation_need_no_encoder(bare: SchemaEmbed, shop: Path) -> None:
    assert "stg_stripe__disputes.dispute_id" in bare.explain("stripe.disputes.id", shop)
    assert bare.evaluate(shop, folds=2).mean["f1"] > 0.8
