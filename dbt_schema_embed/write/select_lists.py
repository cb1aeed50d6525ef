"""Where the select lists of a SQL text stand, Jinja and all: enough to add to one, and to refuse what is not plain."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_HIDDEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z)|\{\#.*?(?:\#\}|\Z))
      | (?P<block>\{%.*?(?:%\}|\Z))
      | (?P<value>\{\{.*?(?:\}\}|\Z) | '(?:[^'\\]|''|\\.)*' | "(?:[^"]|"")*" | `[^`]*`)""",
    re.DOTALL | re.VERBOSE,
)
_TOKEN = re.compile(r"\w+|[(),;*]|\x01+")
_LAST_NAME = re.compile(r"""(?:"((?:[^"]|"")+)"|`([^`]+)`|\[([^\]]+)\]|(\w+))\s*$""")
_SETS = frozenset(("union", "except", "intersect", "minus"))
_BLOCK = "\x01"


@dataclass(slots=True)
class SelectList:
    """One select list; offsets into the text. ``items`` are (start, end) without the commas between them."""

    start: int  # behind the word select
    depth: int
    cte: str = ""  # the name of the CTE whose body it is, lower case
    end: int = -1  # where `from` begins; -1: it has none
    scope_end: int = -1
    commas: list[int] = field(default_factory=list)
    words: list[str] = field(default_factory=list)  # that stand at its depth, in lower case, list and rest

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

    def line(self, offset: int) -> int:
        """The 1-based line of an offset."""
        return self.text.count("\n", 0, offset) + 1

    def name(self, item: tuple[int, int]) -> str:
        """The column an item puts out, lower case; "*" for a star, "" for none."""
        bare = self.bare[item[0] : item[1]].rstrip()
        if bare.endswith("*"):
            return "*"
        found = _LAST_NAME.search(self.text[item[0] : item[0] + len(bare)])
        return next((part for part in found.groups() if part), "").replace('""', '"').lower() if found else ""

    def names(self, select: SelectList) -> list[str]:
        """What a list puts out, in its order."""
        return [self.name(item) for item in select.items() if self.bare[item[0] : item[1]].strip()]

    def has_block(self, select: SelectList) -> bool:
        """Whether Jinja decides what is in the list."""
        return _BLOCK in self.bare[select.start : select.end]


def read_selects(text: str) -> SqlText:
    """The select lists of ``text``. Any text will do: one that is no SQL has none."""
    bare = _HIDDEN.sub(_filled, text)
    return SqlText(text, bare, tuple(_selects(bare)))


def _filled(found: re.Match[str]) -> str:
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
        elif word == "select":
            opened = SelectList(token.end(), depth, bodies.get(depth, ""), words=list(select.words) if select else [])
            found.append(opened)
            open_[depth] = opened
        elif select and word == "," and select.end < 0:
            select.commas.append(at)
        elif select and word == "from" and select.end < 0 and before[1] != "distinct":
            select.end = at
        # `a is distinct from b` and `* except (a)` are no clauses.
        if select and word.isalpha() and before[1] not in (("is", "not") if word == "distinct" else ("*",)):
            select.words.append(word)
        before = (before[1], word)
    return (s for s in found if s.end >= 0)
