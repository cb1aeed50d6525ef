"""Names for columns and models that are not there yet: a table of habits, and of what they make of a name."""

from collections import Counter

import pytest

from dbt_schema_embed.match.habits import ENTITY, Habits, Rule
from dbt_schema_embed.match.knowledge import knowledge
from dbt_schema_embed.match.naming import Plans, in_english, model_name, propose_name, with_names
from dbt_schema_embed.match.reading import Part, Reading, read_tables
from dbt_schema_embed.records import Candidate, Column, Suggestion
from tests.match.builders import edges, model, project, source


def habits(rules: dict[str, list[tuple[Rule, int]]], others: int = 0, became: dict[str, str] | None = None) -> Habits:
    """Rules by type family with how many columns follow each, ``others`` columns that follow none; and precedents."""
    found = Habits()
    for family, counted in rules.items():
        found.rules[family] = Counter(dict(counted))
        found.families[family] = sum(times for _, times in counted) + others
    for before, after in (became or {}).items():
        found.precedents[tuple(before.split())][tuple(after.split())] += 1
    return found


AT, IS = Rule((), (), (), ("at",)), Rule((), (), ("is",), ())
OF_TABLE = Rule((), (), (ENTITY,), ())
DT = Rule(("dt",), (), (), ("date",))
NO_FLAG = Rule((), ("flag",), ("is",), ())


@pytest.mark.parametrize(
    ("name", "kind", "known", "proposed"),
    [
        ("createdOn", "timestamp", habits({}), "created_on"),
        ("created", "timestamp", habits({"timestamp": [(AT, 3)]}), "created_at"),
        ("created", "timestamp", habits({"timestamp": [(AT, 2)]}), "created"),  # two columns are no habit
        ("created", "timestamp", habits({"timestamp": [(AT, 3)]}, others=3), "created"),  # half of them are none
        ("created", "timestamp", habits({"timestamp": [(AT, 4)]}, others=3), "created_at"),
        ("created", "date", habits({"timestamp": [(AT, 3)]}), "created"),
        ("created_at", "timestamp", habits({"timestamp": [(AT, 3)]}), "created_at"),  # it is there already
        ("is_active", "boolean", habits({"boolean": [(IS, 5)]}), "is_active"),
        ("active", "boolean", habits({"boolean": [(IS, 5), (AT, 4)]}), "is_active"),
        ("active", "boolean", habits({"boolean": [(IS, 4), (AT, 4)]}), "active"),
        ("dt_start", "date", habits({"date": [(DT, 3)]}), "start_date"),
        ("start", "date", habits({"date": [(DT, 3)]}), "start"),  # it has not what the rule takes off
        ("active_flag", "boolean", habits({"boolean": [(NO_FLAG, 3)]}), "is_active"),
        ("flag_active", "boolean", habits({"boolean": [(NO_FLAG, 3)]}), "flag_active"),
        ("status", "text", habits({"text": [(OF_TABLE, 3)]}), "credit_note_status"),
        ("creditNotesStatus", "text", habits({"text": [(OF_TABLE, 3)]}), "credit_note_status"),
        ("id", "integer", habits({}, became={"id": f"{ENTITY} key"}), "id"),  # there the table's own word was said
        ("credit_note_id", "integer", habits({}, became={f"{ENTITY} id": f"{ENTITY} key"}), "credit_note_key"),
        ("id", "integer", habits({}, became={"id": f"{ENTITY} id"}), "credit_note_id"),
        ("crt", "date", habits({"date": [(DT, 9)]}, became={"crt": "created on"}), "created_on"),
    ],
)  # fmt: skip
def test_a_name_follows_the_habit_of_its_type(name: str, kind: str, known: Habits, proposed: str) -> None:
    assert propose_name(Column(name, kind), source("credit_notes", name), known) == proposed


def test_of_two_precedents_the_more_frequent_and_then_the_first_by_name() -> None:
    known = Habits()
    known.precedents[("nm",)].update({("name",): 1, ("label",): 1})
    assert propose_name(Column("nm"), source("t", "nm"), known) == "label"
    known.precedents[("nm",)][("name",)] += 1
    assert propose_name(Column("nm"), source("t", "nm"), known) == "name"


@pytest.mark.parametrize(
    ("patterns", "table", "vendor", "name"),
    [
        ({}, "orders", "shop", "stg_shop__orders"),
        ({}, "OrderLines", "MyShop", "stg_my_shop__order_lines"),
        ({"base_<table>": 2, "stg_<source>_<table>": 1}, "orders", "shop", "base_orders"),
        ({"b_<table>": 1, "a_<table>": 1}, "orders", "shop", "a_orders"),
        ({"orders_clean": 9, "a_<table>": 1}, "lines", "shop", "a_lines"),  # a name that is no pattern
        ({"orders_clean": 9}, "lines", "shop", "stg_shop__lines"),
    ],
)
def test_a_model_is_called_as_most_are(patterns: dict[str, int], table: str, vendor: str, name: str) -> None:
    known = Habits(model_names=Counter({(pattern,): times for pattern, times in patterns.items()}))
    assert model_name(source(table, "id", vendor), known) == name


def reading(*said: tuple[str, str], legible: float = 1.0, translated: bool = True) -> Reading:
    parts = tuple(Part(text, (meaning,)) for text, meaning in said)
    return Reading((tuple(m for _, m in said),), parts, legible, translated)


@pytest.mark.parametrize(
    ("name", "said", "plain", "words"),
    [
        ("GebDatum", reading(("gebdatum", "date of birth")), (), "date of birth"),
        ("GebDatum", None, (), "geb datum"),
        ("GebDatum", reading(("gebdatum", "date of birth"), translated=False), (), "geb datum"),
        ("GebXq", reading(("geb", "birth"), legible=0.6), (), "geb xq"),  # half a name is not said
        ("order_at", reading(("order", "sort order")), ("order",), "order at"),  # plain English stays
        ("order_2", reading(("order", "sort order")), ("order",), "order 2"),
        ("order_x", reading(("order", "sort order")), ("order",), "sort order"),
        ("kunden_id", reading(("kunden", "customer"), ("id", "identifier")), (), "customer id"),
        ("kunden_ids", reading(("kunden", "customer"), ("ids", "identifier")), (), "customer id"),
        ("kundenid", reading(("kunden", "customer"), ("id", "number")), (), "customer id"),
        ("kundennr", reading(("kunden", "customer"), ("nr", "number")), (), "customer number"),
        ("kunden_id", reading(("kunden", "customer"), ("id", "code")), (), "customer code"),
        ("_fivetran_synced", reading(("fivetran", "five transaction"), ("synced", "synced")), (), "fivetran synced"),
        ("xq", reading(), (), "xq"),
    ],
)  # fmt: skip
def test_a_foreign_name_is_said_in_english(name: str, said: Reading | None, plain: tuple[str, ...], words: str) -> None:
    assert " ".join(in_english(name, said, plain)) == words


def nothing(table: str, column: str) -> Suggestion:
    return Suggestion(f"source.shop.stripe.{table}", column, None, None, 0.9)


def named(rows: list[Suggestion], plans: Plans) -> list[tuple[str | None, str | None, str]]:
    return [(r.proposed_model, r.proposed_name, r.reason) for r in with_names(rows, plans)]


def test_no_two_columns_of_a_model_have_one_name() -> None:
    table = source("orders", "orderNo order_no ORDER-NO total")
    home = model("stg_stripe__orders", "Total")
    rows = [nothing("orders", c.name) for c in table.columns]
    assert named(rows, Plans(project([table, home]), {})) == [
        ("stg_stripe__orders", "order_no", "a new column"),
        ("stg_stripe__orders", "order_no_2", "a new column: order_no in plain words"),
        ("stg_stripe__orders", "order_no_3", "a new column: ORDER-NO in plain words"),
        ("stg_stripe__orders", "total_2", "a new column: total in plain words"),
    ]


def test_columns_go_to_the_model_that_most_of_their_table_feeds() -> None:
    table = source("orders", "a b c d e")
    first, second = model("one", "a b"), model("two", "c d")

    def row(column: str, home: str, confidence: float, status: str = "suggested") -> Suggestion:
        return Suggestion(table.id, column, f"model.shop.{home}", column, confidence, status)  # type: ignore[arg-type]

    plans = Plans(project([table, first, second]), {})
    rows = [row("a", "one", 0.71), row("b", "one", 0.7), row("c", "two", 0.9)]
    assert named([*rows, nothing("orders", "e")], plans)[-1][0] == "one"
    doubtful = [row("a", "one", 0.69), row("b", "one", 0.69), row("c", "two", 0.9)]
    assert named([*doubtful, nothing("orders", "e")], plans)[-1][0] == "two"
    accepted = [row("a", "one", 0.1, "accepted"), row("b", "one", 0.1, "existing"), row("c", "two", 0.9)]
    assert named([*accepted, nothing("orders", "e")], plans)[-1][0] == "one"
    said = Plans(plans.project, {}, into={table.id: second.id})  # people know better
    assert named([*rows, nothing("orders", "e")], said)[-1][0] == "two"


def test_a_model_that_the_project_has_under_that_name_is_the_home() -> None:
    table, home = source("orders", "id no"), model("STG_stripe__Orders", "no")
    assert named([nothing("orders", "no")], Plans(project([table, home]), {}))[0][:2] == ("stg_stripe__orders", "no_2")


@pytest.mark.parametrize(
    "row",
    [
        Suggestion("source.shop.stripe.orders", "total", None, None, 0.9, undecided=True),
        Suggestion("source.shop.stripe.orders", "total", None, None, 0.9, "accepted"),
        Suggestion("source.shop.stripe.orders", "total", None, None, 0.9, decided_by="Ana"),
        Suggestion("source.shop.stripe.orders", "total", "model.shop.stg", "total", 0.9),
        Suggestion("source.shop.stripe.orders", "gone", None, None, 0.9),
    ],
)
def test_only_what_the_matcher_says_feeds_nothing_has_a_proposal(row: Suggestion) -> None:
    assert with_names([row], Plans(project([source("orders", "total")]), {})) == (row,)


def test_a_planned_column_of_that_very_name_is_no_new_one() -> None:
    table, home = source("orders", "Total Tax"), model("stg_stripe__orders", "total")
    plans = Plans(project([table, home]), {}, unfed={(home.id, "total")})
    assert [r.proposed_name for r in with_names([nothing("orders", "Total"), nothing("orders", "Tax")], plans)] == [
        None, "tax",
    ]  # fmt: skip


@pytest.mark.parametrize(("confidence", "name"), [(0.1, None), (0.099, "total")])
def test_how_likely_a_planned_column_must_be_to_come_first(confidence: float, name: str | None) -> None:
    table, home = source("orders", "total"), model("stg_stripe__orders", "sum_")
    row = Suggestion(
        table.id, "total", None, None, 0.9,
        candidates=(Candidate("model.shop.other", "sum_", 0.9), Candidate(home.id, "SUM_", confidence)),
    )  # fmt: skip
    plans = Plans(project([table, home]), {}, unfed={(home.id, "sum_")})
    assert with_names([row], plans)[0].proposed_name == name


def test_what_the_projects_sql_does_names_new_columns() -> None:
    orders, bills = source("orders", "id madeOn note"), source("bills", "id madeOn note")
    built = model("s_orders", "order_id made_at", [orders])
    p = project([orders, bills, built], edges(orders, built, "id>order_id madeOn>made_at"))
    rows = [nothing("bills", c.name) for c in bills.columns]
    plans = Plans(p, read_tables([bills], [built], knowledge()), knowledge().plain)
    assert [row[:2] for row in named(rows, plans)] == [
        ("s_bills", "bill_id"), ("s_bills", "made_at"), ("s_bills", "note"),
    ]  # fmt: skip
