"""suggest, explain and match: what goes into the matcher, what people decided, what is written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dbt_schema_embed.errors import ArtifactError, ConfigError, MappingError, MissingExtraError
from dbt_schema_embed.match.layers import competitors
from dbt_schema_embed.pipeline import SchemaEmbed, suggestions_text
from dbt_schema_embed.read.project import read_project
from dbt_schema_embed.records import Relation, Suggestion
from dbt_schema_embed.settings import Settings
from dbt_schema_embed.tables import read_relation
from tests.embed.encoders import HashEncoder
from tests.shop import SameName

CHARGES = "source.shop.stripe.charges"
STG = "model.shop.stg_stripe__charges"


def row_of(engine: SchemaEmbed, shop: Path, column: str) -> Suggestion:
    rows = engine.suggest(shop, select=["source:stripe.charges"]).rows
    return next(row for row in rows if row.source_column == column)


def edited(shop: Path, column: str, old: str, new: str) -> None:
    """Change the row of one column in the mapping file of charges."""
    path = shop / "schema_mappings" / "stripe__charges.yml"
    head, row = path.read_text("utf-8").split(f"source_column: {column}\n")
    path.write_text(f"{head}source_column: {column}\n{row.replace(old, new, 1)}", "utf-8")


def test_every_column_of_every_source_has_one_row(engine: SchemaEmbed, shop: Path) -> None:
    rows = engine.suggest(shop).rows
    sources = [r for r in read_project(shop).relations if r.kind == "source"]
    assert [(row.source, row.source_column) for row in rows] == [(s.id, c.name) for s in sources for c in s.columns]


@pytest.mark.parametrize(
    ("select", "exclude", "tables"),
    [
        (["source:stripe.charges"], [], ["stripe.charges"]),
        (["stripe.charges"], [], ["stripe.charges"]),
        (["Stripe.Charges stripe.refunds"], [], ["stripe.charges", "stripe.refunds"]),
        (["stripe"], ["source:stripe.charges", "stripe.customers stripe.disputes"],
         ["stripe.invoices", "stripe.payouts", "stripe.refunds", "stripe.subscriptions"]),
        (["+customers,stripe"], [], ["stripe.customers"]),
    ],
)  # fmt: skip
def test_the_selection_says_which(
    engine: SchemaEmbed, shop: Path, select: list[str], exclude: list[str], tables: list[str]
) -> None:
    rows = engine.suggest(shop, select=select, exclude=exclude).rows
    assert list(dict.fromkeys(row.source for row in rows)) == [f"source.shop.{table}" for table in tables]


@pytest.mark.parametrize(
    ("select", "message"),
    [
        ("stripe.chargs", "the selection 'stripe.chargs' selects nothing\n  near names: "),
        ("stg_stripe__charges", "the selection 'stg_stripe__charges' has no source table in it\n"
         "  sources are: shopkeep.cust, shopkeep.ord_hdr, shopkeep.ord_ln, shopkeep.prod, shopkeep.product_reviews "
         "and 9 more"),
    ],
)  # fmt: skip
def test_a_selection_without_sources_is_an_error(engine: SchemaEmbed, shop: Path, select: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        engine.suggest(shop, select=[select])
    assert str(caught.value).startswith(message)


def test_a_project_without_sources_is_an_error(engine: SchemaEmbed, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "manifest.json").write_text('{"metadata": {"project_name": "bare"}, "nodes": {}}')
    with pytest.raises(ConfigError) as caught:
        engine.suggest(tmp_path)
    assert str(caught.value) == (
        "the project bare declares no sources\n"
        "  declare the raw tables under `sources:` in a YAML file, then run: dbt parse"
    )


def test_options_reach_the_matcher(engine: SchemaEmbed, shop: Path, matcher: SameName) -> None:
    engine.suggest(shop, targets="all", top_k=3)
    asked = matcher.asked[-1]
    assert (asked["targets"], asked["top_k"]) == ("all", 3)


def test_targets_default_to_the_settings(encoder: HashEncoder, matcher: SameName, shop: Path) -> None:
    SchemaEmbed(Settings(targets="all")).suggest(shop)
    assert matcher.asked[-1]["targets"] == "all"


def test_a_second_run_encodes_nothing_and_writes_nothing(engine: SchemaEmbed, shop: Path, encoder: HashEncoder) -> None:
    first = engine.suggest(shop, write=True)
    assert len(first.written) == 14
    assert first.written[0] == "schema_mappings/shopkeep__cust.yml"
    assert (shop / "schema_mappings" / "mapping.schema.json").is_file()
    files = {p: p.stat().st_mtime_ns for p in (shop / "schema_mappings").iterdir()}
    encoder.encoded.clear()
    with SchemaEmbed() as again:
        second = again.suggest(shop, write=True)
    assert second.rows == first.rows
    assert second.written == ()
    assert encoder.encoded == []
    assert {p: p.stat().st_mtime_ns for p in (shop / "schema_mappings").iterdir()} == files


def test_only_selected_tables_are_written(engine: SchemaEmbed, shop: Path) -> None:
    assert engine.suggest(shop, select=["stripe.charges"], write=True).written == (
        "schema_mappings/stripe__charges.yml",
    )


def test_nothing_is_written_unless_asked(engine: SchemaEmbed, shop: Path) -> None:
    assert engine.suggest(shop).written == ()
    assert not (shop / "schema_mappings").exists()


def test_an_accepted_answer_stands(engine: SchemaEmbed, shop: Path, matcher: SameName) -> None:
    engine.suggest(shop, write=True)
    edited(shop, "amount", "status: suggested", "status: accepted")
    edited(shop, "failure_code", "model_column: failure_code", "model_column: CARD_BRAND")
    edited(shop, "failure_code", "status: suggested", "status: accepted")
    assert row_of(engine, shop, "amount") == Suggestion(
        CHARGES, "amount", STG, "amount", 1.0, "accepted", "the same name", {"name": 1.0},
        row_of(engine, shop, "amount").candidates,
    )  # fmt: skip
    other = row_of(engine, shop, "failure_code")
    assert (other.model_column, other.status, other.confidence, other.reason) == (
        "card_brand", "accepted", 1.0, "decided by hand",
    )  # fmt: skip
    assert matcher.asked[-1]["accepted"] == {
        (CHARGES, "amount"): (STG, "amount"),
        (CHARGES, "failure_code"): (STG, "card_brand"),
    }


def test_a_target_that_is_held_is_no_second_suggestion(engine: SchemaEmbed, shop: Path) -> None:
    """Whatever the matcher says: one column of a table feeds a model column, and the other is undecided."""
    engine.suggest(shop, select=["stripe.charges"], write=True)
    pair = {"model": "stg_stripe__charges", "model_column": "amount"}
    engine.accept("stripe.charges", ["customer"], shop, **pair)
    row = next(
        r for r in engine.suggest(shop, select=["stripe.charges"], write=True).rows if r.source_column == "amount"
    )
    assert (row.answer, row.reason) == ("undecided", "stg_stripe__charges.amount is another column's")
    assert not [p for p in engine.check(shop).problems if p.code == "fed-twice"]


def test_a_note_on_a_rejected_row_is_shown(engine: SchemaEmbed, shop: Path) -> None:
    engine.suggest(shop, select=["stripe.charges"], write=True)
    engine.reject("stripe.charges", ["amount"], shop, note="that is net")
    found = engine.suggest(shop, select=["stripe.charges"])
    said = "not stg_stripe__charges.amount: that is net"
    assert said in suggestions_text(found, "table")
    assert said.replace("_", "&#95;") in suggestions_text(found, "markdown")
    (row,) = [r for r in found.to_dict()["suggestions"] if "rejections" in r]
    assert (row["source_column"], row["rejections"], row.get("note")) == ("amount", said, None)


def test_a_rejected_answer_is_not_given_again(engine: SchemaEmbed, shop: Path, matcher: SameName) -> None:
    engine.suggest(shop, write=True)
    before = row_of(engine, shop, "receipt_email")
    edited(shop, "receipt_email", "status: suggested", "status: rejected")
    row = row_of(engine, shop, "receipt_email")
    assert (before.model_column, row.model, row.status) == ("receipt_email", None, "rejected")
    assert row.reason == "stg_stripe__charges.receipt_email was rejected, and nothing else fits"
    assert matcher.asked[-1]["rejected"] == {(CHARGES, "receipt_email", STG, "receipt_email")}


def test_a_column_accepted_as_feeding_nothing_feeds_nothing(engine: SchemaEmbed, shop: Path, matcher: SameName) -> None:
    engine.suggest(shop, write=True)
    engine.decisions.decide(shop, "stripe.charges", ["livemode"], "accepted")
    row = row_of(engine, shop, "livemode")
    assert (row.model, row.status, row.confidence) == (None, "accepted", 1.0)
    assert matcher.asked[-1]["accepted"] == {(CHARGES, "livemode"): None}


def test_decisions_about_names_that_are_gone_are_passed_over(
    engine: SchemaEmbed, shop: Path, matcher: SameName
) -> None:
    engine.suggest(shop, write=True)
    edited(shop, "amount", "status: suggested", "status: accepted")
    edited(shop, "amount", "model: stg_stripe__charges", "model: stg_gone")
    assert row_of(engine, shop, "amount").status == "suggested"


def test_a_renamed_mapping_file_stays_where_it_is(engine: SchemaEmbed, shop: Path, matcher: SameName) -> None:
    engine.suggest(shop, select=["stripe.charges"], write=True)
    folder = shop / "schema_mappings"
    (folder / "stripe__charges.yml").rename(folder / "charges.yaml")
    matcher.confidence = 0.5
    engine.cache.clear()
    assert engine.suggest(shop, select=["stripe.charges"], write=True).written == ("schema_mappings/charges.yaml",)


def test_a_broken_mapping_file_stops_the_run_before_anything_is_written(engine: SchemaEmbed, shop: Path) -> None:
    (shop / "schema_mappings").mkdir()
    (shop / "schema_mappings" / "a.yml").write_text("version: 1\nsource: [\n")
    with pytest.raises(MappingError, match=r"schema_mappings/a\.yml"):
        engine.suggest(shop, write=True)
    assert [p.name for p in (shop / "schema_mappings").iterdir()] == ["a.yml"]


def test_two_packages_that_declare_one_source_have_two_files(engine: SchemaEmbed, shop: Path) -> None:
    manifest = shop / "target" / "manifest.json"
    text = manifest.read_text("utf-8")
    import json

    data = json.loads(text)
    twin = data["sources"][CHARGES] | {"package_name": "other", "unique_id": "source.other.stripe.charges"}
    data["sources"]["source.other.stripe.charges"] = twin
    manifest.write_text(json.dumps(data), "utf-8")
    written = engine.suggest(shop, select=["source:stripe.charges"], write=True).written
    assert written == ("schema_mappings/other__stripe__charges.yml", "schema_mappings/shop__stripe__charges.yml")
    edited_path = shop / "schema_mappings" / "shop__stripe__charges.yml"
    edited_path.write_text(edited_path.read_text("utf-8").replace("status: suggested", "status: accepted", 1), "utf-8")
    rows = engine.suggest(shop, select=["source:stripe.charges"]).rows
    assert [row.source for row in rows if row.status == "accepted"] == [CHARGES]
    assert engine.suggest(shop, select=["source:stripe.charges"], write=True).written == ()


def test_warnings_of_the_project_are_told_once(engine: SchemaEmbed, shop: Path) -> None:
    manifest = shop / "target" / "manifest.json"
    manifest.write_text(
        manifest.read_text("utf-8").replace('"adapter_type": "duckdb"', '"adapter_type": "odd"'), "utf-8"
    )
    told = engine.suggest(shop).warnings
    engine.suggest(shop)
    assert [w for w in told if "the adapter odd is not known" in w] != []
    assert engine.warnings == list(told)


def test_explain_names_a_column_as_people_do(engine: SchemaEmbed, shop: Path) -> None:
    for name in ("stripe.charges.ID", "source.shop.stripe.charges.id", "shop.stripe.charges.id"):
        assert engine.explain(name, shop) == "stripe.charges.id among 8 models\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("stripe.charge.id", "the project has no source table 'stripe.charge'\n  did you mean stripe.charges?"),
        ("id", "the project has no source table ''\n  write it as source.table.column"),
        ("stripe.charges.amont", "stripe.charges has no column 'amont'\n  did you mean amount?"),
    ],
)
def test_explain_of_an_unknown_column_names_a_near_one(
    engine: SchemaEmbed, shop: Path, name: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        engine.explain(name, shop)
    assert str(caught.value) == message


@pytest.mark.parametrize("call", ["suggest", "evaluate"])
def test_the_matcher_always_sees_the_tables_that_compete(
    engine: SchemaEmbed, shop: Path, matcher: SameName, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that `evaluate` measures what `suggest` answers."""
    seen: list[bool] = []

    def suggest(sources: Any, models: Any, *, project: Any, only: Any, **options: Any) -> Any:
        seen.append({s.relation.id for s in sources} == {r.id for r in competitors(project, only)} > set(only))
        return matcher.suggest(sources, models, project=project, only=only, **options)

    monkeypatch.setattr("dbt_schema_embed.match.suggest", suggest)
    engine.suggest(shop, select=["source:stripe.charges"]) if call == "suggest" else engine.evaluate(shop)
    assert all(seen)
    assert seen


@pytest.mark.parametrize(("call", "times"), [("suggest", 1), ("review", 1), ("report", 2)])
def test_a_manifest_is_read_once(
    engine: SchemaEmbed, shop: Path, call: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once more by the `check` in a report, for which the project's own files count more."""
    read: list[str] = []
    decode = msgspec.json.decode

    def counted(data: Any, **options: Any) -> Any:
        if len(data) > 100_000:
            read.append(getattr(options.get("type"), "__name__", ""))
        return decode(data, **options)

    monkeypatch.setattr("msgspec.json.decode", counted)
    getattr(engine, call)(shop)
    assert read.count("Manifest") == times


@pytest.mark.parametrize(("keep", "times"), [(True, 1), (False, 3)])
def test_a_process_that_lives_long_embeds_its_models_once(
    engine: SchemaEmbed, shop: Path, keep: bool, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    models: list[str] = []
    embedded = engine.session.embedded

    def counted(relations: Sequence[Relation], *args: Any, **options: Any) -> Any:
        models.extend(r.name for r in relations if r.name == "stg_stripe__charges")
        return embedded(relations, *args, **options)

    monkeypatch.setattr(engine.session, "embedded", counted)
    engine.session.keep = keep
    said = [engine.explain(f"stripe.charges.{column}", shop) for column in ("id", "amount", "id")]
    assert said[0] == said[2] != said[1]
    assert len(models) == times


def test_match_takes_tables_without_a_project(engine: SchemaEmbed, tmp_path: Path) -> None:
    (tmp_path / "left.csv").write_text("id,Name,other\n")
    (tmp_path / "right.csv").write_text("name,ID\n")
    answer = engine.match(read_relation(tmp_path / "left.csv"), read_relation(tmp_path / "right.csv"))
    assert [(r.source, r.source_column, r.model, r.model_column) for r in answer.rows] == [
        ("left", "id", "right", "ID"),
        ("left", "Name", "right", "name"),
        ("left", "other", None, None),
    ]
    assert answer.to_dict()["suggestions"][0]["model"] == "right"


def test_match_refuses_a_table_without_columns(engine: SchemaEmbed, tmp_path: Path) -> None:
    from dbt_schema_embed.records import Column, Relation

    full = Relation("a", "a", "table", (Column("x"),))
    with pytest.raises(ArtifactError, match="the table empty has no columns"):
        engine.match(full, Relation("empty", "empty", "table"))


def test_a_missing_extra_is_said_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbt_schema_embed.extras.MEMO", ("no_such_module",))
    with pytest.raises(MissingExtraError, match=r"pip install 'dbt-schema-embed\[embed\]'"):
        SchemaEmbed().encode([])
