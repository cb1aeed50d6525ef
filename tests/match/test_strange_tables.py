"""Tables with foreign and legacy names beside an English one: every answer right, or undecided with the right one
first.

Each file of fixtures/match/pairs has a table's columns and what each means; the real encoder reads them.
"""

import csv
from pathlib import Path

import pytest

from dbt_schema_embed import SchemaEmbed, Settings
from dbt_schema_embed.records import Column, Relation, Suggestion

FOLDER = Path(__file__).parents[1] / "fixtures/match/pairs"
NOISE = ("loyalty_tier", "preferred_language", "marketing_consent", "risk_score")
"""Columns of the right side that nothing feeds."""


def pairs(name: str) -> dict[str, str]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return dict(csv.reader(file))


def relation(name: str, columns: list[str]) -> Relation:
    return Relation(name, name, "table", tuple(Column(c, position=i) for i, c in enumerate(columns)))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> SchemaEmbed:
    return SchemaEmbed(Settings(cache_dir=str(tmp_path_factory.mktemp("cache"))))


def answers(engine: SchemaEmbed, left: str, columns: list[str], right: list[str]) -> dict[str, Suggestion]:
    found = engine.match(relation(left, columns), relation("customers", right))
    return {row.source_column: row for row in found.rows}


@pytest.mark.model
@pytest.mark.parametrize("name", sorted(p.stem for p in FOLDER.glob("*.csv")))
def test_every_answer_is_right_or_undecided_with_the_right_one_first(engine: SchemaEmbed, name: str) -> None:
    truth = pairs(name)
    found = answers(engine, name, list(truth), [*sorted(truth.values()), *NOISE])
    for column, target in truth.items():
        row = found[column]
        assert row.answer != "nothing", (column, row.reason)
        assert row.candidates[0].model_column == target, (column, [c.model_column for c in row.candidates[:3]])
        assert row.model_column in (target, None), column
    matched = [row for row in found.values() if row.answer == "match"]
    assert len(matched) >= 0.8 * len(truth)


@pytest.mark.model
def test_the_reason_names_the_knowledge(engine: SchemaEmbed) -> None:
    german, sap = pairs("german"), pairs("sap")
    found = answers(engine, "kunden", list(german), list(german.values()))
    assert found["GebDatum"].reason == "GebDatum is German for date of birth"
    found = answers(engine, "KNA1", list(sap), list(sap.values()))
    assert found["KUNNR"].reason == "KUNNR is SAP's customer number"


@pytest.mark.model
def test_order_does_not_matter(engine: SchemaEmbed) -> None:
    truth = pairs("german")
    columns, right = list(truth), [*truth.values(), *NOISE]
    there, back = answers(engine, "kunden", columns, right), answers(engine, "kunden", columns[::-1], right[::-1])
    for column in columns:
        assert there[column].model_column == back[column].model_column
        assert there[column].confidence == pytest.approx(back[column].confidence, abs=2e-4)


@pytest.mark.model
def test_a_column_that_fits_worse_lowers_no_right_answer(engine: SchemaEmbed) -> None:
    truth = pairs("german")
    right = list(truth.values())
    before = answers(engine, "kunden", list(truth), right)
    after = answers(engine, "kunden", [*truth, "Schuhgroesse"], right)
    for column, target in truth.items():
        assert after[column].model_column == before[column].model_column == target
        assert after[column].confidence >= before[column].confidence - 0.05


@pytest.mark.model
def test_names_changed_by_the_dictionary_change_no_answer(engine: SchemaEmbed) -> None:
    truth = pairs("german")
    said = {
        "KundenNr": "CustomerNumber", "Vorname": "FirstName", "Nachname": "LastName", "GebDatum": "DateOfBirth",
        "Strasse": "Street", "PLZ": "PostalCode", "Ort": "City", "TelNr": "PhoneNumber", "Aktiv": "Active",
    }  # fmt: skip
    renamed = [said.get(c, c) for c in truth]
    before = answers(engine, "kunden", list(truth), list(truth.values()))
    after = answers(engine, "kunden", renamed, list(truth.values()))
    for column in truth:
        assert before[column].model_column == after[said.get(column, column)].model_column
