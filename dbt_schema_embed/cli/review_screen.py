"""A review as lines of text, from 60 columns by 16 lines upwards; knows no terminal."""

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dbt_schema_embed.cli.review_desk import Desk
from dbt_schema_embed.errors import printable

if TYPE_CHECKING:
    from dbt_schema_embed.decide.reviewing import Choice, Item

Line = list[tuple[str, str]]
"""Pieces of a line, each with the name of its style."""

KEYS = (
    ("a, Enter", "accept the answer; nothing, accepted, stays nothing for good"),
    ("r", "reject it: it is not suggested again"),
    ("1 to 5", "accept another answer of the list; 0: it feeds nothing"),
    ("/", "search for another answer by typing; arrows and Enter choose"),
    ("n", "write a note, which is kept with the column"),
    ("s, →", "skip; p, ← goes back"),
    ("f", "go to a column by its name, settled ones too; o opens it again"),
    ("t", "walk through open columns only, undecided, settled ones, or all"),
    ("u", "undo the last decision"),
    ("A", "accept the open answers of this table above a confidence"),
    ("q, Esc", "quit; every decision is saved already"),
)
_FOOT = ("a accept  r reject  1-5 choose  0 nothing  / search  n note  s skip  p back",
         "u undo  o open again  f find  t only some  A accept all above  ? keys  q quit")  # fmt: skip
_WIDE = 120  # columns of a terminal from which the table's columns stand beside the question
_SIDE = 44, 84  # columns of that list: a third of the terminal between these two
_MARKS = {"open": "·", "nothing": " ", "accepted": "✓", "rejected": "✗"}
_FOOT_OF = {
    "search": ("type to search  ↑ ↓ choose  Enter accept  Esc leave", ""),
    "note": ("Enter save  Esc leave", ""),
    "above": ("Enter accept them  Esc leave", ""),
    "jump": ("Enter go there  Esc leave", ""),
    "sure": ("Enter accept it all the same  Esc leave", ""),
    "keys": ("any key goes back", ""),
}


def screen(desk: Desk, width: int, height: int) -> list[Line]:
    """Exactly ``height`` lines of at most ``width`` columns: title, body, message, keys."""
    foot = _FOOT_OF.get(desk.mode, _FOOT)
    wide = width >= _WIDE and bool(desk.review.items)
    room = height - 5
    side = max(_SIDE[0], min(_SIDE[1], width // 3)) if wide else 0
    body = list(_body(desk, width - 2 - side))
    body = body[:room] + [[]] * (room - len(body))
    if wide:
        body = [left + right for left, right in zip(_columns(desk, room, side), body, strict=True)]
    lines: list[Line] = [[("title", _title(desk, width))], *body, [("message", f" {desk.message}")], []]
    lines += [[("keys", f" {text}")] for text in foot]
    return [_cut(line, width) for line in lines]


def _columns(desk: Desk, room: int, side: int) -> list[Line]:
    """The columns of the table in front, as a list of ``room`` lines around the one that is asked about."""
    from dbt_schema_embed.show.words import number, padded

    mine = [(i, item) for i, item in desk.walked if item.source == desk.item.source] or [(desk.at, desk.item)]
    here = next((at for at, (i, _) in enumerate(mine) if i == desk.at), 0)
    first = max(0, min(here - room // 2, len(mine) - room + 1))
    lines: list[Line] = [[("", " " * side)]]
    half = (side - 11) // 2
    for i, item in mine[first : first + room - 1]:
        goal = item.answer.column if item.answer else "undecided" if item.undecided else "nothing"
        sure = number(item.confidence) if item.state in ("open", "nothing") else ""
        names = f"{padded(printable(item.column, 60), half)} {padded(printable(goal, 60), half)}"
        text = f" {_MARKS[item.state]} {names} {sure:4}"
        lines.append([("title" if i == desk.at and not desk.done else "dim", padded(text, side - 2)), ("", "  ")])
    return lines + [[("", " " * side)]] * (room - len(lines))


def _cut(line: Line, width: int) -> Line:
    from dbt_schema_embed.show.words import display_width, padded

    left = width
    shown: Line = []
    for style, text in line:
        room = min(left, display_width(text))
        shown.append((style, padded(text, room)))
        left -= room
    return shown


def _title(desk: Desk, width: int) -> str:
    counts = desk.counts()
    only = f"only {desk.shown}: " if desk.shown != "all" else ""
    said = f"{only}{counts['open']} open, {counts['accepted']} accepted, {counts['rejected']} rejected "
    table = f" {desk.item.source}" if desk.review.items else " review"
    return table + " " * max(1, width - len(table) - len(said)) + said


def _body(desk: Desk, width: int) -> Iterator[Line]:
    yield []
    if desk.mode == "keys":
        for key, what in KEYS:
            yield [("name", f"  {key:9}"), ("", f" {what}")]
    elif desk.done:
        yield from _end(desk)
    else:
        yield from _source(desk.item, width)
        yield []
        if desk.mode == "search":
            yield from _search(desk, width)
        else:
            yield from _answer(desk.item, width)
            yield from _typing(desk, width)
            yield []
            yield from _others(desk.item)
            yield from _unfed(desk, width)


def _unfed(desk: Desk, width: int) -> Iterator[Line]:
    """Planned columns that nothing feeds: those of the models that the table in front feeds, by name."""
    if not desk.review.unfed:
        return
    mine, others = desk.review.unfed_of(desk.item)
    names = ", ".join(choice.name for choice in mine)
    more = f"{others} {'column' if others == 1 else 'columns'} of other models" if others else ""
    yield []
    said = f"nothing feeds: {' and '.join(part for part in (names, more) if part)}"
    for text in textwrap.wrap(said, width - 4, max_lines=2, placeholder=" …"):
        yield [("doubtful", f"  {text}")]


def _end(desk: Desk) -> Iterator[Line]:
    counts = desk.counts()
    if not desk.review.items:
        yield [("", "  No suggestion is open.")]
        return
    yield [("name", "  Done: no suggestion is open any more.")]
    yield []
    yield [("", f"  {counts['accepted']} accepted, {counts['rejected']} rejected.")]
    yield [("", "  u takes the last decision back, f goes to a column, q leaves.")]
    yield from _unfed(desk, 76)


def _source(item: "Item", width: int) -> Iterator[Line]:
    yield [("name", f"  {printable(item.column, 120)}"), ("dim", f"  {item.type}")]
    for text in textwrap.wrap(item.description, width - 4, max_lines=2, placeholder=" …"):
        yield [("", f"  {text}")]
    if item.examples:
        yield [("dim", f"  e.g. {item.examples}")]


def _answer(item: "Item", width: int) -> Iterator[Line]:
    if item.answer is None:
        open_question = item.undecided and item.state == "open"
        yield [("name", "  → undecided: it may feed one of these" if open_question else "  → nothing")]
    else:
        yield [("name", f"  → {item.answer.name}"), ("dim", f"  {item.answer.type}")]
    word = item.sureness.rpartition(" ")[2]
    yield [(word, f"    {item.sureness}"), ("", f"  {item.reason}")]
    for text in textwrap.wrap(item.evidence, width - 6, max_lines=2, placeholder=" …"):
        yield [("dim", f"    {text}")]
    if item.note:
        yield [("", f"    note: {printable(item.note, 200)}")]


def _typing(desk: Desk, width: int) -> Iterator[Line]:
    if desk.mode == "sure":
        goal = desk.pending or desk.item.answer
        yield []
        yield [("asked", f"  {goal.name if goal else ''} belongs to another source. Accept it all the same?")]
    count = len(desk.review.above(desk.minimum, desk.item.source)) if desk.minimum is not None else 0
    above = f"accept {count} open answers of {desk.item.source} with a confidence of at least"
    asked = {"note": "note", "jump": "column", "above": above}.get(desk.mode)
    if asked:
        yield []
        yield _asked(asked, desk.typed, width)


def _asked(what: str, typed: str, width: int) -> Line:
    """The end of what was typed, where people look while they type."""
    room = max(8, width - len(what) - 6)
    return [("asked", f"  {what}: {printable(typed, 1000)[-room:]}"), ("cursor", "▏")]


def _others(item: "Item") -> Iterator[Line]:
    if item.others:
        yield [("dim", "  other answers")]
    for number, choice in enumerate(item.others, 1):
        yield _choice(f"  {number}", choice)


def _search(desk: Desk, width: int) -> Iterator[Line]:
    yield _asked("search", desk.typed, width)
    for at, choice in enumerate(desk.found):
        yield _choice("  >" if at == desk.picked else "   ", choice, "name" if at == desk.picked else "")
    if not desk.found:
        yield [("dim", "    no model column is called so")]


def _choice(mark: str, choice: "Choice", style: str = "") -> Line:
    from dbt_schema_embed.show.words import number

    sure = number(choice.confidence) if choice.confidence and choice.confidence >= 0.01 else "    "
    return [(style, f"{mark} {sure}  {choice.name}"), ("dim", f"  {choice.type}")]
