"""Text that was changed says what it should, and nothing else in it moved."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.write.yamledit import Edits, Indent, Raw, Value, block_lines, flow_text, scalar
from dbt_schema_embed.write.yamltree import Node, YamlTextError, parse

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    [
        "no",
        "Null",
        "~",
        "",
        "1",
        "1e3",
        "0x1f",
        "2020-01-01",
        "a: b",
        "a #b",
        "- a",
        "{{ x }}",
        "<<",
        "=",
        "it's",
        '"',
        "🦆 é",
        "A?",
    ]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    NAMES, lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3) | st.lists(inner, min_size=1, max_size=3)
)


def plain(node: Node) -> Any:
    """The tree as dicts, lists and text."""
    if node.kind == "mapping":
        return {key.text: plain(value) for key, value in node.pairs}
    return [plain(item) for item in node.items] if node.kind == "sequence" else node.text


@given(NAMES)
def test_a_scalar_reads_back_in_every_place(value: str) -> None:
    for text in (scalar(value), scalar(value, flow=True)):
        assert yaml.safe_load(f"a: {text} # c\n") == {"a": value}
        assert "\n" not in text
    assert yaml.safe_load(f"[{scalar(value, flow=True)}, b]") == [value, "b"]


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(YamlTextError, match=r"'a\\ud800' is not Unicode text"):
        scalar("a\ud800")


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4), st.sampled_from([0, 2, 4]), st.sampled_from([2, 4]))
def test_blocks_and_flows_read_back(value: dict[str, Value], dash: int, step: int) -> None:
    lines = block_lines(value, Indent(mapping=step, dash=dash, gap=step))
    assert plain(parse("\n".join(lines))) == value
    assert plain(parse(flow_text(value))) == value


@pytest.mark.parametrize(
    ("before", "key", "value", "after"),
    [
        ("a: 1 # c\nb: 2\n", "a", "x", "a: x # c\nb: 2\n"),
        ("a: 1", "b", "x", "a: 1\nb: x"),
        ("a:\nb: 2\n", "a", "x", "a: x\nb: 2\n"),
        ("a:   # c\nb: 2\n", "a", ["x"], "a:   # c\n  - x\nb: 2\n"),
        ("a: [] # c\nb: 2\n", "a", ["x"], "a: # c\n  - x\nb: 2\n"),
        ("a: ~\r\nb: 2\r\n", "a", {"x": "v"}, "a:\r\n  x: v\r\nb: 2\r\n"),
        ("a:\n  - 1 # c\n  # d\nb: 2\n", "a", ["x"], "a:\n  - x\n  # d\nb: 2\n"),
        ("a: |\n  1\n\n  2\n\n# c\nb: 2\n", "a", "x", "a: x\n\n# c\nb: 2\n"),
        ("a: |+\n  1\n\nb: 2\n", "a", "x", "a: x\nb: 2\n"),
        ("b: 2\na: >+\n  1\n\n", "c", "x", "b: 2\na: >+\n  1\n\nc: x\n"),
        ("a: 'it''s\n  long' # c\n", "a", "x", "a: x # c\n"),
        ("{a: 1, b: [2] }\n", "c", ["x", "y, z"], "{a: 1, b: [2], c: [x, 'y, z'] }\n"),
        ("{}", "c", "x", "{c: x}"),
        ("{a: , b: 2}", "a", "x", "{a: x, b: 2}"),
        ("a: 1\nb: 2\n# end\n", "c", {"x": {"k": "v"}}, "a: 1\nb: 2\nc:\n  x:\n    k: v\n# end\n"),
    ],
)
def test_put(before: str, key: str, value: Value, after: str) -> None:
    edits = Edits(before)
    edits.put(parse(before), key, value)
    assert edits.result() == after


@pytest.mark.parametrize(
    ("before", "drop", "add", "after"),
    [
        ("a:\n  - x\n  # y's\n  - y # c\n  - z\nb: 1\n", {1}, ["w"], "a:\n  - x\n  # y's\n  # c\n  - z\n  - w\nb: 1\n"),
        ("a:\n-   x\n-   y\n", {0, 1}, [{"k": "v", "l": "w"}], "a:\n-   k: v\n    l: w\n"),
        ("a:\r\n  - x: 1\r\n    y: 2\r\n", {0}, [], "a:\r\n"),
        ("a:\n  -\n    x: 1\n", set(), [{"x": "2"}], "a:\n  -\n    x: 1\n  - x: '2'\n"),
        ("a: [x, 'y', z,] # c\n", {0, 1}, ["w"], "a: [z, w,] # c\n"),
        ("a: [x, # c\n    y, z]\n", {1, 2}, ["w"], "a: [x, w]\n"),
        ("a: [x,]\n", {0}, [], "a: []\n"),
        ("a: [x]\n", {0}, ["[w]"], "a: ['[w]']\n"),
        ("a: []\n", set(), ["w", "v"], "a: [w, v]\n"),
        ("a:\n  - |\n    x\n  - >+\n    y\n\n", {1}, ["w"], "a:\n  - |\n    x\n  - w\n"),
    ],
)
def test_change_items(before: str, drop: set[int], add: list[Value], after: str) -> None:
    edits = Edits(before)
    edits.change_items(parse(before).pairs[0][1], drop, add)
    assert edits.result() == after


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        ("a: 1\nb:\n  c: 2\nd: 3\n", "b", "a: 1\nd: 3\n"),
        ("- a:\n    c: 2\n  b: 1\n", "a", "- b: 1\n"),
        ("- {a: 1, b: 2, c: 3}\n", "b", "- {a: 1, c: 3}\n"),
        ("- {a: 1, b: 2}\n", "a", "- {b: 2}\n"),
        ("a: 1\nb: 2", "b", "a: 1"),
    ],
)
def test_remove_pair(before: str, key: str, after: str) -> None:
    edits, root = Edits(before), parse(before)
    edits.remove_pair(root.items[0] if root.items else root, key)
    assert edits.result() == after


def test_raw_text_is_not_quoted() -> None:
    assert scalar(Raw("0.97")) == "0.97"
