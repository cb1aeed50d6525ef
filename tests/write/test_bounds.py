"""Large and hostile files take bounded time. Limits are many times what an idle machine needs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dbt_schema_embed.decide.rows import confident, decide
from dbt_schema_embed.errors import MappingError
from dbt_schema_embed.records import Suggestion
from dbt_schema_embed.write.mapping import parse_mapping, read_mapping
from dbt_schema_embed.write.update import update_mapping

COLUMNS = 5_000
SOURCE, MODEL = "source.p.s.wide", "model.p.m"


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fails when its body takes more processor time."""
    started = time.process_time()
    yield
    assert time.process_time() - started < seconds


def suggestions(confidence: float, prefix: str = "c") -> list[Suggestion]:
    return [Suggestion(SOURCE, f"c{i}", MODEL, f"{prefix}{i}", confidence, reason="why") for i in range(COLUMNS)]


def test_a_table_of_five_thousand_columns(tmp_path: Path) -> None:
    path = tmp_path / "wide.yml"
    with within(20):  # 2 s
        for rows in (suggestions(0.99), suggestions(0.8), suggestions(0.8, "d")):
            rewrite = update_mapping(path, rows, source="s.wide", names={})
            assert rewrite.write(tmp_path)
        file = read_mapping(path, "m.yml")
        decided = decide(path, confident(file, 0.5))
        assert decided.text.count("status: accepted") == COLUMNS
        decided.write(tmp_path)
        settled = update_mapping(path, suggestions(0.1), source="s.wide", names={})
        assert not settled.changed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- " * 1_000_000, "it is nested more than 60 levels deep"),
        ("a: [" + "a," * 1_000_000 + "]", "it holds more than 400000 values"),
        ("a: {" + "a: b," * 500_000 + "}", "it holds more than 400000 values"),
        ("a: &a [x, x]\n" + "b: [*a, *a]\n" * 200_000, "it holds more than 400000 values"),
        ("'" * 1_000_001, "it is not YAML: found unexpected end of stream"),
        ("a:" * 1_000_000, "it is not YAML: mapping values are not allowed in this context"),
        ("#" * 1_000_000 + "\n" * 1_000_000, "it is empty"),
    ],
    ids=["depth", "list", "mapping", "aliases", "quotes", "colons", "nothing"],
)
def test_hostile_text_is_refused_in_time(text: str, said: str) -> None:
    with within(15), pytest.raises(MappingError) as caught:  # 0.5 s
        parse_mapping(text, "m.yml")
    assert caught.value.problem == said
