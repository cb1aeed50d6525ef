"""SQL expressions that people write in mapping files: what they may hold, and which columns they take.

A leaf beside records and errors. sqlglot is imported when the first expression is read.
"""

import re
from collections.abc import Collection

from dbt_schema_embed.errors import printable

LONGEST = 2_000
"""Characters of an expression. sqlglot's time and depth grow with it."""

_DEEPEST = 40  # brackets within brackets
_JINJA = re.compile(r"\{[{%#]")


def expression_problem(expression: str, columns: Collection[str], dialect: str | None) -> str:
    """What is wrong with an expression over ``columns``, to follow its name; empty when nothing is.

    It must be one expression of the dialect without queries, comments and Jinja, take no other columns than these,
    whatever their case, and take each of them.
    """
    if len(expression) > LONGEST:
        return f"is longer than {LONGEST:,} characters"
    if _JINJA.search(expression):
        return "opens Jinja: mapping files hold SQL"
    if max(_depths(expression)) > _DEEPEST:
        return f"nests deeper than {_DEEPEST} brackets"
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tokens = sqlglot.tokenize(expression, read=dialect)
        parsed = sqlglot.parse(f"select {expression} as x", read=dialect)
    except (SqlglotError, ValueError, RecursionError) as problem:
        return f"is no SQL expression: {printable(problem, 120).split('. Line', 1)[0]}"
    select = parsed[0] if len(parsed) == 1 else None
    if (
        not isinstance(select, exp.Select)
        or len(select.expressions) != 1
        or select.args.get("from_")
        or select.args.get("from")
    ):
        return "must be one SQL expression"
    if any(token.comments for token in tokens):
        return "holds a comment: notes have a key of their own"
    made = select.expressions[0]
    if not isinstance(made, exp.Alias) or made.find(exp.Query, exp.Star):
        return "must be one SQL expression, without queries and *"
    taken = {column.name for column in made.this.find_all(exp.Column)}
    known = {name.lower(): name for name in columns}
    if foreign := sorted(name for name in taken if name.lower() not in known):
        return f"takes {printable(', '.join(foreign))}, which its row does not name"
    if unused := sorted(name for low, name in known.items() if low not in {name.lower() for name in taken}):
        return f"does not take {printable(', '.join(unused))}, which its row names"
    return ""


def _depths(text: str) -> list[int]:
    depth, depths = 0, [0]
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        depths.append(depth)
    return depths
