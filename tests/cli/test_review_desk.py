"""What each key of a review does: to the screen, and to the mapping files, at once."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbt_schema_embed.cli.review_desk import Desk
from dbt_schema_embed.cli.review_screen import screen
from dbt_schema_embed.decide.reviewing import Review
from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.show.words import evidence_words
from dbt_schema_embed.write.mapping import read_mapping
from dbt_schema_embed.write.rewrite import Rewrite
from tests.embed.encoders import HashEncoder
from tests.shop import SameName

CHARGES = "schema_mappings/stripe__charges.yml"


@pytest.fixture
def review(shop: Path, encoder: HashEncoder, matcher: SameName) -> Iterator[Review]:
    with SchemaEmbed() as engine:
        yield engine.review(shop, select=["stripe.charges"])


@pytest.fixture
def desk(review: Review) -> Desk:
    for item in review.items:
        item.foreign = frozenset()  # the matcher of equal names does not look at sources
    return Desk(review)


def press(desk: Desk, *keys: str) -> None:
    for key in keys:
        desk.press(key)


def typed(desk: Desk, text: str) -> None:
    press(desk, *text)


def rows(shop: Path, column: str) -> list[tuple[str | None, str | None, str, str]]:
    """Model, column, status and note of the rows of a source column."""
    file = read_mapping(shop / CHARGES, "it")
    return [(r.model, r.model_column, r.status, r.note) for r in file.columns if r.source_column == column]


def go_to(desk: Desk, column: str) -> None:
    desk.at = next(i for i, item in enumerate(desk.review.items) if item.column == column)


def test_it_starts_with_the_mapping_files_written(desk: Desk, shop: Path) -> None:
    assert (shop / CHARGES).is_file()
    assert {item.source for item in desk.review.items} == {"stripe.charges"}
    assert {(item.state, item.answer is None) for item in desk.review.items} == {("open", False), ("nothing", True)}


def test_the_most_doubtful_come_first(shop: Path, encoder: HashEncoder, matcher: SameName) -> None:
    with SchemaEmbed() as engine:
        items = engine.review(shop).items
    places = [(item.source, item.state != "open", item.confidence) for item in items]
    assert places == sorted(places)


def test_accept_is_saved_at_once_and_goes_on(desk: Desk, shop: Path) -> None:
    go_to(desk, "amount")
    desk.press("a")
    assert rows(shop, "amount") == [("stg_stripe__charges", "amount", "accepted", "")]
    assert desk.message == "accepted amount → stg_stripe__charges.amount"
    assert desk.item.column != "amount"


def test_reject(desk: Desk, shop: Path) -> None:
    go_to(desk, "amount")
    desk.press("r")
    assert rows(shop, "amount") == [("stg_stripe__charges", "amount", "rejected", "")]


def test_a_digit_accepts_another_answer(desk: Desk, shop: Path) -> None:
    go_to(desk, "currency")
    other = desk.item.others[0]
    desk.press("1")
    assert rows(shop, "currency") == [(other.model, other.column, "accepted", "")]


def test_a_digit_without_an_answer_does_nothing(desk: Desk, shop: Path) -> None:
    before = (shop / CHARGES).read_bytes()
    desk.press("9")
    assert desk.message == "there is no answer 9 here"
    assert (shop / CHARGES).read_bytes() == before


def test_search_by_typing(desk: Desk, shop: Path) -> None:
    go_to(desk, "amount")
    press(desk, "/")
    typed(desk, "charge idx")
    press(desk, "backspace", "down", "down", "up", "up")
    assert (desk.found[0].model, desk.found[0].column) == ("stg_stripe__charges", "charge_id")
    desk.press("enter")
    assert rows(shop, "amount") == [("stg_stripe__charges", "charge_id", "accepted", "")]


def test_escape_leaves_a_search(desk: Desk, shop: Path) -> None:
    before = (shop / CHARGES).read_bytes()
    press(desk, "/", "a", "escape")
    assert (desk.mode, desk.over) == ("look", False)
    assert (shop / CHARGES).read_bytes() == before


def test_a_note_is_kept_and_can_be_changed(desk: Desk, shop: Path) -> None:
    go_to(desk, "amount")
    desk.press("n")
    typed(desk, "ask Ann")
    desk.press("enter")
    assert rows(shop, "amount") == [("stg_stripe__charges", "amount", "suggested", "ask Ann")]
    press(desk, "n", *["backspace"] * 7, "enter")
    assert rows(shop, "amount") == [("stg_stripe__charges", "amount", "suggested", "")]
    assert desk.message == "note removed"


def test_undo_restores_the_file_byte_for_byte(desk: Desk, shop: Path) -> None:
    states = [(shop / CHARGES).read_bytes()]
    go_to(desk, "amount")
    for key in ("a", "r", "1"):
        desk.press(key)
        states.append((shop / CHARGES).read_bytes())
    assert len(set(states)) == 4
    for state in reversed(states[:-1]):
        desk.press("u")
        assert (shop / CHARGES).read_bytes() == state
    assert desk.item.column == "amount"
    assert desk.counts()["open"] == sum(item.answer is not None for item in desk.review.items)
    desk.press("u")
    assert desk.message == "there is nothing to take back"


def other_review(shop: Path) -> Review:
    with SchemaEmbed() as engine:
        return engine.review(shop, select=["stripe.charges"])


@pytest.mark.parametrize("seed", range(5))
def test_undo_goes_back_over_everything_to_the_start(desk: Desk, shop: Path, seed: int) -> None:
    def now() -> list[object]:
        return [(i.column, i.answer, i.state, i.note, i.sureness) for i in desk.review.items]

    before, text = now(), (shop / CHARGES).read_bytes()
    moves = ["a", "r", "0", "1", "3", "o", "p", "s", "fid\n", "fmode\n", "n why \n", "/am\n", "A0.9\n", "A\n", "u"]
    for move in random.Random(seed).choices(moves, k=120):
        press(desk, *("enter" if key == "\n" else key for key in move))
    assert now() != before
    while desk.message != "there is nothing to take back":
        desk.press("u")
    assert (now(), (shop / CHARGES).read_bytes()) == (before, text)


def test_undo_leaves_what_others_decided_since(desk: Desk, shop: Path) -> None:
    go_to(desk, "amount")
    desk.press("a")
    other = other_review(shop)
    currency = next(item for item in other.items if item.column == "currency")
    other.reject(currency)
    desk.press("u")
    assert desk.message == "taken back: amount"
    assert [status for _, _, status, _ in rows(shop, "amount")] == ["suggested"]
    assert [status for _, _, status, _ in rows(shop, "currency")] == ["rejected"]
    other.undo()
    assert [status for _, _, status, _ in rows(shop, "currency")] == ["suggested"]


def test_undo_takes_back_no_decision_that_others_made_anew(desk: Desk, shop: Path) -> None:
    go_to(desk, "currency")
    desk.press("r")
    go_to(desk, "amount")
    desk.press("a")
    with SchemaEmbed() as engine:
        engine.decisions.decide(shop, "stripe.charges", ["amount"], "rejected")
    desk.press("u")
    assert "column 'amount' of schema_mappings/stripe__charges.yml was decided about again meanwhile" in desk.message
    assert [status for _, _, status, _ in rows(shop, "amount")] == ["rejected"]
    desk.press("u")  # and the one before it can be taken back still
    assert [status for _, _, status, _ in rows(shop, "currency")] == ["suggested"]


def test_a_decision_waits_for_nobody(desk: Desk, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else saves between our look and our write: ours is made anew, on the file as it is then."""
    write, busy = Rewrite.write, [3]

    def hindered(rewrite: Rewrite, root: Path) -> bool:
        if busy[0]:
            busy[0] -= 1
            path = shop / CHARGES
            path.write_text(path.read_text() + "# theirs\n")
        return write(rewrite, root)

    monkeypatch.setattr(Rewrite, "write", hindered)
    go_to(desk, "amount")
    desk.press("a")
    assert [status for _, _, status, _ in rows(shop, "amount")] == ["accepted"]
    assert (shop / CHARGES).read_text().count("# theirs\n") == 3


def test_all_of_a_table_are_accepted_and_taken_back_in_its_own_file(
    shop: Path, encoder: HashEncoder, matcher: SameName
) -> None:
    with SchemaEmbed() as engine:
        desk = Desk(engine.review(shop, select=["stripe.charges", "stripe.refunds"]))
    before = {path.name: path.read_bytes() for path in (shop / "schema_mappings").glob("*.yml")}
    (shop / "schema_mappings/stripe__refunds.yml").chmod(0o444)
    press(desk, "A", *["backspace"] * 4, *"0.0", "enter")
    assert desk.counts()["accepted"]
    assert {item.source for item in desk.review.items if item.state == "accepted"} == {"stripe.charges"}
    desk.press("u")
    assert desk.counts()["accepted"] == 0
    assert {path.name: path.read_bytes() for path in (shop / "schema_mappings").glob("*.yml")} == before


def test_of_two_files_one_cannot_be_written(shop: Path, encoder: HashEncoder, matcher: SameName) -> None:
    with SchemaEmbed() as engine:
        desk = Desk(engine.review(shop, select=["stripe.charges", "stripe.refunds"]))
    for item in desk.review.items:  # as where two packages declare a source of one name
        item.source = "stripe.charges"
    before = {path.name: path.read_bytes() for path in (shop / "schema_mappings").glob("*.yml")}
    (shop / "schema_mappings/stripe__refunds.yml").chmod(0o444)
    press(desk, "A", *["backspace"] * 4, *"0.0", "enter")
    accepted = desk.counts()["accepted"]
    assert accepted
    assert {item.path.name for item in desk.review.items if item.state == "accepted"} == {"stripe__charges.yml"}
    assert f"it is read-only {accepted} in other files are saved; undo takes them back" in " ".join(
        desk.message.split()
    )
    desk.press("u")
    assert desk.counts()["accepted"] == 0
    assert {path.name: path.read_bytes() for path in (shop / "schema_mappings").glob("*.yml")} == before


def test_an_accepted_column_can_be_given_another_answer(desk: Desk, shop: Path) -> None:
    go_to(desk, "amount")
    desk.press("a")
    go_to(desk, "amount")
    press(desk, "/", *"charge id", "enter")
    assert rows(shop, "amount") == [("stg_stripe__charges", "charge_id", "accepted", "")]


def test_accept_all_above_a_confidence_and_take_it_back(desk: Desk, shop: Path) -> None:
    before = (shop / CHARGES).read_bytes()
    press(desk, "A", *["backspace"] * 4, *"0.5", "enter")
    accepted = desk.counts()["accepted"]
    assert desk.message.startswith(f"accepted {accepted} with a confidence of 0.50 or more")
    assert desk.done
    desk.press("u")
    assert (shop / CHARGES).read_bytes() == before
    assert desk.message.endswith(f" and {accepted - 1} more")
    assert not desk.done


def test_taking_many_back_leaves_people_where_they_are(desk: Desk) -> None:
    go_to(desk, "amount")
    desk.item.confidence = 0.1
    press(desk, "A", *["backspace"] * 4, *"0.5", "enter")
    assert desk.item.column == "amount"
    desk.press("u")
    assert (desk.item.column, desk.counts()["accepted"]) == ("amount", 0)


def test_a_confidence_that_nothing_reaches_takes_nothing_back(desk: Desk) -> None:
    press(desk, "A", *["backspace"] * 4, "1", "enter")
    assert desk.message == "there is no open answer with a confidence of 1.00 or more"


@pytest.mark.parametrize("text", ["much", "2", "nan", ""])
def test_what_is_no_confidence_accepts_nothing(desk: Desk, text: str) -> None:
    press(desk, "A", *["backspace"] * 4, *text, "enter")
    assert desk.message == f"{text!r} is not a number from 0 to 1"
    assert desk.counts()["accepted"] == 0


def test_skip_and_back_decide_nothing(desk: Desk, shop: Path) -> None:
    before = (shop / CHARGES).read_bytes()
    first = desk.at
    press(desk, "s", "s", "p", "p")
    assert desk.at == first
    assert (shop / CHARGES).read_bytes() == before


def test_after_the_last_one_it_is_done(desk: Desk) -> None:
    press(desk, *"a" * desk.counts()["open"])
    assert desk.done
    press(desk, "a", "1", "/")
    assert desk.mode == "look"
    desk.press("q")
    assert desk.over


def test_an_unknown_key_is_told(desk: Desk) -> None:
    desk.press("x")
    assert desk.message == "x does nothing here: ? lists the keys"
    press(desk, "?")
    assert desk.mode == "keys"
    desk.press("x")
    assert desk.mode == "look"


def test_a_file_edited_meanwhile_keeps_its_edits(desk: Desk, shop: Path) -> None:
    go_to(desk, "amount")
    desk.press("a")
    path = shop / CHARGES
    path.write_text(path.read_text("utf-8") + "# mine\n", "utf-8")
    desk.press("u")
    assert desk.message == "taken back: amount"
    assert rows(shop, "amount")[0][2] == "suggested"
    assert path.read_text("utf-8").endswith("# mine\n")
    go_to(desk, "currency")
    desk.press("a")
    assert path.read_text("utf-8").endswith("# mine\n")
    assert rows(shop, "currency")[0][2] == "accepted"


def test_a_file_that_is_gone_is_told(desk: Desk, shop: Path) -> None:
    (shop / CHARGES).unlink()
    desk.press("a")
    assert CHARGES in desk.message
    assert desk.counts()["accepted"] == 0


def test_a_doubtful_nothing_can_be_kept_and_not_rejected(
    shop: Path, encoder: HashEncoder, matcher: SameName, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbt_schema_embed.decide.reviewing.LIKELY", 0.9)  # the matcher says nothing with 0.8
    with SchemaEmbed() as engine:
        desk = Desk(engine.review(shop, select=["stripe.charges"]))
    go_to(desk, "livemode")
    assert desk.item.answer is None
    desk.press("r")
    assert desk.message == "there is no suggestion to reject: choose an answer, or accept that it maps to nothing"
    press(desk, "n", "x", "enter")
    assert rows(shop, "livemode") == [(None, None, "suggested", "x")]
    desk.press("a")
    assert rows(shop, "livemode") == [(None, None, "accepted", "x")]
    go_to(desk, "livemode")
    press(desk, "/", *"is paid", "enter")
    assert rows(shop, "livemode") == [("stg_stripe__charges", "is_paid", "accepted", "x")]


def test_an_undecided_column_is_asked_for_first_and_not_made_nothing_by_enter(desk: Desk, shop: Path) -> None:
    go_to(desk, "livemode")
    desk.item.undecided, desk.item.state = True, "open"
    desk.press("enter")
    assert desk.message == "undecided: 1 to 5 or / choose an answer, 0 says that it feeds nothing"
    desk.press("0")
    assert rows(shop, "livemode") == [(None, None, "accepted", "")]
    press(desk, "f", *"livem", "enter", "o")
    assert (desk.item.column, desk.item.state, rows(shop, "livemode")) == ("livemode", "open", [])
    assert "livemode" in read_mapping(shop / CHARGES, "it").unmapped


def test_an_answer_of_another_source_is_asked_about(desk: Desk, shop: Path) -> None:
    go_to(desk, "amount")
    desk.item.foreign = frozenset(("stg_stripe__charges",))
    desk.press("a")
    assert (desk.mode, rows(shop, "amount")[0][2]) == ("sure", "suggested")
    desk.press("escape")
    assert rows(shop, "amount")[0][2] == "suggested"
    press(desk, "a", "enter")
    assert rows(shop, "amount")[0][2] == "accepted"


def test_many_at_once_never_lead_into_another_sources_model(desk: Desk, shop: Path) -> None:
    go_to(desk, "amount")
    desk.item.foreign = frozenset(("stg_stripe__charges",))
    assert desk.item not in desk.review.above(0.5, "stripe.charges")
    press(desk, "A", *["backspace"] * 4, *"0.5", "enter")
    assert rows(shop, "amount")[0][2] == "suggested"
    assert rows(shop, "currency")[0][2] == "accepted"


def test_of_two_accepted_answers_the_one_in_front_moves(shop: Path, encoder: HashEncoder, matcher: SameName) -> None:
    with SchemaEmbed() as engine:
        engine.suggest(shop, select=["stripe.charges"], write=True)
        for column in ("amount", "refunded_amount"):
            engine.accept(
                "stripe.charges", ["amount"], shop, model="stg_stripe__charges", model_column=column, also=True
            )
        desk = Desk(engine.review(shop, select=["stripe.charges"]))
    for item in desk.review.items:
        item.foreign = frozenset()
    press(desk, "f", *"amount", "enter")
    assert (desk.item.column, desk.item.state) == ("amount", "accepted")
    press(desk, "/", *"charge id", "enter")
    found = {(model_column, status) for _, model_column, status, _ in rows(shop, "amount")}
    assert found == {("charge_id", "accepted"), ("refunded_amount", "accepted")}


def test_only_some_columns_are_shown_and_walked_through(desk: Desk) -> None:
    every = len(desk.review.items)
    open_ = sum(item.state == "open" for item in desk.review.items)
    go_to(desk, "livemode")
    desk.press("t")
    assert (desk.shown, desk.message, desk.item.state) == ("open", f"open: {open_} of {every} columns", "open")
    seen = [(desk.item.state, desk.press("s"))[0] for _ in range(every)]
    assert set(seen) == {"open"}
    desk.press("t")  # nothing is undecided
    assert (desk.shown, desk.item.state) == ("settled", "nothing")
    shown = "\n".join("".join(text for _, text in line) for line in screen(desk, 200, 60))
    assert "only settled: " in shown
    assert " livemode " in shown
    assert " currency " not in shown
    press(desk, "t")
    assert desk.shown == "all"


def test_a_mart_over_models_of_one_source_is_foreign_to_others(
    shop: Path, encoder: HashEncoder, matcher: SameName
) -> None:
    with SchemaEmbed() as engine:
        foreign = {item.source.partition(".")[0]: item.foreign for item in engine.review(shop).items}
    assert {source: "monthly_refunds" in names for source, names in foreign.items()} == {
        "shopkeep": True, "stripe": False
    }  # fmt: skip


def test_three_letters_find_a_column_of_the_models_that_the_table_feeds(desk: Desk) -> None:
    go_to(desk, "amount")
    item = desk.item
    for choice in (c for c in desk.review.unfed if c.model == "stg_stripe__charges"):
        first = [c.column for c in desk.review.find(choice.column[:3], item)]
        alike = {c for c in first if c.startswith(choice.column[:3])}
        assert choice.column in first, first
        assert first[0] in alike
    letters = {
        "chs": "charge_status",
        "bti": "balance_transaction_id",
        "pii": "payment_intent_id",
        "ram": "refunded_amount",
    }
    assert {typed: desk.review.find(typed, item)[0].column for typed in letters} == letters


def test_what_nothing_feeds_is_shown_and_found_first(desk: Desk) -> None:
    name = "stg_stripe__charges.charge_id"  # no column is called so
    assert name in [choice.name for choice in desk.review.unfed]
    shown = "\n".join("".join(text for _, text in line) for line in screen(desk, 200, 60))
    assert "nothing feeds: " in shown
    assert re.search(r" · amount +amount +0\.90 ", shown)
    go_to(desk, "livemode")
    press(desk, "/")
    at = next(i for i, choice in enumerate(desk.found) if choice in desk.review.unfed)
    assert at == 0
    press(desk, "enter")
    assert desk.item.column != "livemode"
    assert name not in [choice.name for choice in desk.review.unfed] or desk.found[0].name != name


def test_evidence_in_words() -> None:
    evidence = {"name": 0.8, "habit": "id -> <table>_id", "table": 0.5, "type": 0.0, "values": None, "exact": 1.0}
    assert evidence_words(evidence) == (
        "this project's habit id -> <table>_id, the names share their words (0.80), "
        "part of the table feeds this model (0.50), the types differ (0.00)"
    )
    assert evidence_words({}) == ""
    adds = {"name": 0.313, "type": -0.02, "table": 0.004, "habit": 0.1, "meaning": 0.05, "description": 0.001}
    assert evidence_words(evidence, adds) == (
        "this project's habit id -> <table>_id: +0.10, the names share their words (0.80): +0.31, "
        "part of the table feeds this model (0.50), the types differ (0.00): -0.02, "
        "the names are near in meaning: +0.05"
    )
