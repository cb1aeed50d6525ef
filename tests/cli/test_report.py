"""report on the command line: where the file goes, what it says of the one before, what is never in it."""

from pathlib import Path

import pytest

from dbt_schema_embed.show.report import data_of
from tests.cli.conftest import Tool
from tests.embed.encoders import HashEncoder

USUAL = Path("target/schema_embed/report.html")


def test_report_goes_to_the_target_folder_and_says_what_changed(in_shop: Tool) -> None:
    first = in_shop("report", "--select", "stripe.charges")
    assert (first.code, first.out) == (0, "")
    before = data_of(USUAL.read_text("utf-8"))
    assert before is not None
    unfed = sum(need > 1 for _, _, columns in before["goals"] for *_, need in columns)
    assert unfed > 10
    assert first.err == f"wrote {USUAL}: 23 columns, {unfed} need a person\n"  # no column is doubtful or undecided
    assert before["base"] == "../../"
    assert before["changes"]["since"] == ""
    assert before["map"]["count"] > 100
    in_shop("suggest", "--select", "stripe.charges", "--write")
    in_shop("accept", "stripe.charges", "amount")
    in_shop("accept", "--source", "stripe.refunds", "--min-confidence", "0.5")  # nobody has looked at each
    assert in_shop("report", "--select", "stripe.charges").code == 0
    after = data_of(USUAL.read_text("utf-8"))
    assert after is not None
    assert after["changes"]["since"] == before["made"]
    assert after["changes"]["lines"] == [["accepted", "stripe.charges.amount", "stg_stripe__charges.amount"]]
    assert after["decided"]["count"] == 1


def test_the_report_draws_what_evaluate_measured(
    tool: Tool, shop: Path, encoder: HashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop)
    assert tool("evaluate").code == 0
    assert tool("report", "--select", "stripe.charges").code == 0
    data = data_of(USUAL.read_text("utf-8"))
    assert data is not None
    assert data["measured"]["made"].endswith("UTC")
    assert all(0 <= said <= 1 and 0 <= right <= 1 and count > 0 for said, right, count in data["measured"]["tenths"])
    assert data["measured"]["tenths"]


def test_report_replaces_a_file_that_is_no_report(in_shop: Tool, tmp_path: Path) -> None:
    target = tmp_path / "new" / "mine.html"
    target.parent.mkdir()
    target.write_bytes(b"\xff\xfe no text")
    assert in_shop("report", "--select", "stripe.refunds", "--output", target).code == 0
    data = data_of(target.read_text("utf-8"))
    assert data is not None
    assert [table["label"] for table in data["tables"]] == ["stripe.refunds"]


def test_no_value_of_a_seed_is_in_the_report(in_shop: Tool, shop: Path) -> None:
    in_shop("report", "--select", "stripe.customers")
    page = USUAL.read_text("utf-8")
    rows = (shop / "seeds" / "stripe" / "stripe_customers.csv").read_text("utf-8").splitlines()[1:]
    emails = [cell for row in rows for cell in row.split(",") if "@" in cell]
    assert emails
    assert not [email for email in emails if email in page]
