"""The shape of a SQL statement: what each query reads and what it puts out, with names still unresolved.

`sql_parse` makes it from SQL text, the cache stores it, `sql_resolve` gives its names a meaning. It depends on the text
alone, never on the tables that exist, so a cached shape cannot go stale when a table gains a column.
"""

from msgspec import Struct

PLAIN, CAST, DERIVED = 0, 1, 2
"""How a value changes on its way: not at all, in type only, otherwise. A path is as strong as its strongest step."""


class Ref(Struct, array_like=True, frozen=True, gc=False):
    """A column, as written, that flows into a value."""

    name: str  # "" with query: every column of that query
    table: str = ""  # alias before the dot, "" when there is none
    strength: int = PLAIN
    query: int = -1  # a scalar subquery, by its place in Statement.queries


class Item(Struct, array_like=True, frozen=True, tag="item"):
    """One output column. No refs: a constant. No name: the warehouse invents one."""

    name: str
    refs: tuple[Ref, ...] = ()


class Star(Struct, array_like=True, frozen=True, tag="star"):
    """`*` or `t.*` with what it leaves out, renames and replaces."""

    table: str = ""
    dropped: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()  # (old, new)
    replaced: tuple[Item, ...] = ()
    blind: bool = False  # columns that nothing in the text or the tables tells, e.g. COLUMNS('x.*')


class Input(Struct, array_like=True, frozen=True):
    """One thing a select reads from: an outside relation, an earlier query, a function or nothing that has columns."""

    alias: str  # lower case
    relation: str = ""  # outside relation: lower-case parts joined by dots, or "ref:x", "source:a.b" from raw Jinja
    query: int = -1
    columns: tuple[str, ...] = ()  # new names for its columns: t(a, b)
    feeds: tuple[Ref, ...] = ()  # a table function's arguments: every column of it is derived from them
    opaque: bool = False  # columns unknown, and where they come from too, e.g. PIVOT
    outer: bool = False  # of the query around a correlated subquery
    using: tuple[str, ...] = ()  # lower-case columns it shares with what stands before it: JOIN ... USING (a, b)
    both: bool = False  # a FULL or RIGHT join: a shared column's value can come from either side


class Select(Struct, array_like=True, frozen=True, tag="select"):
    """A SELECT. ``literals``: columns and the literals they are compared with."""

    inputs: tuple[Input, ...] = ()
    items: tuple[Item | Star, ...] = ()
    literals: tuple[tuple[Ref, tuple[str, ...]], ...] = ()


class Union(Struct, array_like=True, frozen=True, tag="union"):
    """Queries whose columns run together, by place or by name."""

    branches: tuple[int, ...]
    by_name: bool = False


class Statement(Struct, array_like=True, frozen=True):
    """Queries, each reading only earlier ones; the last is the answer."""

    queries: tuple[Select | Union, ...]
    lateral: bool = False  # the dialect lets an expression use an alias made before it: select a as b, b + 1 as c

    def relations(self) -> list[str]:
        """The outside relations it reads, first seen first, without repeats."""
        inputs = (i for q in self.queries if isinstance(q, Select) for i in q.inputs)
        return list(dict.fromkeys(i.relation for i in inputs if i.relation))
