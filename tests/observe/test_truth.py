"""What is known to be right."""

import json
from pathlib import Path

import pytest

from dbt_schema_embed.errors import ArtifactError
from dbt_schema_embed.observe.truth import from_gold, from_lineage
from dbt_schema_embed.records import Column, Lineage, LineageKind, Relation

TABLE = Relation("s", "charges", "source", tuple(map(Column, ("Id", "amount", "first", "last", "late", "unused"))))


def edge(column: str, model: str, made: str, kind: LineageKind = "renamed") -> Lineage:
    return Lineage("s", column, model, made, kind)


EDGES = [
    edge("id", "stg", "Charge_Id"), edge("amount", "stg", "amount"), edge("amount", "stg", "cents", "derived"),
    edge("first", "stg", "name", "derived"), edge("last", "stg", "name", "derived"),
    edge("late", "mart", "late"), edge("id", "mart", "id"),
]  # fmt: skip


def test_lineage_into_the_model_where_a_table_arrives_is_the_answer() -> None:
    truth = from_lineage([TABLE], EDGES, {("s", "stg")})
    assert truth.answers == {
        ("s", "id"): {("stg", "charge_id")},
        ("s", "amount"): {("stg", "amount"), ("stg", "cents")},
        ("s", "unused"): frozenset(),
    }  # first and last make one column together, late arrives nowhere: no answer is known


def test_what_a_column_ends_up_in_further_down_is_neither_right_nor_wrong() -> None:
    truth = from_lineage([TABLE], EDGES, {("s", "stg")})
    assert truth.open(("s", "id"), ("mart", "id"))
    assert not truth.open(("s", "id"), ("stg", "charge_id"))
    assert not truth.open(("s", "id"), ("mart", "late"))


GOLD = {
    "pairs": [
        {"source": "s", "source_column": "ID", "model": "m", "model_column": "Charge_ID", "visible": False},
        {"source": "t", "source_column": "id", "model": "n", "model_column": "id", "visible": True},
    ],
    "unmapped": [["s", "Unused"], ["s", "part"], ["t", "unused"]],
    "multi_column": [["s", "part"]],
    "also_descends": [["s", "id", "mart", "id"]],
    "unknown_models": {"s": ["dark"]},
}


def test_known_answers_of_a_file_are_those_of_hidden_models(tmp_path: Path) -> None:
    path = tmp_path / "gold.json"
    path.write_text(json.dumps(GOLD), "utf-8")
    truth = from_gold(path)
    assert truth.answers == {("s", "id"): {("m", "charge_id")}, ("s", "unused"): frozenset()}
    assert truth.open(("s", "id"), ("mart", "id"))
    assert truth.open(("s", "unused"), ("dark", "anything"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pairs": [{}], "unmapped": []}', '{"pairs": 1, "unmapped": []}'])
def test_a_file_that_holds_no_answers_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gold.json"
    path.write_text(text, "utf-8")
    with pytest.raises(ArtifactError, match=r"gold\.json holds no known answers"):
        from_gold(path)


def test_a_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be read: No such file"):
        from_gold(tmp_path / "gold.json")
