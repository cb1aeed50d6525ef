"""New columns into a staging model that people have written: every line of theirs stays, byte for byte."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dbt_schema_embed.errors import WriteError, listed
from dbt_schema_embed.write.select_lists import BARRED, SelectList, SqlText, read_selects
from dbt_schema_embed.write.style import listed_items


@dataclass(frozen=True, slots=True)
class Selected:
    """A column that a select list of a text puts out."""

    name: str  # lower case
    sql: str  # as it is written, on one line
    start: int
    end: int
    line: int


def selected(text: str) -> list[Selected]:
    """The columns of all select lists of ``text``, in their order."""
    sql = read_selects(text)
    found = []
    for select in sql.selects:
        for span in select.items():
            part = sql.bare[span[0] : span[1]]
            if part.strip():
                start, end = _first(sql.bare, span), span[0] + len(part.rstrip())
                said = " ".join(text[start:end].split())
                found.append(Selected(sql.name(span), said, start, end, sql.line(start)))
    return found


def selected_names(text: str) -> set[str]:
    """Every column that a select list of ``text`` puts out, lower case."""
    return {item.name for item in selected(text)}


def starred(text: str) -> bool:
    """Whether ``text`` selects, and nothing but *."""
    return selected_names(text) == {"*"}


def spelled_out(text: str, items: Sequence[str], notes: Sequence[str], shown: str, *, step: int, leading: bool) -> str:
    """``text``, which selects * alone, with ``items`` and ``notes`` (comments) in the place of its *; of several, that
    of the query behind the one which reads the table.

    Raises:
        WriteError: it is no plain query.
    """
    sql = read_selects(text)
    bodies = [s for s in sql.selects if s.cte or not s.depth]
    new = [("", item) for item in items]
    if not bodies:
        raise _refused(shown, "it selects from nothing", new)
    select = bodies[min(1, len(bodies) - 1)]
    _check_plain(sql, select, new, shown)
    newline = "\r\n" if "\r\n" in text else "\n"
    at = sql.bare.index("*", select.start)
    begin = text[text.rfind("\n", 0, select.start) + 1 : select.start]
    outer = begin[: len(begin) - len(begin.lstrip())]
    pad = outer + " " * step
    lines = listed_items(items, pad, leading=leading) + [f"{pad}-- {note}" for note in notes]
    head = "" if text[select.start : at].strip(" \t") else newline
    tail = newline + outer if not text[at + 1 : select.end].strip(" \t") else ""
    before = text[: select.start] if head else text[:at]
    after = text[select.end :] if tail else text[at + 1 :]
    return before + head + newline.join(lines if head else [lines[0].lstrip(), *lines[1:]]) + tail + after


def merged(
    text: str,
    new: Sequence[tuple[str, str]],
    notes: Sequence[str],
    settled: Sequence[str],
    shown: str,
    *,
    leading: bool,
) -> str:
    """``text`` with ``new`` items (name of the column, SQL) in its select list, and ``notes`` as comments before them.

    ``settled`` are comments of ours that are no longer true: their lines go. ``leading``: where a list of one item does
    not say where commas stand.

    Raises:
        WriteError: there is no one plain select list; it says where the trouble is and what to add by hand.
    """
    sql = read_selects(text)
    select = _plain_list(sql, new, shown)
    newline = "\r\n" if "\r\n" in text else "\n"
    at, lines, inline = _place(sql, select, [item for _, item in new], notes, leading=leading)
    result = text[:at] + (lines[0] if inline else "".join(newline + line for line in lines)) + text[at:]
    result = without_comments(result, settled)
    after = read_selects(result)
    grown = sorted([*sql.names(select), *(name.lower() for name, _ in new)])
    if not any(sorted(after.names(other)) == grown for other in after.selects):
        raise _refused(shown, "the result would not select what it should", new)
    return result


def _plain_list(sql: SqlText, new: Sequence[tuple[str, str]], shown: str) -> SelectList:
    """The one list that columns can be added to."""
    # Queries in brackets that are no CTE give one value, or are read by the list around them.
    bodies = [s for s in sql.selects if s.cte or not s.depth]
    listing = [s for s in bodies if set(sql.names(s)) - {"*"}]
    if not bodies:
        raise _refused(shown, "it selects from nothing", new)
    if not listing:
        why = "it selects * alone: say there what it selects, or empty the file to have it written anew"
        raise _refused(f"{shown}:{sql.line(bodies[0].start)}", why, new)
    if len(listing) > 1:
        lines = " and ".join(str(sql.line(s.start)) for s in listing[:3])
        raise _refused(shown, f"lines {lines} each list columns", new)
    _check_plain(sql, listing[0], new, shown)
    return listing[0]


def _check_plain(sql: SqlText, select: SelectList, new: Sequence[tuple[str, str]], shown: str) -> None:
    """Raises WriteError: columns cannot be added to the list."""
    where = f"{shown}:{sql.line(select.start)}"
    for word, why in BARRED.items():
        if word in select.words:
            raise _refused(where, why, new)
    if sql.bare[select.end + len("from") :].lstrip().startswith("("):
        raise _refused(where, "it reads a query in brackets", new)
    if sql.has_block(select):
        raise _refused(where, "Jinja decides what it selects", new)


def _refused(where: str, why: str, new: Sequence[tuple[str, str]]) -> WriteError:
    return WriteError(
        f"{where} is left as it is: {why}", hint=f"add by hand: {listed([item for _, item in new], limit=20)}"
    )


def _place(
    sql: SqlText, select: SelectList, items: Sequence[str], notes: Sequence[str], *, leading: bool
) -> tuple[int, list[str], bool]:
    """Where to insert what: an offset at the end of a line and the lines after it, or one piece of text in a line."""
    text, bare = sql.text, sql.bare
    spans = [span for span in select.items() if bare[span[0] : span[1]].strip()]
    first, last = _first(bare, spans[-1]), spans[-1][0] + len(bare[spans[-1][0] : spans[-1][1]].rstrip())
    ours = [f"-- {note}" for note in notes if f"-- {note}" not in text]
    comma = max((c for c in select.commas if c < first), default=-1)
    if comma >= 0:
        leading = not text[text.rfind("\n", 0, comma) + 1 : comma].strip()
    pad = re.match(r"[ \t]*", text[text.rfind("\n", 0, first) + 1 :])
    indent = pad[0] if pad else ""
    trailing_comma = select.commas and not bare[select.commas[-1] + 1 : select.end].strip()
    if leading and not trailing_comma and "\n" in text[last : select.end]:
        head = text[text.rfind("\n", 0, comma) + 1 : comma] if comma >= 0 else indent
        return _line_end(text, last), [*(head + line for line in ours), *(f"{head}, {item}" for item in items)], False
    # With commas behind, the new ones go before the last item: a line that gains a comma would be another line.
    start = select.commas[-1] + 1 if trailing_comma else comma + 1 if comma >= 0 else select.start
    end = _line_end(text, start)
    if end < (select.end if trailing_comma else first):
        return end, [*(indent + line for line in ours), *(f"{indent}{item}," for item in items)], False
    return first, ["".join(f"{item}, " for item in items)], True


def _first(bare: str, span: tuple[int, int]) -> int:
    part = bare[span[0] : span[1]]
    return span[0] + len(part) - len(part.lstrip())


def _line_end(text: str, offset: int) -> int:
    """Where the line of ``offset`` ends, before its line break."""
    end = text.find("\n", offset)
    if end < 0:
        return len(text)
    return end - 1 if end and text[end - 1] == "\r" else end


def without_comments(text: str, settled: Sequence[str]) -> str:
    """``text`` without the lines that are exactly one of these comments, or begin so and go on with a comma."""
    if not settled:
        return text
    starts = tuple(f"-- {comment}" for comment in settled)
    kept = []
    for line in text.splitlines(keepends=True):
        said = line.strip()
        if not any(said == start or said.startswith(f"{start}, ") for start in starts):
            kept.append(line)
    return "".join(kept)
