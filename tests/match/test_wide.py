"""Wide tables, many models, many tables: looked up by their words instead of compared one with every other."""

import pytest

from dbt_schema_embed.match import candidates, choose_targets, competitors, match, nearby, suggest, suggesting
from dbt_schema_embed.records import Project
from tests.match.builders import embedded, model, source

NAMES = [f"{a}_{b}" for a in ("order", "invoice", "customer", "shipment") for b in ("id", "date", "status", "note")]


def test_two_wide_tables_in_pieces_have_the_right_answer_first(monkeypatch: pytest.MonkeyPatch) -> None:
    left = embedded(source("left", " ".join(NAMES)))
    right = embedded(model("right", " ".join(reversed(NAMES))))
    assert [row.model_column for row in match(left, right)] == NAMES
    monkeypatch.setattr(suggesting, "AT_ONCE", 10)
    monkeypatch.setattr("dbt_schema_embed.match.pieces.COLUMNS", 10)
    rows = match(left, right)
    assert [row.source_column for row in rows] == NAMES
    assert [row.candidates[0].model_column for row in rows] == NAMES
    assert all(row.model_column in (row.source_column, None) for row in rows)


def test_pieces_give_a_column_to_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggesting, "AT_ONCE", 1)
    monkeypatch.setattr("dbt_schema_embed.match.pieces.COLUMNS", 1)
    left = embedded(source("left", "order_date date_of_order order_dt"))
    rows = match(left, embedded(model("right", "order_date " + " ".join(f"field_{i}" for i in range(20)))))
    assert [row.model_column for row in rows].count("order_date") == 1
    assert rows[0].model_column == "order_date"
    assert all(row.answer == "undecided" for row in rows if "fits another column better" in row.reason)


def shop_of(count: int) -> Project:
    """Many tables without a model, and a planned model for each."""
    sources = [source(f"table_{i}", f"key_{i} name_{i} order_date") for i in range(count)]
    models = [model(f"stg_shop__table_{i}", f"key_{i} name_{i} order_date") for i in range(count)]
    return Project("shop", "duckdb", tuple(sorted((*sources, *models), key=lambda r: r.id)))


def test_one_of_many_tables_has_the_answer_that_it_has_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearby, "RIVALS", 4)
    monkeypatch.setattr(candidates, "MANY", 10)
    project = shop_of(16)
    models = [embedded(r) for r in choose_targets(project)]
    asked = next(r.id for r in project.relations if r.kind == "source")
    some = competitors(project, {asked})
    assert len(some) == 1 + nearby.RIVALS
    alone = suggest([embedded(r) for r in some], models, project=project, only={asked})
    everyone = [embedded(r) for r in project.relations if r.kind == "source"]
    among = suggest(everyone, models, project=project)
    assert alone == tuple(row for row in among if row.source == asked)
    right = [row for row in among if row.model == "model.shop.stg_shop__" + row.source.rpartition(".")[2]]
    assert len(right) == len(among)


def test_the_right_model_is_among_those_that_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    project = shop_of(16)
    models = [embedded(r) for r in choose_targets(project)]
    sources = [embedded(r) for r in project.relations if r.kind == "source"]
    whole = suggest(sources, models, project=project)
    for name, value in (("MANY", 3), ("SHARING", 3), ("LIKE", 1)):
        monkeypatch.setattr(candidates, name, value)
    assert [r.model_column for r in suggest(sources, models, project=project)] == [r.model_column for r in whole]
