"""Where the select lists of a SQL text stand, Jinja and all: enough to add to one, and to refuse what is not plain."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field


def _hidden(text: str) -> re.Pattern[str]:
    """What holds no SQL; ``text``: how a text in quotes looks."""
    return re.compile(
        rf"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z)|\{{\#.*?(?:\#\}}|\Z))
          | (?P<block>\{{%.*?(?:%\}}|\Z))
          | (?P<value>\{{\{{.*?(?:\}}\}}|\Z) | {text} | "(?:[^"]|"")*" | `[^`]*`)""",
        re.DOTALL | re.VERBOSE,
    )


_HIDDEN = _hidden(r"'(?:[^'\\]|''|\\.)*' | (?P<open>'(?:[^'\\]|\\.|\\\Z)*+\Z)")
_NO_TEXTS = _hidden(r"(?P<open>(?!))")
"""Behind a quote that nothing closes: each later one follows a backslash, and opens nothing either."""
_TOKEN = re.compile(r"\w+|[(),;*]|\x01+")
_LAST_NAME = re.compile(r"""\s*+(?:"((?:[^"]|"")+)"|`([^`]++)`|\]([^\]]+)\[|(\w++))""")  # of a text read backwards
BARRED = {
    "distinct": "it selects distinct rows",
    "group": "it groups",
    "join": "it joins, and a bare name could be another table's",
    "union": "it is part of a union",
    "except": "it is part of a set operation",
    "intersect": "it is part of a set operation",
    "top": "it selects the top rows",
    "pivot": "it pivots",
    "unpivot": "it unpivots",
}
"""Words behind which no column can be added to a list, and why."""
_BLOCK = "\x01"
_DEEPEST = 100
"""Brackets around a select; people write some five."""


@dataclass(slots=True)
class SelectList:
    """One select list; offsets into the text. ``items`` are (start, end) without the commas between them."""

    start: int  # behind the word select
    depth: int
    cte: str = ""  # the name of the CTE whose body it is, lower case
    end: int = -1  # where `from` begins; -1: it has none
    scope_end: int = -1
    commas: list[int] = field(default_factory=list)
    words: set[str] = field(default_factory=set)  # of BARRED that stand at its depth, list and rest

    def items(self) -> list[tuple[int, int]]:
        """The places of the items."""
        edges = [self.start, *(comma + 1 for comma in self.commas)]
        return list(zip(edges, [*self.commas, self.end], strict=True))


@dataclass(frozen=True, slots=True)
class SqlText:
    """A text with its select lists in their order."""

    text: str
    bare: str  # the same length: comments are blanks, Jinja blocks a mark, names in quotes and Jinja values letters
    selects: tuple[SelectList, ...]
    ends: tuple[int, ...]  # of its lines

    def line(self, offset: int) -> int:
        """The 1-based line of an offset."""
        return bisect_left(self.ends, offset) + 1

    def name(self, item: tuple[int, int]) -> str:
        """The column an item puts out, lower case; "*" for a star, "" for none."""
        bare = self.bare[item[0] : item[1]].rstrip()
        if bare.endswith("*"):
            return "*"
        found = _LAST_NAME.match(self.text[item[0] : item[0] + len(bare)][::-1])
        return next((part for part in found.groups() if part), "")[::-1].replace('""', '"').lower() if found else ""

    def names(self, select: SelectList) -> list[str]:
        """What a list puts out, in its order."""
        return [self.name(item) for item in select.items() if self.bare[item[0] : item[1]].strip()]

    def has_block(self, select: SelectList) -> bool:
        """Whether Jinja decides what is in the list."""
        return _BLOCK in self.bare[select.start : select.end]


def read_selects(text: str) -> SqlText:
    """The select lists of ``text``. Any text will do: one that is no SQL has none."""
    bare = _HIDDEN.sub(_filled, text)
    return SqlText(text, bare, tuple(_selects(bare)), tuple(m.start() for m in re.finditer("\n", text)))


def _filled(found: re.Match[str]) -> str:
    if found["open"] is not None:
        return found[0][0] + _NO_TEXTS.sub(_filled, found[0][1:])
    fill = " " if found["comment"] else _BLOCK if found["block"] else "x"
    return "".join("\n" if c == "\n" and fill == " " else fill for c in found[0])


def _selects(bare: str) -> Iterator[SelectList]:
    found: list[SelectList] = []
    open_: dict[int, SelectList] = {}
    bodies: dict[int, str] = {}
    before = ("", "")
    depth = 0
    for token in _TOKEN.finditer(bare):
        word, at = token[0].lower(), token.start()
        select = open_.get(depth)
        if word == "(":
            depth += 1
            bodies[depth] = before[0] if before[1] == "as" else ""
        elif word == ")":
            if select:
                select.scope_end = at
            open_.pop(depth, None)
            depth -= 1
        elif word == "select" and depth <= _DEEPEST:
            opened = SelectList(token.end(), depth, bodies.get(depth, ""), words=set(select.words) if select else set())
            found.append(opened)
            open_[depth] = opened
        elif select and word == "," and select.end < 0:
            select.commas.append(at)
        elif select and word == "from" and select.end < 0 and before[1] != "distinct":
            select.end = at
        # `a is distinct from b` and `* except (a)` are no clauses.
        if select and word in BARRED and before[1] not in (("is", "not") if word == "distinct" else ("*",)):
            select.words.add(word)
        before = (before[1], word)
    return (s for s in found if s.end >= 0)
