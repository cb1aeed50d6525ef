"""accept, reject, apply, stage."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.errors import ConfigError, MappingError
from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.write.mapping import read_mapping
from tests.shop import SameName

CHARGES = "schema_mappings/stripe__charges.yml"
SOURCES = "models/staging/stripe/_stripe__sources.yml"


@pytest.fixture
def mapped(engine: SchemaEmbed, shop: Path) -> Path:
    engine.suggest(shop, write=True)
    return shop


def statuses(shop: Path) -> dict[str, str]:
    """Column -> status, of the columns somebody decided about."""
    file = read_mapping(shop / CHARGES, CHARGES)
    return {row.source_column: row.status for row in file.columns if row.status != "suggested"}


def test_accept_and_reject_change_a_status_and_no_more(engine: SchemaEmbed, mapped: Path) -> None:
    before = (mapped / CHARGES).read_text("utf-8")
    assert engine.decisions.decide(mapped, "Stripe.Charges", ["amount", "CURRENCY"], "accepted").files == (CHARGES,)
    changed = engine.decisions.decide(mapped, "stripe.charges", ["failure_code"], "rejected", note="another meaning")
    assert statuses(mapped) == {"amount": "accepted", "currency": "accepted", "failure_code": "rejected"}
    assert "+    note: another meaning" in changed.diff
    after = (mapped / CHARGES).read_text("utf-8").replace("    note: another meaning\n", "")
    assert after.count("    decided_by: Ana\n    decided_at: '20") == 3
    after = re.sub(r"    decided_(by|at): .*\n", "", after)
    assert (
        after.replace("accepted", "suggested").replace("rejected", "suggested").splitlines()[3:]
        == (before.replace("accepted", "suggested").replace("rejected", "suggested").splitlines()[3:])
    )
    assert engine.decisions.decide(mapped, "stripe.charges", ["amount"], "accepted").files == ()


def test_another_answer_can_be_accepted_by_name_or_unique_id(engine: SchemaEmbed, mapped: Path) -> None:
    for model in ("STG_stripe__charges", "model.shop.stg_stripe__charges"):
        engine.decisions.decide(mapped, "stripe.charges", ["id"], "accepted", model=model, model_column="Charge_ID")
    text = (mapped / CHARGES).read_text("utf-8")
    assert text.count("model_column: charge_id") == 1
    assert statuses(mapped) == {"id": "accepted"}


def test_all_that_is_sure_enough_can_be_accepted(engine: SchemaEmbed, mapped: Path) -> None:
    assert engine.decisions.accept_confident(mapped, 0.95, source="stripe.charges")[0] == 0
    count, changed = engine.decisions.accept_confident(mapped, 0.9, source="stripe.charges")
    assert (count, changed.files) == (len(statuses(mapped)), (CHARGES,))
    everywhere, more = engine.decisions.accept_confident(mapped, 0.9)
    assert everywhere > 0
    assert CHARGES not in more.files


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("stripe.chargs", ["id"]), {}, "no mapping file is about 'stripe.chargs'\n  did you mean stripe.charges?"),
        (("x", ["id"]), {}, "no mapping file is about 'x'\n  mapped are: shopkeep.cust, shopkeep.ord_hdr, "
         "shopkeep.ord_ln, shopkeep.prod, shopkeep.product_reviews and 9 more"),
        (("stripe.charges", ["amont"]), {}, f"{CHARGES} has no column 'amont'\n  did you mean amount?"),
        (("stripe.charges", ["id"]), {"model": "stg_stripe__charges"},
         "--model and --column stand together: which column of which model?"),
        (("stripe.charges", ["id", "paid"]), {"model": "stg_stripe__charges", "model_column": "is_paid"},
         "--model and --column are the answer for one column, not for 2\n  say with --expression how they are joined"),
        (("stripe.charges", ["id"]), {"model": "stg_stripe__charge", "model_column": "is_paid"},
         "the project has no model 'stg_stripe__charge'\n  did you mean stg_stripe__charges?"),
        (("stripe.charges", ["id"]), {"model": "stg_stripe__charges", "model_column": "is_pad"},
         "stg_stripe__charges has no column 'is_pad'\n  did you mean is_paid?"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_one_message(
    engine: SchemaEmbed, mapped: Path, arguments: tuple[str, list[str]], options: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        engine.decisions.decide(mapped, *arguments, "accepted", **options)  # type: ignore[arg-type]
    assert str(caught.value) == message
    assert statuses(mapped) == {}


def test_without_mapping_files_it_says_how_to_get_them(engine: SchemaEmbed, shop: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        engine.decisions.accept_confident(shop, 0.9)
    assert str(caught.value) == (
        "there are no mapping files in schema_mappings\n  write them with: dbt-schema-embed suggest --write"
    )


def test_an_unreadable_file_stops_what_may_concern_it(engine: SchemaEmbed, mapped: Path) -> None:
    (mapped / "schema_mappings" / "aaa.yml").write_text("version: 2\n")
    assert engine.decisions.decide(mapped, "stripe.charges", ["amount"], "accepted").files == (CHARGES,)
    for call in (
        lambda: engine.decisions.accept_confident(mapped, 0.9),
        lambda: engine.decisions.decide(mapped, "no.such", ["id"], "accepted"),
        lambda: engine.decisions.apply(mapped),
    ):
        with pytest.raises(MappingError, match="it has version '2'"):
            call()


def test_apply_writes_what_is_accepted_and_takes_it_out_again(engine: SchemaEmbed, mapped: Path) -> None:
    before = (mapped / SOURCES).read_bytes()
    engine.decisions.decide(mapped, "stripe.charges", ["amount"], "accepted")
    dry = engine.decisions.apply(mapped, ["stripe.charges"], dry_run=True)
    assert dry.files == ()
    assert "+                  column: amount" in dry.diff
    assert (mapped / SOURCES).read_bytes() == before
    assert engine.decisions.apply(mapped).files == (SOURCES,)
    assert engine.decisions.apply(mapped).files == ()
    assert engine.decisions.apply(mapped, revert=True).files == (SOURCES,)
    assert (mapped / SOURCES).read_bytes() == before


def test_apply_tells_what_it_passes_over(engine: SchemaEmbed, mapped: Path) -> None:
    path = mapped / CHARGES
    path.write_text(path.read_text("utf-8").replace("source: stripe.charges", "source: stripe.gone"), "utf-8")
    engine.decisions.apply(mapped)
    assert any("stripe.gone" in line for line in engine.warnings)


def test_stage_writes_a_model_once(engine: SchemaEmbed, mapped: Path) -> None:
    engine.decisions.decide(mapped, "stripe.charges", ["amount", "currency"], "accepted")
    engine.decisions.decide(
        mapped, "stripe.charges", ["currency"], "accepted", model="stg_stripe__charges", model_column="currency"
    )
    place = "models/staging/stripe/stg_stripe__charges.sql"
    dry = engine.decisions.stage("stripe.charges", mapped, dry_run=True)
    assert dry.files == ()
    assert (mapped / place).read_text("utf-8") == ""
    assert engine.decisions.stage("stripe.charges", mapped).files == (place,)
    text = (mapped / place).read_text("utf-8")
    assert "cast(amount as decimal(16, 2)) as amount" in text
    assert text.startswith("with\n\nsource as (\n")  # as the project's other staging models
    assert engine.decisions.stage("stripe.charges", mapped).files == ()
    engine.decisions.decide(mapped, "stripe.charges", ["failure_code"], "accepted")
    assert engine.decisions.stage("stripe.charges", mapped).files == (place,)
    new = (mapped / place).read_text("utf-8")
    assert "failure_code" in new
    assert [line for line in text.splitlines() if line not in new.splitlines()] == [
        "        -- not accepted yet: failure_code, suggested for failure_code",
        "        -- fed by nothing: failure_code",
    ]


def test_a_decision_can_be_moved_joined_and_opened_again(engine: SchemaEmbed, mapped: Path) -> None:
    def rows(column: str) -> list[tuple[str | None, str, str]]:
        from dbt_schema_embed.write.mapping import read_mapping

        file = read_mapping(mapped / CHARGES, CHARGES)
        return [(r.model_column, r.status, r.decided_by) for r in file.columns if column in r.source_columns]

    decide = partial(engine.decisions.decide, mapped, "stripe.charges")
    to = {"model": "stg_stripe__charges"}
    decide(["amount"], "accepted", note="in cents")
    decide(["amount"], "accepted", model_column="card_brand", **to)
    assert rows("amount") == [("card_brand", "accepted", "Ana")]
    decide(["amount"], "accepted", model_column="amount", also=True, **to)
    assert rows("amount") == [("card_brand", "accepted", "Ana"), ("amount", "accepted", "Ana")]
    answer = [s for s in engine.suggest(mapped, select=["stripe.charges"]).rows if s.source_column == "amount"]
    assert [(s.model_column, s.note) for s in answer] == [("card_brand", "in cents"), ("amount", "in cents")]
    decide(["amount"], "suggested", model_column="card_brand", **to)
    assert rows("amount") == [("card_brand", "suggested", ""), ("amount", "accepted", "Ana")]
    decide(["currency", "id"], "accepted", model_column="currency", expression="currency || id", **to)
    assert rows("currency") == rows("id")[:1] == [("currency", "accepted", "Ana")]
    with pytest.raises(ConfigError, match="takes nothing_such, which its row does not name"):
        decide(["currency"], "accepted", model_column="currency", expression="nothing_such", **to)
    assert engine.decisions.accept_confident(mapped, 0.9, source="stripe.charges")[0] > 0
    assert rows("failure_code") == [("failure_code", "accepted", "Ana, confidence 0.90 and more")]


def test_a_table_is_pinned_to_a_model(engine: SchemaEmbed, mapped: Path, matcher: SameName) -> None:
    path = mapped / CHARGES
    engine.suggest(mapped, select=["stripe.charges"], into=["STG_stripe__disputes"], write=True)
    assert "into: [stg_stripe__disputes]\n" in path.read_text("utf-8")
    answers = engine.suggest(mapped, select=["stripe.charges"]).rows
    assert {s.model for s in answers if s.model} == {"model.shop.stg_stripe__disputes"}
    engine.suggest(mapped, select=["stripe.charges"], not_into=["stg_stripe__disputes"], write=True)
    assert "not_into: [stg_stripe__disputes]\n" in path.read_text("utf-8")
    assert "\ninto:" not in path.read_text("utf-8")
    assert "model.shop.stg_stripe__disputes" not in {
        s.model for s in engine.suggest(mapped).rows if "charges" in s.source
    }
    with pytest.raises(ConfigError, match="the project has no model 'stg_stripe__dispute'"):
        engine.suggest(mapped, select=["stripe.charges"], into=["stg_stripe__dispute"])


def test_stage_follows_no_path_out_of_the_project(
    engine: SchemaEmbed, mapped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.sql").write_text("select 1 as outside")
    manifest = mapped / "target" / "manifest.json"
    text = manifest.read_text("utf-8")
    inside = '"original_file_path": "models/staging/stripe/stg_stripe__customers.sql"'
    assert inside in text
    manifest.write_text(text.replace(inside, '"original_file_path": "../secret.sql"'), "utf-8")
    seen: list[str] = []
    from dbt_schema_embed.write import stage as room

    real = room.stage
    monkeypatch.setattr(room, "stage", lambda *a: (seen.extend(a[3]), real(*a))[1])
    engine.decisions.decide(mapped, "stripe.charges", ["amount"], "accepted")
    engine.decisions.stage("stripe.charges", mapped, dry_run=True)
    assert len(seen) == 2  # of the three that read stripe
    assert not any("outside" in sql for sql in seen)


def test_what_is_decided_meanwhile_is_not_accepted_with_the_rest(
    engine: SchemaEmbed, mapped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dbt_schema_embed.write import rewrite

    path, write = mapped / CHARGES, rewrite.write_text
    line = "    model_column: amount\n"
    assert path.read_text().count(line) == 1

    def late(*args: Any, **named: Any) -> bool:
        monkeypatch.setattr(rewrite, "write_text", write)
        head, rest = path.read_text().split(line)
        path.write_text(head + line + rest.replace("status: suggested", "status: rejected", 1))
        return write(*args, **named)

    monkeypatch.setattr(rewrite, "write_text", late)
    before = len([row for row in read_mapping(path, CHARGES).columns if row.model])
    assert engine.decisions.accept_confident(mapped, 0.9, source="stripe.charges")[0] == before - 1
    assert statuses(mapped)["amount"] == "rejected"
    assert [*statuses(mapped).values()].count("accepted") == before - 1


def test_a_glossary_is_read_inside_the_project_only(engine: SchemaEmbed, mapped: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    (mapped / "schema_mappings/glossary.yml").symlink_to(secret)
    for call in (engine.suggest, engine.glossary):
        with pytest.raises(ConfigError, match=r"schema_mappings/glossary\.yml leads out of the project"):
            call(mapped)
