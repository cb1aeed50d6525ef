"""What people and programs see of suggestions."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.records import Candidate, Suggestion, Suggestions, Unfed, confidence_word
from dbt_schema_embed.show.markdown import to_markdown
from dbt_schema_embed.show.table import to_json, to_table
from dbt_schema_embed.show.words import display_width, padded, reason, short_name, sureness, target

CHARGES, STG = "source.shop.stripe.charges", "model.shop.stg_stripe__charges"
ROWS = (
    Suggestion(CHARGES, "id", STG, "charge_id", 0.9731, reason="id -> <table>_id, as in 14 other models"),
    Suggestion(CHARGES, "amount", STG, "amount_cents", 0.81, reason="the same words"),
    Suggestion(
        CHARGES, "顧客名前", "model.shop.orders", "name", 0.42,
        candidates=(Candidate("model.shop.orders", "name", 0.42), Candidate(STG, "customer", 0.31)),
    ),
    Suggestion(CHARGES, "created", STG, "created_at", 1.0, status="existing"),
    Suggestion(CHARGES, "_fivetran_synced", None, None, 0.99),
    Suggestion(CHARGES, "livemode", None, None, 0.6, proposed_name="is_live"),
    Suggestion("source.shop.shopkeep.cust", "cust_no", "model.shop.stg_customers", "customer_id", 1.0, "accepted"),
)  # fmt: skip


def test_the_table() -> None:
    assert to_table(Suggestions(ROWS)) == (
        "shopkeep.cust → stg_customers\n"
        "  cust_no → customer_id  accepted\n"
        "\n"
        "stripe.charges\n"
        "  id       → stg_stripe__charges.charge_id     0.97 certain   id -> <table>_id, as in 14 other models\n"
        "  amount   → stg_stripe__charges.amount_cents  0.81 likely    the same words\n"
        "  顧客名前 → orders.name                       0.42 doubtful  also fits stg_stripe__charges.customer\n"
        "  livemode → (new) is_live                     proposed\n"
        "  already in SQL: created\n"
        "  maps to nothing: _fivetran_synced\n"
        "\n"
        "3 suggested (1 certain, 1 likely, 1 doubtful), 1 accepted, 1 already in SQL, 1 map to nothing, 1 proposed, "
        "in 2 source tables\n"
    )
    assert to_table(Suggestions(())) == "no columns\n"


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_table_fits_a_terminal(width: int) -> None:
    *lines, _summary = to_table(Suggestions(ROWS), width=width).splitlines()
    assert max(map(display_width, lines)) <= max(width, 48)
    arrows = [display_width(line.split("→")[0]) for line in lines if line.startswith("  ") and "→" in line][1:]
    assert len(set(arrows)) == 1


def test_color_adds_nothing_but_color() -> None:
    colored = to_table(Suggestions(ROWS), width=100, color=True)
    assert "\x1b[32m0.97 certain \x1b[0m" in colored
    plain = "\n".join(line.rstrip() for line in re.sub(r"\x1b\[\d*m", "", colored).splitlines())
    assert plain + "\n" == to_table(Suggestions(ROWS), width=100)


def test_json_is_the_contract_sorted_and_ascii() -> None:
    rows = (*ROWS, replace(ROWS[0], evidence={"name": 0.123456, "values": None, "bad": float("nan")}, confidence=1 / 3))
    text = to_json(Suggestions(rows))
    assert text.isascii()
    data = json.loads(text)
    assert data["schema_version"] == 1
    assert [row["source_column"] for row in data["suggestions"]] == [
        "cust_no", "id", "amount", "顧客名前", "created", "_fivetran_synced", "livemode", "id"
    ]  # fmt: skip
    last = data["suggestions"][-1]
    assert (last["confidence"], last["evidence"]) == (0.3333, {"name": 0.1235, "values": None, "bad": None})
    assert set(data["suggestions"][1]) == {
        "source", "source_column", "model", "model_column", "answer", "confidence", "status", "reason", "evidence",
        "candidates",
    }  # fmt: skip
    assert to_json(Suggestions(rows)) == text


def test_markdown() -> None:
    assert to_markdown(Suggestions(ROWS[1:6])) == (
        "### Column mappings\n\n"
        "2 suggested (1 likely, 1 doubtful), 1 already in SQL, 1 map to nothing, 1 proposed\n\n"
        "<details><summary><code>stripe.charges</code>: 2 suggested (1 likely, 1 doubtful), 1 already in SQL, "
        "1 map to nothing, 1 proposed, 1 to look at</summary>\n\n"
        "| source column | model column | confidence | reason |\n"
        "| --- | --- | --- | --- |\n"
        "| `顧客名前` | `orders.name` | 0.42 doubtful | also fits stg&#95;stripe&#95;&#95;charges.customer |\n"
        "| `amount` | `stg_stripe__charges.amount_cents` | 0.81 likely | the same words |\n"
        "| `livemode` | new: `is_live` | proposed |  |\n"
        "\nAlready in SQL: `created`\n\nMaps to nothing: `_fivetran_synced`\n\n</details>\n"
    )


def test_hostile_names_do_nothing_in_markdown() -> None:
    name = "a`|b\x1b[31m\n@root <img src=x> [x](http://evil) </details>"
    row = Suggestion("source.s.a`@b.<b>", name, "model.s." + name, name, 0.5, reason=name + " #1 www.evil.example")
    text = to_markdown(Suggestions((row, replace(row, model=None, model_column=None))))
    outside_code = re.sub(r"<code>.*?</code>|(`+)(?!`).+?(?<!`)\1(?!`)", "", text)
    assert "<img" not in outside_code
    assert "](" not in outside_code
    assert not re.search(r"(?<!&)[@#]\w|://|www\.", outside_code)
    assert outside_code.count("</details>") == 1
    assert all(line.count(" | ") == 3 for line in text.splitlines() if line.startswith("| "))


@pytest.mark.parametrize(("tables", "columns"), [(1, 5000), (300, 40), (60_000, 1)])
def test_a_comment_is_never_too_long(tables: int, columns: int) -> None:
    rows = [
        Suggestion(f"source.s.t.t{i:05}", f"c{j}", STG, f"c{j}", 0.99 if j else 0.5)
        for i in range(tables)
        for j in range(columns)
    ]
    text = to_markdown(Suggestions(tuple(rows)))
    assert 40_000 < len(text) < 60_000
    assert text.count("<details>") == text.count("</details>")
    assert ("more in the mapping file" in text) == (columns > 1)
    assert ("Left out" in text) == (tables > 1)


@pytest.mark.parametrize(
    ("confidence", "shown"),
    [
        (1.0, "1.00 certain"),
        (0.999, "0.99 certain"),
        (0.95, "0.95 certain"),
        (0.949, "0.94 likely"),
        (0.69, "0.69 doubtful"),
    ],
)
def test_sureness(confidence: float, shown: str) -> None:
    row = replace(ROWS[0], confidence=confidence)
    assert sureness(row) == shown
    assert shown.endswith(confidence_word(confidence))


def test_what_maps_to_nothing_has_no_target() -> None:
    assert target(ROWS[4]) == ""
    assert target(ROWS[0]) == "stg_stripe__charges.charge_id"


def test_a_rival_is_named_only_where_it_counts() -> None:
    row = ROWS[2]
    assert reason(replace(row, reason="close")) == "close; also fits stg_stripe__charges.customer"
    assert reason(replace(row, reason="close; customer fits too")) == "close; customer fits too"
    assert reason(replace(row, confidence=0.8)) == ""
    far = (row.candidates[0], replace(row.candidates[1], confidence=0.2))
    assert reason(replace(row, candidates=far)) == ""


@pytest.mark.parametrize(
    ("unique_id", "name"),
    [
        (CHARGES, "stripe.charges"),
        (STG, "stg_stripe__charges"),
        ("model.shop.users.v2", "users.v2"),
        ("seed.shop.a", "a"),
        ("left", "left"),
        ("model.x", "model.x"),
        ("right.csv", "right.csv"),
    ],
)
def test_short_names(unique_id: str, name: str) -> None:
    assert short_name(unique_id) == name


@given(st.text(max_size=30), st.integers(1, 20))
def test_padding_is_exact(text: str, width: int) -> None:
    assert display_width(padded(text, width)) == width


def test_names_of_any_kind_fit_the_table(suggest: Any) -> None:
    rows = tuple(suggest(f"\x1b[2J{c}\n", f"{c}\u202e") for c in ("名", "é", "👩‍👩‍👧", "a" * 300))
    for width in (None, 80):
        text = to_table(Suggestions(rows), width=width)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", text)
        assert len(text.splitlines()) == 7


def test_the_third_answer_notes_and_what_nothing_feeds() -> None:
    candidates = (Candidate("model.shop.orders", "code", 0.419), Candidate("model.shop.orders", "tx_id", 0.3))
    rows = (
        replace(ROWS[0], source_column="tx", model=None, model_column=None, undecided=True, status="suggested",
                candidates=candidates, note="ask Ana"),
        replace(ROWS[0], source_column="_synced", model=None, model_column=None, status="suggested", note="Fivetran"),
    )  # fmt: skip
    unfed = (Unfed("model.shop.orders", "city"), Unfed("model.shop.orders", "born", required=True))
    answer = Suggestions(rows, unfed=unfed)
    assert to_table(answer).splitlines()[1:] == [
        "  tx → ?  undecided      orders.code 0.41, orders.tx_id 0.30; note: ask Ana",
        "  maps to nothing: _synced",
        "    _synced: Fivetran",
        "",
        "1 undecided, 1 map to nothing",
        "nothing feeds: orders.born (must not be empty), orders.city",
    ]
    text = to_markdown(answer)
    assert "Nothing feeds `orders.born` (must not be empty), `orders.city`." in text
    assert "| `tx` | ? | undecided | orders.code 0.41, orders.tx&#95;id 0.30; note: ask Ana |" in text
    assert "`_synced`: Fivetran" in text
    data = json.loads(to_json(answer))
    assert data["unfed"][1] == {"model": "model.shop.orders", "model_column": "born", "required": True}
    assert [(row["answer"], row["note"]) for row in data["suggestions"]] == [
        ("undecided", "ask Ana"), ("nothing", "Fivetran")
    ]  # fmt: skip
