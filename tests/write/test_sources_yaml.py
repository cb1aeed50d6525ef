"""Entries go into people's YAML and out again; nothing else in it moves."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.write import sources_yaml
from dbt_schema_embed.write.sources_yaml import TableMeta, with_meta
from dbt_schema_embed.write.yamltree import YamlTextError, parse

TABLE = Path(__file__).resolve().parent.parent / "fixtures" / "write" / "sources.txt"
META = TableMeta(
    "stripe",
    "charges",
    {
        "id": [{"model": "stg", "column": "charge_id"}],
        "amount": [{"model": "stg", "column": "amount_cents", "type": "integer"}],
        "paid": [{"model": "stg", "column": "is_paid"}],
        "flow": [{"model": "stg", "column": "on"}],
        "createdAt": [
            {"model": "stg", "column": "created_at"},
            {"model": "other.stg", "column": "day", "type": "date"},
        ],
    },
    frozenset({"createdAt"}),
)
NONE = TableMeta("stripe", "charges", {})


def cases() -> dict[str, tuple[str, str]]:
    """Title -> (text before, text after)."""
    found = {}
    for block in re.split(r"^#### (?!becomes)", TABLE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _, body = block.partition("\n")
        before, _, after = body.partition("#### becomes\n")
        found[title] = (before, after.rstrip("\n") + "\n")
    return found


CASES = cases()


@pytest.mark.parametrize("title", CASES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_entries_go_in(title: str, newline: str) -> None:
    before, after = (text.replace("\n", newline) for text in CASES[title])
    assert with_meta(before, [META]) == after
    assert with_meta(after, [META]) == after
    without_last_break = before.removesuffix(newline)
    assert with_meta(without_last_break, [META]) == after.removesuffix(newline)


@pytest.mark.parametrize("title", CASES)
def test_entries_come_out(title: str) -> None:
    before, after = CASES[title]
    plain = with_meta(after, [NONE])
    assert "schema_embed" not in plain
    assert with_meta(plain, [NONE]) == plain
    if "schema_embed" not in before:
        assert plain == before


def test_a_column_that_was_added_stays_once_somebody_has_written_about_it() -> None:
    before = "sources:\n- name: stripe\n  tables:\n  - name: charges\n"
    after = with_meta(before, [META])
    worked_in = after.replace("name: amount\n", "name: amount\n      description: In cents.\n")
    worked_in = worked_in.replace("meta:\n", "meta:\n          owner: me\n", 1)
    assert with_meta(worked_in, [META]) == worked_in
    assert with_meta(worked_in, [NONE]) == before + (
        "    columns:\n    - name: id\n      config:\n        meta:\n          owner: me\n"
        "    - name: amount\n      description: In cents.\n"
    )


def test_a_column_that_people_list_stays_with_its_name_alone() -> None:
    before = "sources:\n- name: stripe\n  tables:\n  - name: charges\n    columns:\n    - name: id\n"
    assert with_meta(with_meta(before, [META]), [NONE]) == before


REFUSED = {
    "no YAML": ("sources: [", "it is not YAML: did not find expected node content"),
    "no such table": ("sources:\n- name: stripe\n  tables:\n  - name: x\n", "it does not declare stripe.charges"),
    "no sources": ("version: 2\n", "it does not declare stripe.charges"),
    "sources no list": ("sources: {a: b}\n", "sources is not a list"),
    "an anchor": (
        "sources:\n- name: stripe\n  tables:\n  - name: charges\n    columns: &c\n    - name: id\n",
        "it uses an anchor, an alias or a tag where entries go",
    ),
    "an alias": (
        "a: &a [{name: id}]\nsources:\n- name: stripe\n  tables:\n  - name: charges\n    columns: *a\n",
        "it uses an anchor, an alias or a tag where entries go",
    ),
    "a merge key": (
        "a: &a {config: {meta: {x: 1}}}\nsources:\n- name: stripe\n  tables:\n  - name: charges\n    columns:\n"
        "    - name: id\n      <<: *a\n",
        "it uses a merge key where entries go",
    ),
    "a config of text": (
        "sources:\n- name: stripe\n  tables:\n  - name: charges\n    columns:\n    - {name: id, config: '{{ x }}'}\n",
        "config is not keys and values",
    ),
    "an entry to remove behind an anchor": (
        "sources:\n- name: stripe\n  tables:\n  - name: charges\n    columns:\n"
        "    - &a {name: x, config: {meta: {schema_embed: {model: m, column: c}}}}\n",
        "it uses an anchor, an alias or a tag where entries go",
    ),
    "a config twice by a complex key": (
        "sources:\n- name: stripe\n  tables:\n  - name: charges\n    ? [x]\n    : {a: [b]}\n    columns: {}\n",
        "columns is not a list",
    ),
    "two configs": (
        "sources:\n- name: stripe\n  tables:\n  - name: charges\n    columns:\n"
        "    - {name: id, config: {}, config: {}}\n",
        "'config' stands here twice",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_changed_is_refused(case: str) -> None:
    text, said = REFUSED[case]
    with pytest.raises(YamlTextError) as caught:
        with_meta(text, [META])
    assert caught.value.problem == said


def test_keys_of_every_kind_stay() -> None:
    text = "? [a, {b: c}]\n: d\nsources:\n- name: stripe\n  tables:\n  - name: charges\n    ? {x: y}\n    : z\n"
    assert with_meta(text, [META]).startswith(text + "    columns:\n    - name: id\n")


def test_a_text_that_would_say_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sources_yaml.Edits, "result", lambda self: self.text.replace("Charges", "charges") + "more: 1\n"
    )
    with pytest.raises(YamlTextError, match="a change would mean something else as well"):
        with_meta(CASES["all in one line"][0].replace("{sources: ", "sources: ").removesuffix("}\n") + "\n", [META])


NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10) | st.sampled_from(
    ["id", "a: b", "no", "- x"]
)
ENTRY = st.fixed_dictionaries({"model": NAME, "column": NAME}, optional={"type": NAME})
COLUMNS = st.dictionaries(NAME, st.lists(ENTRY, min_size=1, max_size=2), max_size=4).filter(
    lambda columns: len({name.lower() for name in columns}) == len(columns)
)


@given(COLUMNS, COLUMNS, st.sampled_from([before for before, _ in CASES.values()]))
def test_what_was_written_reads_back_and_goes_again(first: dict, second: dict, before: str) -> None:  # type: ignore[type-arg]
    """`with_meta` itself refuses a text that does not read back, so that it returns is the property."""
    text = with_meta(before, [TableMeta("stripe", "charges", first)])
    text = with_meta(text, [TableMeta("stripe", "charges", second)])
    assert with_meta(text, [TableMeta("stripe", "charges", second)]) == text
    plain = with_meta(text, [NONE])
    assert "schema_embed" not in plain
    assert parse(plain).kind == "mapping"
    if "schema_embed" not in before:
        assert plain == before
