"""What must hold of answers whatever the project: of packages, of projects without SQL, of canonical models, of foreign
and legacy systems and of two tables."""

import csv
import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_schema_embed.match import choose_targets, suggest
from dbt_schema_embed.match.reading import TableReading, read_tables
from dbt_schema_embed.match.suggesting import project_words
from dbt_schema_embed.records import Column, Embedded, Project, Relation, Suggestion
from tests.match.builders import edges, embedded, model, project, shop, source
from tests.match.small import FIXTURES

Rows = dict[str, Suggestion]
JUNK = ("shoe_size", "Schuhgroesse", "_batch_id", "filler_1", "xqzv", "weather", "鞋码", "row_hash")


def system(name: str) -> tuple[Project, str]:
    """A foreign or legacy table and a planned model of the English names."""
    with (FIXTURES / f"pairs/{name}.csv").open(encoding="utf-8", newline="") as file:
        truth = dict(csv.reader(file))
    table = source(name, " ".join(c.replace(" ", "_") for c in truth), "erp")
    return project([table, model("stg_customers", " ".join([*truth.values(), "risk_score", "loyalty_tier"]))]), table.id


def canonical() -> tuple[Project, str]:
    """A second vendor's table beside a model that the first one feeds."""
    first = source("kunden", "nr:integer name:text city:text phone:text", "erp")
    second = source("clients", "client_no:integer name:text city:text phone:text", "shop")
    end = model("dim_customers", "customer_id:integer customer_name:text city:text phone:text", [first])
    fed = edges(first, end, "nr>customer_id name>customer_name city phone")
    return project([first, second, end], fed), second.id


def bare() -> tuple[Project, str]:
    """A project where nobody has written SQL yet."""
    p = shop()
    planned = tuple(replace(r, has_sql=False, parents=()) for r in p.relations)
    return replace(p, lineage=(), relations=planned), "source.shop.stripe.charges"


CASES = {
    "package": (shop(), "source.shop.stripe.charges"), "bare": bare(), "canonical": canonical(),
    **{name: system(name) for name in ("german", "spanish", "chinese", "russian", "as400", "sap")},
}  # fmt: skip
KINDS = pytest.mark.parametrize("kind", CASES)


def read(relation: Relation, readings: Mapping[str, TableReading]) -> Embedded:
    """Its vectors, of what names say in English as the pipeline has them."""
    texts = readings[relation.id].texts
    said = tuple(Column(text or c.name) for text, c in zip(texts, relation.columns, strict=True))
    return replace(embedded(replace(relation, columns=said)), relation=relation)


def answers(p: Project, asked: str, glossary: Mapping | None = None, **options) -> Rows:
    models = choose_targets(p, "auto")
    sources = [r for r in p.relations if r.kind == "source"]
    readings = read_tables(sources, models, glossary=glossary)
    lexicon = project_words(p, models, readings)
    left, right = ([read(r, readings) for r in side] for side in (sources, models))
    rows = suggest(left, right, project=p, lexicon=lexicon, only={asked}, **options)
    return {row.source_column: row for row in rows}


def with_columns(p: Project, asked: str, change) -> Project:
    """The project with other columns of the table that is asked about."""
    relations = (replace(r, columns=tuple(change(r.columns))) if r.id == asked else r for r in p.relations)
    return replace(p, relations=tuple(relations))


@KINDS
def test_most_columns_find_their_place(kind: str) -> None:
    """Else the properties below say nothing."""
    rows = answers(*CASES[kind])
    assert sum(row.answer == "match" for row in rows.values()) >= 0.6 * len(rows)


@settings(max_examples=3)
@given(st.randoms())
@KINDS
def test_the_order_of_tables_and_models_changes_nothing(kind: str, chance: random.Random) -> None:
    p, asked = CASES[kind]
    mixed = replace(p, relations=tuple(chance.sample(p.relations, len(p.relations))))
    assert answers(mixed, asked) == answers(p, asked)


@KINDS
def test_turning_all_tables_around_changes_no_answer(kind: str) -> None:
    p, asked = CASES[kind]
    there = answers(p, asked)
    back = answers(replace(p, relations=tuple(replace(r, columns=r.columns[::-1]) for r in p.relations)), asked)
    for column, row in there.items():
        assert (back[column].model, back[column].model_column) == (row.model, row.model_column)
        assert back[column].confidence == pytest.approx(row.confidence, abs=2e-3)


@settings(max_examples=4)
@given(st.randoms())
@KINDS
def test_columns_in_another_order_are_never_taken_for_others(kind: str, chance: random.Random) -> None:
    """Order is evidence: an answer may get doubtful by it, not another one."""
    p, asked = CASES[kind]
    there = answers(p, asked)
    mixed = answers(with_columns(p, asked, lambda columns: chance.sample(columns, len(columns))), asked)
    for column, row in there.items():
        if row.model and mixed[column].model:
            assert mixed[column].model_column == row.model_column, column


@settings(max_examples=4)
@given(st.sampled_from(JUNK))
@KINDS
def test_a_column_that_fits_worse_lowers_no_answer(kind: str, junk: str) -> None:
    p, asked = CASES[kind]
    before = answers(p, asked)
    after = answers(with_columns(p, asked, lambda columns: [*columns, Column(junk)]), asked)
    for column, row in before.items():
        if row.model:
            assert after[column].model_column == row.model_column, column
            assert after[column].confidence >= row.confidence - 0.05, column


@KINDS
def test_names_that_the_glossary_explains_are_answered_alike(kind: str) -> None:
    """Every name becomes a word that nobody knows, and the glossary says what the first name meant."""
    p, asked = CASES[kind]
    before = answers(p, asked)
    sources, models = [r for r in p.relations if r.kind == "source"], choose_targets(p, "auto")
    table = next(r for r in sources if r.id == asked)
    said = read_tables(sources, models)[asked].columns
    new = {c.name: f"zq{'bcdfghjklmnprstvwz'[i]}vx" for i, c in enumerate(table.columns)}
    glossary = {"": [(new[c.name], " ".join(r.variants[0])) for c, r in zip(table.columns, said, strict=True)]}
    renamed = with_columns(p, asked, lambda columns: [replace(c, name=new[c.name]) for c in columns])
    after = answers(renamed, asked, glossary)
    for column, row in before.items():
        found = after[new[column]]
        assert (found.model_column or found.candidates[0].model_column) == (
            row.model_column or found.candidates[0].model_column
        ), column


@KINDS
def test_a_column_accepted_as_nothing_frees_its_target(kind: str) -> None:
    p, asked = CASES[kind]
    sure = max((row for row in answers(p, asked).values() if row.model), key=lambda row: row.confidence)
    twin = f"{sure.source_column}_old"
    both = with_columns(p, asked, lambda columns: [*columns, Column(twin)])
    target = (sure.model, sure.model_column)
    rows = answers(both, asked)
    assert rows[sure.source_column].model_column == sure.model_column
    assert rows[twin].model_column != sure.model_column
    free = answers(both, asked, accepted={(asked, sure.source_column.lower()): None})[twin]
    taken = answers(both, asked, accepted={(asked, sure.source_column.lower()): target})[twin]

    def odds(row: Suggestion) -> float:
        return next((c.confidence for c in row.candidates if (c.model, c.model_column) == target), 0.0)

    assert odds(taken) == 0
    assert odds(free) > odds(rows[twin])


@pytest.mark.parametrize("second", ["refund_reason", "rsn", "reasons", "reason_text", "reason_code"])
def test_the_second_best_is_the_answer_once_the_first_is_accepted_as_nothing(second: str) -> None:
    asked = "source.shop.stripe.refunds"
    p = with_columns(shop(), asked, lambda columns: [*columns, Column(second, "text")])
    before = answers(p, asked)
    after = answers(p, asked, accepted={(asked, "reason"): None})
    assert (before["reason"].model_column, before[second].model_column) == ("reason", None)
    assert after[second].model_column == "reason"
