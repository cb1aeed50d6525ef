"""What stands before the words of a table's names: a beginning that all share, types, letters glued to the front."""

from collections import Counter
from collections.abc import Sequence

from dbt_schema_embed.records import Column
from dbt_schema_embed.types import type_family

Words = tuple[str, ...]
HUNGARIAN = frozenset(
    [
        "str",
        "lng",
        "int",
        "dtm",
        "dte",
        "dat",
        "bln",
        "bol",
        "bit",
        "cur",
        "dbl",
        "sng",
        "txt",
        "mem",
        "ole",
        "chk",
        "chr",
        "img",
        "cbo",
        "cmb",
        "byt",
        "var",
        "num",
        "flt",
        "dec",
        "guid",
        "sz",
        "fld",
    ]
)
"""Types that names of old Access and Visual Basic tables begin with."""


def without_beginning(names: Sequence[Words]) -> list[Words]:
    """The names without a beginning that most of a table shares: a word, letters glued to the front, or a type."""
    out = list(names)
    if sum(len(w) > 1 and w[0] in HUNGARIAN for w in out) >= 0.5 * len(out):
        out = [w[1:] if len(w) > 1 and w[0] in HUNGARIAN else w for w in out]
    for _ in range(2):
        firsts = Counter(w[0] for w in out if len(w) > 1)
        if not firsts or len(out) < 4:
            break
        first, times = firsts.most_common(1)[0]
        if times < 0.6 * len(out):
            break
        out = [w[1:] if len(w) > 1 and w[0] == first and any(x.isalpha() for x in "".join(w[1:])) else w for w in out]
    out = [w[:-1] if len(w) > 1 and w[-1] == "c" else w for w in out]
    return _without_glued(out)


TYPE_LETTERS = {
    "c": ("text", "uuid"), "s": ("text", "uuid"), "n": ("integer", "decimal", "float"), "i": ("integer",),
    "f": ("float",),
    "d": ("date", "timestamp"), "t": ("timestamp", "time", "date"), "l": ("boolean",), "b": ("boolean", "integer"),
    "m": ("text", "decimal"), "v": ("text",),
}  # fmt: skip
"""Letters that names of dBase, FoxPro and Progress tables begin with, and the types they say."""


def without_types(names: Sequence[Words], columns: Sequence[Column]) -> list[Words]:
    """The names without a first letter that says the column's type, where most of a table has one: ``CNOMCLI,
    NDTO``."""
    fits = [
        bool(w) and len(w[0]) > 2 and type_family(c.type) in TYPE_LETTERS.get(w[0][0], ())
        for w, c in zip(names, columns, strict=True)
    ]
    letters = {w[0][0] for w, fit in zip(names, fits, strict=True) if fit}
    if len(names) < 5 or sum(fits) < 0.75 * len(names) or len(letters) < 3:
        return list(names)
    return [(w[0][1:], *w[1:]) if fit else w for w, fit in zip(names, fits, strict=True)]


def _without_glued(names: list[Words]) -> list[Words]:
    """Letters that most names begin with, glued on: ``CMCUST, CMNAME, CMZIP``."""
    whole = [w[0] for w in names if w and w[0].isascii() and len(w[0]) > 3]
    if len(whole) < 4 or len(whole) < 0.6 * len(names):
        return names
    for size in (4, 3, 2):
        start, times = (
            Counter(w[:size] for w in whole if len(w) > size + 1).most_common(1)[0]
            if any(len(w) > size + 1 for w in whole)
            else ("", 0)
        )
        distinct = len({w[size : size + 2] for w in whole if w.startswith(start)})
        if start.isalpha() and times >= 0.75 * len(whole) and distinct > 2:
            return [
                (w[0][size:], *w[1:]) if w and w[0].startswith(start) and len(w[0]) > size + 1 else w for w in names
            ]
    return names
