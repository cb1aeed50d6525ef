"""What an agent proposes: kept, shown, never taken for a decision, and refused where it cannot be."""

from pathlib import Path

import pytest

from dbt_schema_embed.agent.kept import Kept
from dbt_schema_embed.decide.proposing import Proposal, believed, worth_asking
from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.records import Candidate, MappingRow, Suggestion
from tests.shop import SameName

CHARGES = "schema_mappings/stripe__charges.yml"
ID = Proposal("stripe.charges.id", "stg_stripe__charges.charge_id", "the key of the table")
NOTHING = Proposal("stripe.charges.livemode", None, "a flag of the vendor")


@pytest.fixture
def kept(engine: SchemaEmbed, matcher: SameName, shop: Path) -> Kept:
    matcher.confidence = 0.5
    return Kept(engine, shop, {})


def rows_of(shop: Path) -> dict[str, MappingRow]:
    """The rows of the mapping file, and of the lists below it as rows without a model."""
    from dbt_schema_embed.write.mapping import read_mapping

    return {row.source_column: row for row in read_mapping(shop / CHARGES, CHARGES).columns}


def answer(kept: Kept, column: str) -> Suggestion:
    """The answer for a column of charges."""
    return next(row for row in kept.answers().table("stripe.charges") if row.source_column == column)


def test_a_proposal_is_a_suggestion_that_later_runs_keep(kept: Kept, shop: Path) -> None:
    assert kept.propose(ID) == kept.propose(NOTHING) == CHARGES
    rows = rows_of(shop)
    assert (rows["id"].model_column, rows["id"].status, rows["id"].decided_by) == ("charge_id", "suggested", "agent")
    assert (rows["livemode"].model, rows["livemode"].reason) == (None, "agent: a flag of the vendor")
    text = (shop / CHARGES).read_text("utf-8")
    again = kept.engine.suggest(shop, select=["stripe.charges"], write=True)
    assert (again.written, (shop / CHARGES).read_text("utf-8")) == ((), text)
    told = {row.source_column: row for row in again.rows}
    assert (told["id"].model_column, told["id"].decided_by, told["id"].confidence) == ("charge_id", "agent", 0.0)
    assert (told["livemode"].answer, told["livemode"].decided_by) == ("nothing", "agent")
    assert told["id"] not in worth_asking(again.rows)
    assert answer(kept, "id") == told["id"]


def test_no_bulk_decision_accepts_it_and_a_person_does(kept: Kept, shop: Path) -> None:
    kept.propose(ID)
    kept.propose(NOTHING)
    decisions = kept.engine.decisions
    decisions.accept_confident(shop, 0.0, source="stripe.charges")
    assert rows_of(shop)["id"].status == "suggested"
    decisions.decide(shop, "stripe.charges", ["id", "livemode"], "accepted")
    rows = rows_of(shop)
    assert (rows["id"].status, rows["id"].decided_by, rows["id"].reason) == (
        "accepted", "Ana", "agent: the key of the table"
    )  # fmt: skip
    assert (rows["livemode"].status, rows["livemode"].decided_by) == ("accepted", "Ana")
    with pytest.raises(ConfigError, match="a person has decided"):
        kept.propose(ID)


def test_it_can_be_taken_back_and_rejected(kept: Kept, shop: Path) -> None:
    kept.propose(ID)
    kept.propose(NOTHING)
    decisions = kept.engine.decisions
    decisions.decide(shop, "stripe.charges", ["id", "livemode"], "rejected")
    rows = rows_of(shop)
    assert rows["id"].status == "rejected"
    assert "livemode" not in rows
    assert "livemode" in (shop / CHARGES).read_text("utf-8")
    with pytest.raises(ConfigError, match="a person has rejected"):
        kept.propose(ID)
    kept.propose(NOTHING)
    decisions.decide(shop, "stripe.charges", ["livemode"], "suggested")
    assert "livemode" not in rows_of(shop)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (Proposal("stripe.charges.idd", None, "x"), "has no column 'idd'\n  did you mean id?"),
        (Proposal("stripe.charges.id", "stg_stripe__charge.charge_id", "x"), "did you mean stg_stripe__charges?"),
        (Proposal("stripe.charges.id", "stg_stripe__charges.charge", "x"), "has no column 'charge'"),
        (Proposal("stripe.charges.id", "charge_id", "x"), "write it as model.column"),
        (Proposal("stripe.charges.id", None, " \n"), "a proposal needs a reason"),
        (Proposal("stripe.charges.paid", "stg_stripe__charges.created_at", "x"), "no cast leads from "),
    ],
)
def test_what_cannot_be_is_refused(kept: Kept, shop: Path, said: Proposal, message: str) -> None:
    kept.engine.suggest(shop, select=["stripe.charges"], write=True)
    before = (shop / CHARGES).read_bytes()
    with pytest.raises(ConfigError) as caught:
        kept.propose(said)
    assert message in str(caught.value)
    assert (shop / CHARGES).read_bytes() == before


def test_a_model_column_has_one_source(kept: Kept) -> None:
    kept.propose(ID)
    with pytest.raises(ConfigError, match=r"stg_stripe__charges\.charge_id is taken by id"):
        kept.propose(Proposal("stripe.charges.customer", ID.target, "x"))


def test_a_proposal_frees_the_column_that_had_its_target(kept: Kept, shop: Path) -> None:
    """The other column is undecided in the answers, in the file and in the next run."""
    kept.propose(Proposal("stripe.charges.customer", "stg_stripe__charges.receipt_email", "x"))
    assert (answer(kept, "receipt_email").answer, "receipt_email" in rows_of(shop)) == ("undecided", False)
    assert "undecided: [receipt_email]" in (shop / CHARGES).read_text("utf-8")
    again = kept.engine.suggest(shop, select=["stripe.charges"], write=True)
    assert (again.written, next(r for r in again.rows if r.source_column == "receipt_email").answer) == (
        (),
        "undecided",
    )
    assert not [p for p in kept.engine.check(shop).problems if p.code == "fed-twice"]


A, B, C = (Candidate("m", name, sure) for name, sure in (("a", 0.8), ("b", 0.1), ("c", 0.001)))


@pytest.mark.parametrize(
    ("row", "said", "yes"),
    [
        (Suggestion("s", "x", "m", "a", 0.8, candidates=(A, B)), ("m", "a"), True),
        (Suggestion("s", "x", "m", "a", 0.8, candidates=(A, B)), ("m", "b"), True),
        (Suggestion("s", "x", "m", "a", 0.8, candidates=(A, C)), ("m", "c"), False),
        (Suggestion("s", "x", "m", "a", 0.99, candidates=(A, B)), None, False),
        (Suggestion("s", "x", None, None, 0.8, candidates=(B,)), ("m", "b"), True),
        (Suggestion("s", "x", None, None, 0.8, candidates=(C,)), ("m", "c"), False),
        (Suggestion("s", "x", None, None, 0.4, undecided=True, candidates=(B, C)), ("m", "z"), True),
        (Suggestion("s", "x", "m", "a", 0.95, candidates=(A,)), ("m", "z"), False),
    ],
)
def test_an_answer_is_weighed_against_ours(row: Suggestion, said: tuple[str, str] | None, yes: bool) -> None:
    """Bayes' rule, by hand for the second: 0.1 * 0.9 against 0.8 * 0.05 and 0.1 * 0.05."""
    assert believed(row, said) is yes


def test_an_unlikely_answer_is_refused(kept: Kept, matcher: SameName, shop: Path) -> None:
    matcher.confidence = 0.99
    with pytest.raises(ConfigError, match=r"orders\.currency is likelier here, with a confidence of 0\.99"):
        kept.propose(Proposal("stripe.charges.currency", "stg_stripe__charges.charge_id", "x"))


def test_the_most_doubtful_is_asked_first() -> None:
    rows = [
        Suggestion("s", name, "m", name, sure, candidates=(A,))
        for name, sure in (("sure", 0.95), ("likely", 0.8), ("low", 0.3))
    ]
    open_ = Suggestion("s", "open", None, None, 0.5, undecided=True, candidates=(A,))
    bare = Suggestion("s", "bare", None, None, 0.5)
    assert [row.source_column for row in worth_asking([*rows, bare, open_])] == ["open", "low", "likely"]


def test_what_somebody_else_wrote_meanwhile_is_seen(kept: Kept, shop: Path) -> None:
    kept.propose(ID)
    kept.engine.decisions.decide(shop, "stripe.charges", ["id"], "accepted")
    assert answer(kept, "id").status == "accepted"
