"""Changes to YAML text at the places a tree names; every other character stays."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from dbt_schema_embed.write.yamltree import Node, YamlTextError

Value: TypeAlias = "str | Mapping[str, Value] | Sequence[Value]"
"""What can be written: text, and nested mappings and lists of it."""


class Raw(str):
    """Text that is YAML already, e.g. a number."""

    __slots__ = ()


_PLAIN = re.compile(r"[^\W\d](?:[\w \-./<>()+$%^=;!]*[\w\-./<>()+$%^=;!])?")
_PLAIN_OUTSIDE_FLOW = re.compile(r"[^\W\d](?:[\w \-./<>()+$%^=;!,]*[\w\-./<>()+$%^=;!])?")
_COMMENT = re.compile(r"(?:(?<=\s)|^)(#[^\r\n]*)", re.MULTILINE)
_WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))


def scalar(value: str, *, flow: bool = False) -> str:
    """``value`` as YAML on one line, plain where no reader of YAML 1.1 or 1.2 would take it for something else.

    Raises:
        YamlTextError: a lone surrogate, which no YAML can hold.

    >>> [scalar(v) for v in ("charge_id", "no", "2fa", "id -> x_id, twice", "a: b", "it's", "a\\nb")]
    ['charge_id', "'no'", "'2fa'", 'id -> x_id, twice', "'a: b'", '"it\\'s"', '"a\\\\nb"']
    """
    if isinstance(value, Raw):
        return str(value)
    if (_PLAIN if flow else _PLAIN_OUTSIDE_FLOW).fullmatch(value) and value.lower() not in _WORDS:
        return value
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise YamlTextError(f"{value!a} is not Unicode text")
    if value.isprintable() and "'" not in value:
        return f"'{value}'"
    return "".join(c if c.isprintable() else _escaped(c) for c in json.dumps(value, ensure_ascii=False))


def _escaped(c: str) -> str:
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def flow_text(value: Value) -> str:
    """``value`` on one line: ``{model: a, column: b}``."""
    if isinstance(value, str):
        return scalar(value, flow=True)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(k, flow=True)}: {flow_text(v)}" for k, v in value.items()) + "}"
    return "[" + ", ".join(flow_text(v) for v in value) + "]"


@dataclass(frozen=True, slots=True)
class Indent:
    """How a file indents, in characters."""

    mapping: int = 2  # a mapping below its key
    dash: int = 2  # a list's dash below its key; 0: in line with the key
    gap: int = 2  # from the dash to what follows it


def block_lines(value: Mapping[str, Value], indent: Indent) -> list[str]:
    """The lines of a block mapping at column 0."""
    lines: list[str] = []
    for key, item in value.items():
        if isinstance(item, str):
            lines.append(f"{scalar(key)}: {scalar(item)}")
        else:
            lines += [f"{scalar(key)}:", *_below(item, indent)]
    return lines


def item_lines(entry: Value, indent: Indent) -> list[str]:
    """The lines of one item of a block list whose dash is at column 0."""
    lines = block_lines(entry, indent) if isinstance(entry, Mapping) else [flow_text(entry)]
    return [("-".ljust(indent.gap) if i == 0 else " " * indent.gap) + line for i, line in enumerate(lines)]


def _below(value: Mapping[str, Value] | Sequence[Value], indent: Indent) -> list[str]:
    """The lines of a collection below its key, the key being at column 0."""
    if isinstance(value, Mapping):
        return [" " * indent.mapping + line for line in block_lines(value, indent)]
    return [" " * indent.dash + line for entry in value for line in item_lines(entry, indent)]


def _leaves(node: Node) -> Iterator[Node]:
    """The scalars below a node."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if found.kind == "scalar":
            yield found
        waiting += [*found.items, *(part for pair in found.pairs for part in pair)]


class Edits:
    """Changes to one text, gathered first and made at once, so that offsets stay true."""

    def __init__(self, text: str, indent: Indent = Indent()) -> None:
        self.text = text
        self.indent = indent
        self.newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
        self._cuts: list[tuple[int, int, str]] = []

    def result(self) -> str:
        """The text with every change made."""
        parts, at = [], 0
        for start, end, new in sorted(self._cuts, key=lambda cut: cut[:2]):
            parts += [self.text[at:start], new]
            at = max(at, end)
        return "".join([*parts, self.text[at:]])

    def cut(self, start: int, end: int, new: str = "") -> None:
        """Replace the characters from ``start`` to ``end``."""
        self._cuts.append((start, end, new))

    def put(self, node: Node, key: str, value: Value) -> None:
        """Give ``key`` of the mapping ``node`` that value, in the style around it; a comment on its line stays."""
        pair = node.pair(key)
        if pair is None:
            self.add_pairs(node, {key: value})
        elif node.flow:
            self._replace(pair[1], flow_text(value))
        elif isinstance(value, str):
            self._replace(pair[1], scalar(value))
        else:
            self._replace_below(*pair, value, pair[0].column)

    def add_pairs(self, node: Node, pairs: Mapping[str, Value]) -> None:
        """Add keys at the end of a mapping."""
        if node.flow:
            new = flow_text(pairs)[1:-1]
            if node.pairs:
                self.cut(node.pairs[-1][1].end, node.pairs[-1][1].end, f", {new}")
            else:
                self.cut(node.start + 1, node.end - 1, new)
        else:
            self._add_lines(self._last(node), node.pairs[0][0].column, block_lines(pairs, self.indent))

    def change_items(self, node: Node, drop: Collection[int], add: Sequence[Value]) -> None:
        """Take the items with these indexes out of a list and add others at its end.

        Comments above a dropped item and in its lines stay. A block list must hold an item to begin with and may end up
        with none.
        """
        if node.flow:
            self._change_flow(node, drop, add)
            return
        for index in drop:
            item = node.items[index]
            self._remove_lines(item.start, self._last(item), node.column, self._comments(item.start, item))
        first = node.items[0]
        gap = max(first.column - node.column, 2) if first.line == node.line else self.indent.gap
        indent = replace(self.indent, gap=gap)
        if add:
            self._add_lines(self._last(node), node.column, [line for e in add for line in item_lines(e, indent)])

    def remove_pair(self, node: Node, key: str) -> None:
        """Take one key and its value out of a mapping that keeps others."""
        index = next(i for i, pair in enumerate(node.pairs) if pair[0].text == key)
        before, (name, value) = node.pairs[index - 1][1], node.pairs[index]
        if index == 0:  # in block style its line may hold the dash of a list item
            self.cut(name.start, node.pairs[1][0].start)
        elif node.flow:
            self.cut(before.end, value.end)
        else:
            self._remove_lines(name.start, self._last(value), name.column, self._comments(name.start, name, value))

    def _replace(self, node: Node, new: str) -> None:
        end = self._last(node)
        if node.start == node.end and not self.text[node.start - 1].isspace():
            new = f" {new}"
        self.cut(node.start, end - 1 if self.text[end - 1 : end] == "\n" and end > node.start else end, new)

    def _replace_below(self, key: Node, old: Node, value: Mapping[str, Value] | Sequence[Value], column: int) -> None:
        new = "".join(self.newline + " " * column + line for line in _below(value, self.indent))
        colon = self.text.index(":", key.end) + 1
        if old.style != "block":
            self.cut(colon, old.end)
            self.cut(self._line_end(old.end), self._line_end(old.end), new)
        else:
            self.cut(self._line_end(colon), self._line_end(self._last(old)), new)

    def _change_flow(self, node: Node, drop: Collection[int], add: Sequence[Value]) -> None:
        new = flow_text(add)[1:-1]
        kept = [i for i in range(len(node.items)) if i not in drop]
        if not kept:
            self.cut(node.start + 1, node.end - 1, new)
            return
        for i in drop:
            if i < kept[0]:
                self.cut(node.items[i].start, node.items[i + 1].start)
            else:
                self.cut(node.items[i - 1].end, node.items[i].end)
        if add:
            self.cut(node.items[-1].end, node.items[-1].end, f", {new}")

    def _add_lines(self, offset: int, column: int, lines: Sequence[str]) -> None:
        end = self._line_end(offset)
        self.cut(end, end, "".join(self.newline + " " * column + line for line in lines))

    def _remove_lines(self, first: int, last: int, column: int, comments: Sequence[str]) -> None:
        """Take out the lines from the one that holds ``first`` to the one that holds ``last``, all but comments."""
        start = self.text.rfind("\n", 0, first)
        start -= self.text[start - 1 : start] == "\r"
        self.cut(start, self._line_end(last), "".join(self.newline + " " * column + text for text in comments))

    def _comments(self, start: int, *nodes: Node) -> list[str]:
        """The comments in the lines from the offset ``start`` to where the last of ``nodes`` ends."""
        end = self._line_end(self._last(nodes[-1]))
        taken = [(leaf.start, leaf.end) for node in nodes for leaf in _leaves(node)]
        found: list[str] = []
        for match in _COMMENT.finditer(self.text, start, end):
            if not any(begin <= match.start(1) < stop for begin, stop in taken):
                found.append(match[1].rstrip())
        return found

    def _last(self, node: Node) -> int:
        """Where the content of a node ends: behind it stand blanks and comments only."""
        while node.style == "block":
            node = node.items[-1] if node.kind == "sequence" else node.pairs[-1][1]
        if node.kind != "scalar" or node.style not in ("|", ">"):
            return node.end
        written = self.text[node.start : node.end]
        keeps_blank_lines = "+" in written.split("\n", 1)[0].split("#", 1)[0]
        return node.end if keeps_blank_lines else node.start + len(written.rstrip())

    def _line_end(self, offset: int) -> int:
        """Where the line of ``offset`` ends, before its line break; just behind a break, it is the line before."""
        end = offset - 1 if offset and self.text[offset - 1] == "\n" else self.text.find("\n", offset)
        if end < 0:
            return len(self.text)
        return end - 1 if end and self.text[end - 1] == "\r" else end
