"""How a project writes its staging models, learnt from those it has. The dbt macros learn the same."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_CTE = re.compile(r"^(?:with)?[ ,]*([a-z_][a-z0-9_]*) as \($", re.IGNORECASE | re.MULTILINE)
_INDENT = re.compile(r"^( +)select\b", re.IGNORECASE | re.MULTILINE)
_TALLIED = {
    "leading": re.compile(r"^[ \t]*,", re.MULTILINE),  # `\s` would make blank lines quadratic
    "trailing": re.compile(r",[ \t]*$", re.MULTILINE),
    "upper": re.compile(r"\bSELECT\b"),
    "lower": re.compile(r"\bselect\b"),
    "airy": re.compile(r" as \(\s*\n[ \t]*\n", re.IGNORECASE),
    "dense": re.compile(r" as \([ \t]*\n[ \t]*\S", re.IGNORECASE),
}
_LONGEST = 200_000  # characters of one model that are read


@dataclass(frozen=True, slots=True)
class Style:
    """The shape of a staging model."""

    ctes: tuple[str, ...] = ("source", "renamed")  # none, one (reads) or two (reads, renames)
    leading_commas: bool = False
    upper: bool = False  # keywords
    indent: int = 4
    airy: bool = False  # blank lines inside brackets


def learn_style(examples: Iterable[str]) -> Style:
    """The commonest habits in the raw SQL of staging models; the default where two are equally common.

    CTE names count from two models on, and up to two of them: what one model alone does says nothing about the next,
    and more steps than reading and renaming are no staging.
    """
    tally: Counter[str] = Counter()
    ctes: Counter[tuple[str, ...]] = Counter()
    indents: Counter[int] = Counter()
    for example in examples:
        sql = example[:_LONGEST].replace("\r\n", "\n")
        ctes[tuple(_CTE.findall(sql))] += 1
        indents.update(len(indent) for indent in _INDENT.findall(sql))
        tally.update({name: len(pattern.findall(sql)) for name, pattern in _TALLIED.items()})
    common = [(names, count) for names, count in ctes.most_common() if count > 1 and len(names) <= 2]
    return Style(
        ctes=common[0][0] if common else Style().ctes,
        leading_commas=tally["leading"] > tally["trailing"],
        upper=tally["upper"] > tally["lower"],
        indent=indents.most_common(1)[0][0] if indents else Style().indent,
        airy=tally["airy"] > tally["dense"],
    )


def staging_text(style: Style, relation: str, items: Iterable[str], notes: Iterable[str] = (), head: str = "") -> str:
    """A staging model in ``style``: ``items`` selected from ``relation`` (Jinja), ``notes`` as comments."""
    pad, gap = " " * style.indent, [""] if style.airy else []
    with_, as_, select, from_ = (word.upper() if style.upper else word for word in ("with", "as", "select", "from"))
    lines = [head, ""] if head else []
    if style.ctes:
        opening = f"{style.ctes[0]} {as_} ("
        lines += [with_, "", opening] if style.airy else [f"{with_} {opening}"]
        lines += [*gap, f"{pad}{select} * {from_} {relation}", *gap, ")," if len(style.ctes) == 2 else ")", *gap]
    outer = pad if len(style.ctes) == 2 else ""
    if len(style.ctes) == 2:
        lines += [f"{style.ctes[1]} {as_} (", *gap]
    lines += [outer + select, *listed_items(list(items), outer + pad, leading=style.leading_commas)]
    lines += [f"{outer}{pad}-- {note}" for note in notes]
    lines += [*gap, f"{outer}{from_} {style.ctes[0] if style.ctes else relation}"]
    if len(style.ctes) == 2:
        lines += [*gap, ")", *gap, f"{select} * {from_} {style.ctes[1]}"]
    return "\n".join(lines) + "\n"


def listed_items(items: Sequence[str], pad: str, *, leading: bool) -> list[str]:
    """The lines of a select list."""
    if leading:
        return [f"{pad}{', ' if i else ''}{item}" for i, item in enumerate(items)]
    return [f"{pad}{item}{'' if i == len(items) - 1 else ','}" for i, item in enumerate(items)]
