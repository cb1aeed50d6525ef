"""Decisions from the command line end up in the file as if a person had typed them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.decide.rows import Decision, confident, decide, take_back
from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.write.mapping import read_mapping

OLD = """\
version: 1
source: stripe.charges
columns:
  - source_column: id       # the key
    model: stg_stripe__charges
    model_column: charge_id
    confidence: 0.97
    status: suggested
    reason: id -> <table>_id
  # money
  - source_column: amount
    model: stg_stripe__charges
    model_column: amount
    confidence: 0.60
    status: suggested
  - source_column: amount
    model: orders
    model_column: total
    status: rejected
  - {source_column: at, model: orders, model_column: ordered_at, confidence: 0.9, status: existing}
unmapped: [livemode, _synced]
"""


def changed(old: str, new: str) -> list[str]:
    """Lines that went (-) and came (+)."""
    before, after = old.splitlines(), new.splitlines()
    return [f"-{line}" for line in before if line not in after] + [f"+{line}" for line in after if line not in before]


@pytest.mark.parametrize(
    ("decision", "lines"),
    [
        (Decision("ID", "accepted"), {"+    status: accepted"}),
        (Decision("id", "rejected", note="it's not"), {'+    note: "it\'s not"'}),
        (Decision("amount", "accepted"), {"+    status: accepted"}),
        (
            Decision("amount", "accepted", "stg_stripe__charges", "amount_cents"),
            {
                "-    model_column: amount", "+    model_column: amount_cents", "-    confidence: 0.60",
                "+    status: accepted", "+    reason: decided by hand",
            },
        ),
        (Decision("amount", "suggested", "orders", "total"), {"-    status: rejected"}),
        (
            Decision("amount", "rejected", "orders", "tax"),
            {"+    model_column: tax", "+    reason: decided by hand"},
        ),
        (
            Decision("at", "accepted", note="yes, so"),
            {
                "-  - {source_column: at, model: orders, model_column: ordered_at, confidence: 0.9, status: existing}",
                "+  - {source_column: at, model: orders, model_column: ordered_at, confidence: 0.9, status: accepted, "
                "note: 'yes, so'}",
            },
        ),
        (
            Decision("Livemode", "accepted"),
            {
                "+  - source_column: livemode", "+    status: accepted", "+    reason: decided by hand",
                "-unmapped: [livemode, _synced]", "+unmapped: [_synced]",
            },
        ),
        (
            Decision("_synced", "accepted", "orders", "synced_at"),
            {
                "+  - source_column: _synced", "+    model_column: synced_at", "+    status: accepted",
                "+    reason: decided by hand", "-unmapped: [livemode, _synced]", "+unmapped: [livemode]",
            },
        ),
        (Decision("id"), set()),
    ],
)  # fmt: skip
def test_a_decision(tmp_path: Path, decision: Decision, lines: set[str]) -> None:
    path = tmp_path / "charges.yml"
    path.write_text(OLD)
    rewrite = decide(path, [decision])
    assert set(changed(OLD, rewrite.text)) == lines
    rewrite.write(tmp_path)
    assert not decide(path, [decision]).changed or decision.model_column == "tax"


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        (Decision("amout", "accepted"), "m.yml has no column 'amout'\n  did you mean amount?"),
        (Decision("amout", "rejected"), "m.yml has no column 'amout'\n  did you mean amount?"),
        (Decision("zzz", "accepted", "m", "c"), "m.yml has no column 'zzz'\n  its columns are in the file"),
        (Decision("livemode", "rejected"), "column 'livemode' has no suggestion in m.yml"),
    ],
)
def test_a_decision_about_nothing(tmp_path: Path, decision: Decision, message: str) -> None:
    path = tmp_path / "charges.yml"
    path.write_text(OLD)
    with pytest.raises(ConfigError) as caught:
        decide(path, [decision], shown="m.yml")
    assert str(caught.value) == message


def test_two_rows_to_choose_from(tmp_path: Path) -> None:
    path = tmp_path / "charges.yml"
    path.write_text(OLD.replace("rejected", "suggested"))
    with pytest.raises(ConfigError) as caught:
        decide(path, [Decision("amount", "accepted")], shown="m.yml")
    assert str(caught.value) == "column 'amount' has 2 rows in m.yml\n  say which model and column you mean"


def test_everything_above_a_confidence(tmp_path: Path) -> None:
    path = tmp_path / "charges.yml"
    path.write_text(OLD)
    file = read_mapping(path, "m.yml")
    assert [d.source_column for d in confident(file, 0.9)] == ["id"]
    assert [d.source_column for d in confident(file, 0.9, ("suggested", "existing"))] == ["id", "at"]
    rewrite = decide(path, confident(file, 0.6))
    assert rewrite.text == OLD.replace("suggested", "accepted")


def test_a_rejected_pair_is_not_suggested_again(tmp_path: Path, update: Any, suggest: Any) -> None:
    path = tmp_path / "charges.yml"
    path.write_text(OLD)
    decide(path, [Decision("id", "rejected")]).write(tmp_path)
    text = path.read_text()
    rest = [
        suggest("amount", "amount", 0.6),
        suggest("at", "ordered_at", 0.9, model="model.shop.orders", status="existing"),
    ]
    again = update(None, suggest("id", "charge_id", 0.97), *rest, suggest("livemode"), suggest("_synced"))
    assert again == text
    other = update(None, suggest("id", "other_id", 0.4), *rest, suggest("livemode"), suggest("_synced"))
    assert changed(text, other) == ["+  - source_column: id", "+    model_column: other_id", "+    confidence: 0.40"]


MINE = [
    Decision("id", "accepted"), Decision("id", "rejected", note="no"), Decision("livemode", "accepted"),
    Decision("livemode", "accepted", "orders", "is_live"), Decision("amount", "accepted", "orders", "tax"),
    Decision("amount", "rejected", "orders", "tax"), Decision("at", note="mine"),
]  # fmt: skip


@pytest.mark.parametrize("mine", MINE)
@pytest.mark.parametrize("theirs", [[], [Decision("_synced", "accepted")], [Decision("at", "rejected")]])
def test_a_decision_is_taken_back_alone(tmp_path: Path, mine: Decision, theirs: list[Decision]) -> None:
    if [d.source_column for d in theirs] == [mine.source_column]:
        pytest.skip("the same column")
    path, other = tmp_path / "charges.yml", tmp_path / "other.yml"
    path.write_text(OLD)
    other.write_text(OLD)
    done = decide(path, [mine])
    done.write(tmp_path)
    decide(path, theirs).write(tmp_path)
    decide(other, theirs).write(tmp_path)
    take_back(path, done).write(tmp_path)
    left, wanted = read_mapping(path, "m.yml"), read_mapping(other, "m.yml")
    assert [replace(row, line=0) for row in left.columns] == [replace(row, line=0) for row in wanted.columns]
    assert set(left.unmapped) == set(wanted.unmapped)
    assert theirs or path.read_text() == OLD


LISTED = OLD.replace("unmapped:", "undecided: [code, kind]\nunmapped:").replace(
    "  - {source_column: at",
    """  - source_columns: [first, last]
    model: orders
    model_column: name
    expression: first || last
    status: accepted
    decided_by: Ana
    decided_at: '2026-05-03'
  - {source_column: at""",
)
OF_ALL_KINDS = [
    Decision("code", "accepted", "orders", "code", by="Bo", at="2026-05-04"),
    Decision("kind", "accepted"),
    Decision("amount", "accepted", "orders", "tax", also=True),
    Decision("amount", "accepted", "orders", "sum", others=("livemode",), expression="amount + livemode"),
    Decision("first", "suggested"),
    Decision("last", "accepted", "orders", "name", others=("first",), expression="last || first"),
    Decision("first", "accepted", "orders", "name", expression="upper(first)"),
    Decision("first", "accepted", "orders", "name", others=("last", "kind"), expression="first || last || kind"),
    Decision("livemode", "suggested", reason="agent: it says so", by="agent", at="2026-05-04"),
    Decision("code", "suggested", "orders", "code", reason="agent: it says so", by="agent", at="2026-05-04"),
    Decision("amount", "suggested", "orders", "total"),
    Decision("code", note="mine"),
]


@pytest.mark.parametrize("mine", OF_ALL_KINDS)
@pytest.mark.parametrize("theirs", [[], [Decision("_synced", "accepted")], [Decision("at", "rejected")]])
def test_every_kind_of_decision_is_taken_back_alone(tmp_path: Path, mine: Decision, theirs: list[Decision]) -> None:
    path, other = tmp_path / "charges.yml", tmp_path / "other.yml"
    path.write_text(LISTED)
    other.write_text(LISTED)
    done = decide(path, [mine])
    assert done.changed
    done.write(tmp_path)
    decide(path, theirs).write(tmp_path)
    decide(other, theirs).write(tmp_path)
    take_back(path, done).write(tmp_path)
    left, wanted = read_mapping(path, "m.yml"), read_mapping(other, "m.yml")
    assert {replace(row, line=0) for row in left.columns} == {replace(row, line=0) for row in wanted.columns}
    assert (set(left.undecided), set(left.unmapped)) == (set(wanted.undecided), set(wanted.unmapped))
    assert theirs or path.read_text() == LISTED


def test_a_row_takes_the_columns_of_its_new_expression(tmp_path: Path) -> None:
    path = tmp_path / "charges.yml"
    path.write_text(LISTED)
    for columns in (("last", "first"), ("last",)):
        name, *others = columns
        decide(path, [Decision(name, "accepted", "orders", "name", others=tuple(others), expression="x")]).write(
            tmp_path
        )
        file = read_mapping(path, "m.yml")
        assert [row.source_columns for row in file.columns if row.model_column == "name"] == [columns]
    assert file.undecided == ("code", "kind", "first")  # no longer taken, and nowhere else


def test_a_column_that_others_decided_about_again_stays(tmp_path: Path) -> None:
    path = tmp_path / "charges.yml"
    path.write_text(OLD)
    done = decide(path, [Decision("id", "accepted")])
    done.write(tmp_path)
    decide(path, [Decision("id", "rejected", "stg_stripe__charges", "charge_id")]).write(tmp_path)
    with pytest.raises(ConfigError, match=r"column 'id' of charges\.yml was decided about again meanwhile"):
        take_back(path, done)
