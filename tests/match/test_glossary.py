"""The project's own words: read, proposed from decisions, written as text."""

from pathlib import Path

import pytest

from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.match.glossary import glossary_text, parse_glossary, propose_words, read_glossary
from dbt_schema_embed.match.reading import read_tables
from dbt_schema_embed.records import Column, Relation


def test_words_for_all_sources_and_for_one() -> None:
    text = "# ours\nkdnr, kundennr: customer number\n\nerp:\n  'crlm': credit limit  # seen twice\nst: street | state\n"
    assert parse_glossary(text, "g") == {
        "": [("kdnr, kundennr", "customer number"), ("st", "street | state")],
        "erp": [("crlm", "credit limit")],
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [("just words", 1), ("a: b\n- c", 2), (": nothing", 1), ("erp:\n  crlm:", 2)],
)
def test_what_is_no_entry_is_named(text: str, line: int) -> None:
    with pytest.raises(ConfigError, match=rf"line {line} of glossary.yml is no entry"):
        parse_glossary(text, "glossary.yml")


def test_a_file_that_is_not_there_is_empty_and_one_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert read_glossary(tmp_path / "glossary.yml") == {}
    for content, said in ((b"\xff\xfe\x00", "not UTF-8"), (b"a" * (2**20 + 1), "larger than 1 MB")):
        (tmp_path / "glossary.yml").write_bytes(content)
        with pytest.raises(ConfigError, match=said):
            read_glossary(tmp_path / "glossary.yml")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        read_glossary(tmp_path / "folder")


def test_words_are_learnt_from_what_people_accepted() -> None:
    columns = tuple(Column(n) for n in ("qzxcu_no", "qzxcu_name", "amount", "wvvrk"))
    source = Relation("source.p.erp.t", "t", "source", columns, source_name="erp")
    readings = read_tables([source], [])
    accepted = [
        (source, "qzxcu_no", "customer_number"), (source, "qzxcu_name", "customer_name"), (source, "amount", "amount"),
        (source, "wvvrk", "is_hold"), (source, "gone", "x"),
    ]  # fmt: skip
    found = propose_words(accepted, readings)
    assert [(w.word, w.meaning, w.times) for w in found] == [("qzxcu", "customer", 2), ("wvvrk", "hold", 1)]
    text = glossary_text(found, {"": [("wvvrk", "hold")]})
    assert text == "erp:\n  qzxcu: customer  # 2 columns\n"
    assert parse_glossary(text, "g") == {"erp": [("qzxcu", "customer")]}
    assert glossary_text(found[1:], {"": [("wvvrk", "hold")]}) == ""
