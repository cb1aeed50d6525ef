import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.match import names, naming, phrases
from dbt_schema_embed.match.names import is_run, segment, stem
from dbt_schema_embed.words import skeleton, words


@pytest.mark.parametrize("module", [names, naming, phrases])
def test_the_examples_in_the_docstrings_hold(module) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("customer_id", ("customer", "id")),
        ("CustomerID", ("customer", "id")),
        ("IDCustomer", ("id", "customer")),
        ("Ethnicity-Self Identify", ("ethnicity", "self", "identify")),
        ("addr2", ("addr", "2")),
        ("_fivetran_synced", ("fivetran", "synced")),
        ("建物名稱", ("建物名稱",)),
        ("größe_cm", ("größe", "cm")),
        ("ชื่อ_ลูกค้า2", ("ชื่อ", "ลูกค้า", "2")),
        ("रोगी_का_नाम", ("रोगी", "का", "नाम")),
        ("___", ("___",)),
        ("", ()),
    ],
)
def test_words(name: str, expected: tuple[str, ...]) -> None:
    assert words(name) == expected


@given(st.text(max_size=40))
def test_no_name_is_too_strange(name: str) -> None:
    assert all(word for word in words(name))
    assert stem(name) is not None
    assert skeleton(name)[:1] == name[:1]


@given(st.lists(st.text("abc", min_size=1, max_size=4), min_size=1, max_size=4), st.data())
def test_beginnings_run_together_are_recognised(parts: list[str], data: st.DataObject) -> None:
    run = "".join(p[: data.draw(st.integers(1, len(p)))] for p in parts)
    assert is_run(run, tuple(parts))


def test_a_word_is_cut_only_into_known_words() -> None:
    known = frozenset({"bill", "to", "key"})
    assert segment("billtokey", known) == ("bill", "to", "key")
    assert segment("billtosky", known) == ("billtosky",)
