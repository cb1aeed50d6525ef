"""Relations looked up by their words, against a comparison with every one."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.match import nearby
from dbt_schema_embed.match.nearby import Nearby, Rivals, keys_of
from tests.match.builders import source

NAMES = st.lists(st.sampled_from(["order_id", "order_date", "amount", "note", "city"]), max_size=4, unique=True)


@given(st.lists(NAMES, max_size=8), NAMES, st.integers(1, 4))
def test_the_nearest_are_those_of_a_full_comparison(tables: list[list[str]], asked: list[str], most: int) -> None:
    relations = [source(f"t{chr(97 + i)}", " ".join(names)) for i, names in enumerate(tables)]
    keys, wanted = [keys_of(r) for r in relations], keys_of(source("other", " ".join(asked)))
    score = [
        sum(log(1 + len(keys) / sum(key in k for k in keys)) for key in sorted(wanted & own)) for own in keys
    ]  # fmt: skip
    found = Nearby(relations).nearest(wanted, most).tolist()
    assert found == sorted(found)
    assert all(score[i] > 0 for i in found)
    assert len(found) == min(most, sum(s > 0 for s in score))
    left = [s for i, s in enumerate(score) if i not in found]
    assert all(score[i] >= max(left, default=0) - 1e-9 for i in found)


def test_a_word_of_many_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    relations = [source(f"t{chr(97 + i)}", "id" if i else "id amount") for i in range(4)]
    monkeypatch.setattr(nearby, "COMMON", 3)
    assert Nearby(relations).nearest({"id"}, 9).tolist() == []
    assert Nearby(relations).nearest({"id", "amount"}, 9).tolist() == [0]


def test_words_of_tables_and_of_columns_are_apart() -> None:
    tables = [source("orders", "id"), source("lines", "order")]
    assert Nearby(tables).nearest(keys_of(source("orders", "key")), 9).tolist() == [0]
    assert Nearby(tables).nearest(keys_of(source("x", "key", "v"), [("orders",)]), 9).tolist() == [1]


@pytest.mark.parametrize("most", [1, 3, 100])
def test_no_table_is_its_own_rival(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearby, "RIVALS", most)
    tables = [source(f"t{chr(97 + i)}", f"id amount note_{chr(97 + i)}") for i in range(6)]
    rivals = Rivals(tables)
    for table in tables:
        found = rivals.of(table)
        assert table.id not in found
        assert len(found) == min(most, 5)
        assert found < {t.id for t in tables}
