"""Which models a source table could feed, and which source a model's name says."""

from dataclasses import replace

import pytest

from dbt_schema_embed.match.all_words import source_names
from dbt_schema_embed.match.layers import choose_targets, fed_models
from dbt_schema_embed.records import Project, Relation
from tests.match.builders import edges, model, project, source


def canonical() -> Project:
    """One vendor's table goes through its own model into dim_customers, which nothing selects from."""
    table = source("kunden", "nr name", vendor="erp")
    own = model("int_erp_customers", "nr name", [table])
    end = model("dim_customers", "customer_id customer_name", [own])
    lineage = edges(table, own, "nr name") + edges(table, end, "nr>customer_id name>customer_name")
    # it adds a column, so that the vendor's model does not only pass the table on
    own = replace(own, columns=(*own.columns, *source("x", "added a b").columns))
    return project([table, own, end, source("clients", "id name", vendor="shop")], lineage)


def test_an_end_that_another_vendor_feeds_is_among_the_candidates() -> None:
    assert [m.name for m in choose_targets(canonical())] == ["dim_customers", "int_erp_customers"]
    assert "model.shop.dim_customers" in fed_models(canonical())


def test_an_end_below_a_planned_model_is_not() -> None:
    p = canonical()
    planned = model("stg_clients", "client_id client_name")
    mart = replace(model("clients_report", "client_id client_name", [planned]), has_sql=True)
    found = [m.name for m in choose_targets(replace(p, relations=(*p.relations, planned, mart)))]
    assert found == ["dim_customers", "int_erp_customers", "stg_clients"]


@pytest.mark.parametrize(
    ("name", "best"),
    [
        ("stg_mitx__users", "mitx"),
        ("stg_xpro__users", "xpro"),
        ("survey_niti_2025", "rwb_niti_2025"),
        ("survey_niti_24", "rwb_niti_2024"),
        ("users", ""),
    ],
)
def test_a_models_name_says_which_source_feeds_it(name: str, best: str) -> None:
    vendors = ("mitx", "xpro", "rwb_niti_2025", "rwb_niti_2024")
    sources = [source("users", "id", vendor=vendor) for vendor in vendors]
    found = source_names(sources, [model(name, "id")])
    scores = {vendor: found[vendor][f"model.shop.{name}"] for vendor in vendors if found[vendor]}
    if not best:
        assert scores == {}
        return
    assert max(scores, key=lambda vendor: scores[vendor]) == best
    assert scores[best] > 0.5
    assert all(score < 0.5 for vendor, score in scores.items() if vendor != best)


def test_one_source_alone_says_nothing() -> None:
    only: Relation = source("users", "id", vendor="mitx")
    assert source_names([only], [model("stg_mitx__users", "id")]) == {"mitx": {}}
