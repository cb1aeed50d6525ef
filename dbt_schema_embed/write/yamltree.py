"""YAML text as a tree that knows where in the text each node stands, within bounds.

Built from parser events, so that depth, anchors and tags are judged before anything is built, and files people own can
be changed character by character instead of being dumped anew.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from dbt_schema_embed.errors import printable
from dbt_schema_embed.yaml_values import too_deep

MAX_BYTES = 8 * 2**20
"""A mapping of 20,000 columns is below it."""
MAX_DEPTH = 60
MAX_NODES = 400_000
"""About a second of reading."""

_TOO_DEEP = f"it is nested more than {MAX_DEPTH} levels deep"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # without libyaml: 20 times slower, same events
_MERGE_MARKER = re.compile(r"^(?:<{7}|>{7}|\|{7}) ?", re.MULTILINE)
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NULL = frozenset(("", "~", "null", "Null", "NULL"))


class YamlTextError(Exception):
    """What is wrong with the text, and the 1-based line (0: unknown). Callers turn it into an error of the package."""

    def __init__(self, problem: str, line: int = 0, hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.hint = hint


@dataclass(slots=True, eq=False)
class Node:
    """One node; ``start`` and ``end`` are character offsets into the text, ``line`` is 1-based."""

    kind: Literal["scalar", "mapping", "sequence", "alias"]
    start: int
    end: int
    line: int
    column: int  # 0-based
    text: str = ""  # scalars: the value
    style: str = ""  # scalars: "" plain, or ' " | >; collections: "flow" or "block"
    marked: bool = False  # carries an anchor or a tag
    pairs: list[tuple["Node", "Node"]] = field(default_factory=list)
    items: list["Node"] = field(default_factory=list)

    @property
    def null(self) -> bool:
        """A scalar that says nothing: empty, ``~`` or ``null``."""
        return self.kind == "scalar" and not self.style and not self.marked and self.text in _NULL

    @property
    def flow(self) -> bool:
        return self.style == "flow"

    def pair(self, key: str) -> tuple["Node", "Node"] | None:
        """The key and value nodes of ``key``, None when it is missing or this is no mapping.

        Raises:
            YamlTextError: the key stands there twice.
        """
        found = [pair for pair in self.pairs if pair[0].kind == "scalar" and pair[0].text == key]
        if len(found) > 1:
            raise YamlTextError(f"{printable(key)!r} stands here twice", found[1][0].line, "remove one of them")
        return found[0] if found else None

    def get(self, key: str) -> "Node | None":
        """The value node of ``key``; see `pair`."""
        found = self.pair(key)
        return found[1] if found else None

    def data(self) -> Any:
        """The node as nested plain values, blind to style: what two texts must share to mean the same."""
        if self.kind == "mapping":
            return ("mapping", self.marked, [(key.data(), value.data()) for key, value in self.pairs])
        if self.kind == "sequence":
            return ("sequence", self.marked, [item.data() for item in self.items])
        return (self.kind, self.marked, None if self.null else self.text, bool(self.style))


def read_content(path: Path) -> bytes:
    """The bytes of a YAML file; of one that is too large only so many that `decoded` refuses them. Raises OSError."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def decoded(content: bytes) -> str:
    """UTF-8 ``content`` as text, without its byte order mark, line ends as they are.

    Raises:
        YamlTextError: more than `MAX_BYTES`, or not UTF-8.
    """
    if len(content) > MAX_BYTES:
        raise YamlTextError(f"it is larger than {MAX_BYTES // 2**20} MiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise YamlTextError("it is not UTF-8 text", content.count(b"\n", 0, problem.start) + 1) from None


def parse(text: str) -> Node:
    """The root node of the one document in ``text``; an empty text gives a null scalar.

    Raises:
        YamlTextError: merge markers, a syntax error, nesting deeper than `MAX_DEPTH`, more than one document.
    """
    if found := _MERGE_MARKER.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise YamlTextError("a merge conflict is not resolved", line, "keep one side and remove the <<<<<<< markers")
    try:
        return _build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        said = _TOO_DEEP if too_deep(problem) else f"it is not YAML: {printable(problem.problem)}"
        raise YamlTextError(said, mark.line + 1 if mark else 0) from None
    except (yaml.YAMLError, UnicodeEncodeError):  # the reader refused a character
        found = _CONTROL.search(text)
        line = text.count("\n", 0, found.start()) + 1 if found else 0
        raise YamlTextError("it is not YAML: a control character stands in it", line) from None


def _build(events: Iterator[Any]) -> Node:
    """The tree of an event stream, without recursion."""
    root = Node("scalar", 0, 0, 1, 0)
    documents = 0
    open_nodes: list[Node] = []
    key: list[Node | None] = []  # for each open node: the key that waits for its value
    for count, event in enumerate(events):
        if count > MAX_NODES:
            raise YamlTextError(f"it holds more than {MAX_NODES} values", event.start_mark.line + 1)
        kind = type(event)
        if kind in _ENDS:
            node = open_nodes.pop()
            key.pop()
            node.end = event.end_mark.index
            continue
        if kind is yaml.DocumentStartEvent:
            documents += 1
            if documents > 1:
                raise YamlTextError("it holds more than one document", event.start_mark.line + 1)
        if kind not in _NODES:
            continue
        node = _node(event, kind)
        if not open_nodes:
            root = node
        else:
            key[-1] = _attach(open_nodes[-1], node, key[-1])
        if kind is not yaml.ScalarEvent and kind is not yaml.AliasEvent:
            if len(open_nodes) >= MAX_DEPTH:
                raise YamlTextError(_TOO_DEEP, node.line)
            open_nodes.append(node)
            key.append(None)
    return root


_ENDS = frozenset((yaml.MappingEndEvent, yaml.SequenceEndEvent))
_NODES = frozenset((yaml.ScalarEvent, yaml.AliasEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent))


def _attach(parent: Node, node: Node, key: Node | None) -> Node | None:
    """Put ``node`` under ``parent``; what comes back is the key that now waits for a value."""
    if parent.kind == "sequence":
        parent.items.append(node)
        return None
    if key is None:
        return node
    parent.pairs.append((key, node))
    return None


def _node(event: Any, kind: type) -> Node:
    mark = event.start_mark
    start, end, line, column = mark.index, event.end_mark.index, mark.line + 1, mark.column
    if kind is yaml.ScalarEvent:
        marked = event.anchor is not None or event.tag is not None
        style = event.style if event.style is not None else ""
        return Node("scalar", start, end, line, column, event.value, style, marked)
    if kind is yaml.AliasEvent:
        return Node("alias", start, end, line, column, event.anchor)
    marked = event.anchor is not None or event.tag is not None
    style = "flow" if event.flow_style else "block"
    return Node(
        "mapping" if kind is yaml.MappingStartEvent else "sequence", start, end, line, column, "", style, marked
    )
