import json
import random
import re
from dataclasses import replace

import pytest

from dbt_schema_embed.match import (
    Plans,
    choose_targets,
    competitors,
    explain,
    knowledge,
    match,
    read_tables,
    suggest,
    with_names,
)
from dbt_schema_embed.records import Candidate, Project, Relation, Status, Suggestion, Suggestions, rounded
from tests.match.builders import columns, edges, embedded, model, project, shop, source


def run(p: Project, **options) -> dict[tuple[str, str], Suggestion]:
    sources = [embedded(r) for r in p.relations if r.kind == "source"]
    models = [embedded(m) for m in choose_targets(p, options.get("targets", "auto"))]
    options.pop("targets", None)
    rows = suggest(sources, models, project=p, **options)
    return {(r.source.rpartition(".")[2], r.source_column): r for r in rows}


def answers(rows: dict[tuple[str, str], Suggestion]) -> dict[str, str]:
    return {
        f"{t}.{c}": f"{r.model.rpartition('__')[2]}.{r.model_column}" if r.model else "" for (t, c), r in rows.items()
    }


def test_the_planned_models_of_a_shop() -> None:
    found = answers(run(shop()))
    expected = {
        "charges.id": "charges.charge_id",
        "charges.created": "charges.created_at",
        "charges.amt": "charges.amount",
        "charges.paid": "charges.is_paid",
        "charges.customer": "charges.customer_id",
        "charges._synced": "",
        "refunds.id": "refunds.refund_id",
        "refunds.created": "refunds.created_at",
        "refunds.amount": "refunds.amount",
        "refunds.reason": "refunds.reason",
        "refunds._synced": "",
    }
    assert {k: found[k] for k in expected} == expected


def test_every_column_has_one_row_and_confidences_are_probabilities() -> None:
    p = shop()
    rows = run(p)
    assert set(rows) == {(r.name, c.name) for r in p.relations if r.kind == "source" for c in r.columns}
    for row in rows.values():
        assert 0 <= row.confidence <= 1
        assert [c.confidence for c in row.candidates] == sorted((c.confidence for c in row.candidates), reverse=True)
        assert row.reason


def test_what_arrives_already_is_said_with_where() -> None:
    row = run(shop())["customers", "id"]
    assert (row.status, row.model_column, row.confidence) == ("existing", "customer_id", 1.0)
    assert row.reason == "the project's SQL does this: renamed"


def test_a_habit_is_named_and_counted() -> None:
    row = run(shop())["charges", "id"]
    assert row.evidence["habit"] == "id -> <table>_id"
    assert row.reason == "id -> <table>_id, as in 2 other columns"


def test_without_sql_the_habit_is_silent() -> None:
    p = shop()
    bare = replace(p, lineage=(), relations=tuple(replace(r, has_sql=False, parents=()) for r in p.relations))
    row = run(bare)["charges", "id"]
    assert row.model_column == "charge_id"
    assert row.evidence["habit"] is None
    assert "precedent" not in row.evidence


def test_a_rejected_pair_is_not_suggested_again_and_an_accepted_one_is_kept_free() -> None:
    p = shop()
    charges, stg = "source.shop.stripe.charges", "model.shop.stg_stripe__charges"
    refused = run(p, rejected={(charges, "amt", stg, "amount")})["charges", "amt"]
    assert (refused.model, refused.model_column) != (stg, "amount")
    assert all((c.model, c.model_column) != (stg, "amount") or c.confidence == 0 for c in refused.candidates)
    taken = run(p, accepted={(charges, "customer"): (stg, "amount")})["charges", "amt"]
    assert (taken.model, taken.model_column) != (stg, "amount")


def test_the_order_of_tables_columns_and_models_does_not_matter() -> None:
    p = shop()
    rng = random.Random(1)

    def bytes_of(mixed: bool) -> str:
        relations = list(p.relations)
        if mixed:
            rng.shuffle(relations)
        sources = [embedded(r) for r in relations if r.kind == "source"]
        models = [embedded(m) for m in choose_targets(replace(p, relations=tuple(relations)), "auto")]
        return json.dumps(Suggestions(suggest(sources, models, project=p)).to_dict())

    assert bytes_of(True) == bytes_of(False)


@pytest.mark.parametrize(
    ("targets", "expected"),
    # a model that a table arrives in may get a second source; a mart may not
    [("auto", ["stg_stripe__charges", "stg_stripe__customers", "stg_stripe__products", "stg_stripe__refunds"]),
     ("all", ["stg_stripe__charges", "stg_stripe__customers", "stg_stripe__products", "stg_stripe__refunds"])],
)  # fmt: skip
def test_targets(targets, expected: list[str]) -> None:
    assert [m.name for m in choose_targets(shop(), targets)] == expected


def test_targets_are_all_models_where_none_is_free() -> None:
    table = source("orders", "id")
    built = model("stg_orders", "order_id", [table])
    p = project([table, built], edges(table, built, "id>order_id"))
    assert [m.name for m in choose_targets(p, "auto")] == ["stg_orders"]


def test_all_targets_say_who_feeds_them_now() -> None:
    p = shop()
    second = source("clients", "id created name email", vendor="shopkeep")
    rows = run(replace(p, relations=(*p.relations, second)), targets="all")
    row = rows["clients", "email"]
    assert (row.model_column, row.fed_by) == ("email", ("stripe.customers.email",))


def test_a_base_model_is_not_where_a_table_arrives() -> None:
    table = source("orders", "id created")
    base = model("base_orders", "id created", [table])
    stage = model("stg_orders", "order_id created_at", [base])
    p = project(
        [table, base, stage], edges(table, base, "id created") + edges(table, stage, "id>order_id created>created_at")
    )
    rows = run(p)
    assert (rows["orders", "id"].model, rows["orders", "id"].status) == (stage.id, "existing")


def test_a_source_that_feeds_two_models() -> None:
    table = source(
        "payments", "id:integer amount:integer currency:text payer_name:text payer_email:text payer_phone:text"
    )
    money = model("stg_stripe__payments", "payment_id:integer amount:integer currency:text")
    people = model("stg_stripe__payment_payers", "payer_name:text payer_email:text payer_phone:text")
    found = run(project([table, money, people]))
    assert {c: r.model for (_, c), r in found.items()} == {
        "id": money.id, "amount": money.id, "currency": money.id,
        "payer_name": people.id, "payer_email": people.id, "payer_phone": people.id,
    }  # fmt: skip


def test_a_model_fed_by_two_sources() -> None:
    first, second = source("contacts", "id email phone", "crm"), source("clients", "client_no email phone", "shop")
    target = model("stg_contacts", "contact_id email phone", [first])
    found = run(project([first, second, target], edges(first, target, "id>contact_id email phone")), targets="all")
    assert found["contacts", "email"].status == "existing"
    row = found["clients", "email"]
    assert (row.status, row.model_column, row.fed_by) == ("suggested", "email", ("crm.contacts.email",))


def test_no_models_means_nothing() -> None:
    rows = run(project([source("orders", "id name")]))
    assert {r.model for r in rows.values()} == {None}
    assert rows["orders", "id"].reason == "there is no model to feed"


def test_a_name_is_proposed_by_habit() -> None:
    p = shop()
    rows = {(r.source.rpartition(".")[2], r.source_column): r for r in with_names(run(p).values(), Plans(p, {}))}
    assert (rows["charges", "_synced"].proposed_name, rows["charges", "_synced"].proposed_model) == (
        "synced", "stg_stripe__charges",
    )  # fmt: skip
    assert rows["charges", "id"].proposed_name is None


def test_a_tables_own_word_is_another_word_elsewhere() -> None:
    """PatID became patient_id in patients, where it is the table's; in visits it is no visit_id."""
    patients, visits = source("patients", "PatID Lname", "ehr"), source("visits", "VisID PatID", "ehr")
    built = model("stg_ehr__patients", "patient_id last_name", [patients])
    p = project([patients, visits, built], edges(patients, built, "PatID>patient_id Lname>last_name"))
    rows = [Suggestion(visits.id, "PatID", None, None, 0.9)]
    (row,) = with_names(rows, Plans(p, read_tables([visits], [], knowledge()), knowledge().plain))
    assert row.proposed_name == "patient_id"


@pytest.mark.parametrize(
    ("confidence", "undecided", "unfed", "name"),
    [
        (0.05, False, True, "synced"),
        (0.2, False, True, None),  # a planned column that nothing feeds comes first
        (0.2, False, False, "synced"),  # another column feeds it
        (0.05, True, True, None),
    ],
)
def test_planned_columns_come_before_new_ones(confidence: float, undecided: bool, unfed: bool, name: str) -> None:
    p = shop()
    charges = "model.shop.stg_stripe__charges"
    row = Suggestion(
        "source.shop.stripe.charges", "_synced", None, None, 0.6, undecided=undecided,
        candidates=(Candidate(charges, "Loaded_At", confidence),),
    )  # fmt: skip
    plans = Plans(p, {}, into={row.source: charges}, unfed={(charges, "loaded_at")} if unfed else set())
    (named,) = with_names([row], plans)
    assert (named.proposed_name, named.proposed_model) == (name, name and "stg_stripe__charges")


@pytest.mark.parametrize(
    ("confidence", "status", "own"),
    [(0.9, "suggested", True), (0.97, "suggested", False), (0.9, "accepted", False)],
)
def test_a_table_without_a_model_does_not_go_into_its_siblings(confidence: float, status: Status, own: bool) -> None:
    """Named after another table, or fed by one: not even likely answers lead there, unless most are certain."""
    charges, refunds = source("charges", "id amount", "stripe"), source("refunds", "id amount", "stripe")
    planned, other = model("stg_stripe__charges", "id"), model("payments", "amount", [charges])
    p = project([charges, refunds, planned, other], edges(charges, other, "amount"))
    rows = [
        Suggestion(refunds.id, "id", planned.id, "id", confidence, status),
        Suggestion(refunds.id, "amount", other.id, "amount", confidence),
    ]
    named = with_names(rows, Plans(p, {}))
    assert {(r.model, r.proposed_model) for r in named} == (
        {(None, "stg_stripe__refunds")} if own else {(planned.id, None), (other.id, None)}
    )


@pytest.mark.parametrize(
    ("table", "column", "name"),
    [
        ("hr.Mitarbeiter", "Vorname", "first_name"),
        ("hr.Mitarbeiter", "Geburtsdatum", "date_of_birth"),
        ("erp.customers", "CMCUNO", "customer_number"),
        ("shop.orders", "orderId", "order_id"),
        ("shop.orders", "updatedAt", "updated_at"),
        ("shop.orders", "id", "id"),
    ],
)
def test_new_columns_have_english_names(table: str, column: str, name: str) -> None:
    names = {
        "hr.Mitarbeiter": "Personalnummer Vorname Nachname Geburtsdatum Straße PLZ Ort",
        "erp.customers": "CMCUNO CMNAME CMADD1 CMADD2 CMCRLM",
        "shop.orders": "id orderId customerId createdAt updatedAt",
    }[table]
    label, _, bare = table.partition(".")
    relation = source(bare, names, label)
    p = project([relation])
    rows = [Suggestion(relation.id, c.name, None, None, 0.9) for c in relation.columns]
    named = with_names(rows, Plans(p, read_tables([relation], [], knowledge()), knowledge().plain))
    (row,) = (r for r in named if r.source_column == column)
    assert (row.proposed_model, row.proposed_name) == (f"stg_{label}__{bare.lower()}", name)


def test_an_answer_about_one_table_is_the_same_as_among_all() -> None:
    """Tables that arrive nowhere yet want the same models; those that arrive lend their words."""
    p = shop()
    everything = run(p)
    models = [embedded(m) for m in choose_targets(p, "auto")]
    for asked in (r for r in p.relations if r.kind == "source"):
        ranked = [embedded(r) for r in competitors(p, {asked.id})]
        alone = suggest(ranked, models, project=p, only={asked.id})
        assert list(alone) == [row for row in everything.values() if row.source == asked.id]
        assert alone


def test_how_many_tables_are_ranked_is_told() -> None:
    told: list[tuple[int, int]] = []
    run(shop(), progress=lambda done, total: told.append((done, total)))
    tables = sum(r.kind == "source" for r in shop().relations)
    assert told == [(done, tables) for done in range(tables)]


def test_explain_says_each_signal_and_why_not_the_next() -> None:
    p = shop()
    charges = next(r for r in p.relations if r.name == "charges")
    models = [embedded(m) for m in choose_targets(p, "auto")]
    sources = [embedded(r) for r in competitors(p, {charges.id})]
    text = explain(charges.id, "amt", sources, models, project=p)
    assert text.startswith("stripe.charges.amt   (targets: auto)")
    assert "1. stg_stripe__charges.amount" in text
    assert "stg_stripe__charges.amount stands before" in text
    assert "source_words_found" in text


def explained(p: Project, table: str, column: str, **options) -> dict[str, tuple[float, str]]:
    """What `explain` says of nothing, and of its candidates by "model.column": its confidence and a reason."""
    asked = next(r for r in p.relations if r.name == table and r.kind == "source")
    sources = [embedded(r) for r in competitors(p, {asked.id})]
    models = [embedded(m) for m in choose_targets(p, "auto")]
    lines = explain(asked.id, column, sources, models, project=p, **options).splitlines()
    parts = [re.sub(r"^[1-3]\. ", "", line).split("   ") for line in lines if re.match(r"nothing|[1-3]\. ", line)]
    return {name: (float(odds), "".join(said)) for name, odds, *said in ([x.strip() for x in p] for p in parts)}


def test_explain_says_the_confidence_that_suggest_says() -> None:
    p = shop()
    rows = [row for row in run(p, top_k=3).items() if row[1].status != "existing"]
    for (table, column), row in rows:
        found = explained(p, table, column)
        odds, reason = found.pop("nothing")
        said = {f"{c.model.rpartition('.')[2]}.{c.model_column}": rounded(c.confidence) for c in row.candidates}
        assert {name: odds for name, (odds, _) in found.items()} == pytest.approx(said, abs=0.011)
        if row.model:
            assert found[f"{row.model.rpartition('.')[2]}.{row.model_column}"][1] == row.reason
        elif row.answer == "nothing":
            assert (odds, reason) == (pytest.approx(row.confidence, abs=0.011), row.reason)
    assert len(rows) > 5


def test_explain_knows_what_people_decided_and_what_sql_does() -> None:
    p = shop()
    charges, home = "source.shop.stripe.charges", "model.shop.stg_stripe__charges"
    amount = "stg_stripe__charges.amount"
    assert explained(p, "charges", "amt")[amount][0] > 0.5
    refused = explained(p, "charges", "amt", rejected={(charges, "amt", home, "amount")})
    assert refused.get(amount, (0,))[0] == 0
    taken = explained(p, "charges", "amt", accepted={(charges, "id"): (home, "amount")})
    assert taken.get(amount, (0,))[0] == 0
    assert (
        explained(p, "charges", "amt", accepted={(charges, "amt"): (home, "amount")})[amount][1] == "a person said so"
    )
    assert explained(p, "charges", "amt", accepted={(charges, "amt"): None})["nothing"][1] == "a person said so"
    assert "the project's SQL does this: renamed" in str(explained(p, "customers", "id"))


def table(name: str, said: str) -> Relation:
    return Relation(name, name, "table", columns(said))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("customer_name start_date", "cust_nm strt_dt other", {"customer_name": "cust_nm", "start_date": "strt_dt"}),
        ("assay_id confidence_score", "CONSC ASSI", {"assay_id": "ASSI", "confidence_score": "CONSC"}),
        ("客戶名稱 地址", "地址 客戶名稱", {"客戶名稱": "客戶名稱", "地址": "地址"}),
        ("orderID orderDate", "order_date order_id", {"orderID": "order_id", "orderDate": "order_date"}),
    ],
)
def test_match_without_a_project(left: str, right: str, expected: dict[str, str]) -> None:
    rows = match(embedded(table("left", left)), embedded(table("right", right)))
    best = {r.source_column: r.candidates[0].model_column for r in rows}
    assert best == expected


def test_match_of_strange_names_does_not_fail() -> None:
    names = tuple(
        replace(c, name=n) for c, n in zip(columns("a b c d"), ["", "🙂", "a\u202eb", "x" * 5000], strict=True)
    )
    side = Relation("t", "t", "table", names)
    assert len(match(embedded(side), embedded(side))) == 4
