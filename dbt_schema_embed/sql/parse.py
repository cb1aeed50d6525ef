"""SQL text -> Statement: the queries of sqlglot's tree, innermost first."""

from __future__ import annotations  # exp.Expr has its name since sqlglot 29: not looked up at run time

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from sqlglot import exp

from dbt_schema_embed.sql.shape import CAST, DERIVED, PLAIN, Input, Item, Ref, Select, Star, Statement, Union
from dbt_schema_embed.sql.tree import SqlError, parse_tree

MAX_VALUES = 50
"""Literals kept for one comparison."""
HOLE = "dse_jinja_"
"""Names that begin so stand for a Jinja expression whose text is unknown (see sql_jinja)."""

_LATERAL = {None, "clickhouse", "databricks", "duckdb", "redshift", "snowflake", "spark", "spark2", "teradata"}
_COMPARISONS = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ)
_Env = Mapping[str, tuple[int, tuple[str, ...]]]  # CTE name, lower case -> its query and its column aliases


def parse_statement(sql: str, dialect: str | None, relations: Mapping[str, str] | None = None) -> Statement:
    """The shape of ``sql``. ``relations``: names that stand for a Jinja ref or source -> "ref:x" or "source:a.b".

    Raises:
        SqlError: too long, too deep, not SQL, no query, or a dialect sqlglot does not know.
    """
    tree = parse_tree(sql, dialect)
    query = tree.expression if isinstance(tree, exp.Create | exp.Insert) else tree
    if not isinstance(query, exp.Query):
        raise SqlError("it holds no query")
    builder = _Builder(relations or {})
    try:
        builder.query(query, {}, ())
    except RecursionError:
        raise SqlError("it nests too deep") from None
    return Statement(tuple(builder.queries), dialect in _LATERAL)


def _part(node: exp.Expr, name: str) -> Any:
    """sqlglot 28 renamed the arguments that are Python words: from -> from_, with -> with_, except -> except_."""
    return node.args.get(f"{name}_") or node.args.get(name)


def _walk(node: exp.Expr) -> Iterator[exp.Expr]:
    """``node`` and what is below, iteratively, not looking into queries (they are yielded themselves)."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        if not isinstance(current, exp.Query):
            stack.extend(reversed(list(current.iter_expressions())))


class _Builder:
    """Collects the queries of one statement, innermost first."""

    def __init__(self, relations: Mapping[str, str]) -> None:
        self.queries: list[Select | Union] = []
        self._relations = relations

    def _add(self, query: Select | Union) -> int:
        self.queries.append(query)
        return len(self.queries) - 1

    def query(self, node: exp.Expr, env: _Env, outer: tuple[Input, ...]) -> int:
        """Add ``node`` and all it is made of; its place in ``queries``."""
        env = self._ctes(node, env, outer)
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query) and not node.args.get("joins"):
            return self.query(node.this, env, outer)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, env, outer)
        if isinstance(node, exp.Select):
            return self._add(self._select(node, env, outer))
        if isinstance(node, exp.Table | exp.Subquery | exp.Values):  # `TABLE x`, a bracketed join
            return self._add(Select(tuple(self._inputs([node], env, outer)), (Star(),)))
        return self._add(Select((), (Star(blind=True),)))

    def _ctes(self, node: exp.Expr, env: _Env, outer: tuple[Input, ...]) -> _Env:
        with_ = _part(node, "with")
        if with_ is None:
            return env
        scope = dict(env)
        for cte in with_.expressions:
            name, body = cte.alias.lower(), cte.this
            inner: _Env = scope
            if with_.args.get("recursive") and isinstance(body, exp.Union):
                # the anchor branch tells the columns; the recursive one reads them under the CTE's own name
                anchor = self.query(body.left, scope, outer)
                inner = {**scope, name: (anchor, _columns(cte))}
            scope[name] = (self.query(body, inner, outer), _columns(cte))
        return scope

    def _set_operation(self, node: exp.SetOperation, env: _Env, outer: tuple[Input, ...]) -> int:
        rights: list[exp.Expr] = []
        left: exp.Expr = node
        while isinstance(left, exp.SetOperation) and (left is node or not _part(left, "with")):
            # EXCEPT and INTERSECT only filter; a left-deep chain of a thousand UNIONs must not recurse
            if isinstance(left, exp.Union):
                rights.append(left.expression)
            left = left.this
        branches = [self.query(b, env, outer) for b in (left, *reversed(rights))]
        return self._add(Union(tuple(branches), bool(node.args.get("by_name"))))

    def _select(self, node: exp.Select, env: _Env, outer: tuple[Input, ...]) -> Select:
        from_ = _part(node, "from")
        reads = [from_] if from_ else []
        reads += [*(node.args.get("joins") or ()), *(node.args.get("laterals") or ())]
        inputs = tuple(self._inputs(reads, env, outer))
        scope = _Scope(self, env, (*inputs, *map(_outer, outer)))
        items = [item for e in node.expressions for item in scope.items(e)]
        for key in ("where", "having", "qualify"):
            if node.args.get(key):
                scope.filter(node.args[key])
        for join in node.args.get("joins") or ():
            if join.args.get("on"):
                scope.filter(join.args["on"])
        return Select(scope.inputs, tuple(items), tuple(scope.literals))

    def _inputs(self, nodes: Sequence[exp.Expr], env: _Env, outer: tuple[Input, ...]) -> list[Input]:
        """What ``nodes`` (FROM, JOIN or what stands in one) read, left to right."""
        found: list[Input] = []
        for node in nodes:
            if isinstance(node, exp.Join):
                if node.kind not in ("SEMI", "ANTI"):  # those two only filter
                    found += [_shared(i, node) for i in self._input(node.this, env, outer, found)]
            else:
                found += self._input(node.this if isinstance(node, exp.From) else node, env, outer, found)
        return found

    def _input(self, node: exp.Expr, env: _Env, outer: tuple[Input, ...], left: Sequence[Input]) -> list[Input]:
        alias = node.alias_or_name.lower()
        more = self._inputs(node.args.get("joins") or (), env, outer)
        if node.args.get("pivots"):
            names = [p.alias for p in node.args["pivots"] if p.alias]
            return [Input((names[-1] if names else alias).lower(), opaque=True)]
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            return [self._table(node, env, alias), *more]
        if isinstance(node, exp.Subquery):
            return self._bracket(node, env, outer, left) + more
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            around = (*left, *map(_outer, outer))
            return [Input(alias, query=self.query(node.this, env, around), columns=_columns(node))]
        if isinstance(node, exp.Values):
            return [Input(alias, columns=_columns(node))]
        scope = _Scope(self, env, (*left, *map(_outer, outer)))
        return [Input(alias, columns=_columns(node), feeds=scope.refs(node, DERIVED), opaque=True)]

    def _bracket(self, node: exp.Subquery, env: _Env, outer: tuple[Input, ...], left: Sequence[Input]) -> list[Input]:
        alias = node.alias.lower()
        bare = isinstance(node.this, exp.Subquery) and bool(node.this.args.get("joins"))  # ((select ...) join x)
        if isinstance(node.this, exp.Query) and not bare:
            query = self.query(node.this, self._ctes(node, env, outer), outer)
            return [Input(alias, query=query, columns=_columns(node))]
        inner = self._input(node.this, env, outer, left)
        return [replace(i, alias=alias) for i in inner] if alias else inner

    def _table(self, node: exp.Table, env: _Env, alias: str) -> Input:
        parts = [p.name.lower() for p in node.parts]
        if len(parts) == 1 and parts[0] in env:
            query, columns = env[parts[0]]
            own = _columns(node)
            return Input(alias, query=query, columns=own + columns[len(own) :])
        if len(parts) == 1 and parts[0].startswith(HOLE):
            return Input(alias, opaque=True)
        relation = self._relations.get(parts[0]) if len(parts) == 1 else None
        if relation is None:
            return Input(alias, ".".join(parts), columns=_columns(node))
        if alias == parts[0]:  # without an alias people qualify by the table's own name
            alias = re.split(r"[.:]", relation)[-1].lower()
        return Input(alias, relation, columns=_columns(node))


class _Scope:
    """One select's expressions, read with the aliases its columns may be qualified by."""

    def __init__(self, builder: _Builder, env: _Env, inputs: tuple[Input, ...]) -> None:
        self.inputs = inputs
        self.literals: list[tuple[Ref, tuple[str, ...]]] = []
        self._builder = builder
        self._env = env
        self._aliases = {i.alias for i in inputs}

    def items(self, node: exp.Expr) -> list[Item | Star]:
        """The output columns one entry of a select list makes."""
        star = node if isinstance(node, exp.Star) else node.this if isinstance(node, exp.Column) else None
        if isinstance(star, exp.Star):
            return [self._star(star, node.text("table") if node is not star else "")]
        if isinstance(node, exp.Columns) or (isinstance(node, exp.Dot) and isinstance(node.expression, exp.Star)):
            return [Star(blind=True)]
        if isinstance(node, exp.Column) and node.name.lower().startswith(HOLE):
            return [Star(blind=True)]  # a macro in a select list may write any number of columns
        if isinstance(node, exp.Aliases):
            refs = self.refs(node.this, DERIVED)
            return [Item(name.name, refs) for name in node.aliases]
        return [self._item(node)]

    def _item(self, node: exp.Expr) -> Item:
        return Item(node.alias or node.output_name, self.refs(node))

    def _star(self, star: exp.Star, table: str) -> Star:
        if table and table.lower() not in self._aliases:
            return Star(blind=True)  # a struct's fields
        dropped = tuple(e.name for e in _part(star, "except") or ())
        renamed = tuple((e.this.name, e.alias) for e in star.args.get("rename") or ())
        replaced = tuple(self._item(e) for e in star.args.get("replace") or ())
        return Star(table.lower(), dropped, renamed, replaced, blind=bool(star.args.get("ilike")))

    def refs(self, node: exp.Expr, strength: int = PLAIN) -> tuple[Ref, ...]:
        """The columns whose values flow into ``node``, without repeats."""
        while isinstance(node, exp.Alias | exp.Paren | exp.Cast):
            strength = max(strength, CAST) if isinstance(node, exp.Cast) else strength
            node = node.this
        if isinstance(node, exp.Column):
            ref = self._ref(node, strength)
            return (ref,) if ref else ()
        return tuple(dict.fromkeys(self._below(node)))

    def filter(self, node: exp.Expr) -> None:
        """Read a condition: no values flow, but its literals count."""
        for _ in self._below(node):
            pass

    def _below(self, node: exp.Expr) -> Iterator[Ref]:
        for part in _walk(node):
            if isinstance(part, exp.Column):
                ref = self._ref(part, DERIVED)
                if ref:
                    yield ref
            elif isinstance(part, exp.Query):
                around = tuple(map(_outer, self.inputs))
                query = self._builder.query(part, self._env, around)
                if not isinstance(part.parent, exp.Exists | exp.In):  # those two only filter
                    yield Ref("", strength=DERIVED, query=query)
            else:
                self._compare(part)

    def _ref(self, column: exp.Column, strength: int) -> Ref | None:
        parts = [p.name for p in column.parts]
        if isinstance(column.this, exp.Star) or not parts[-1] or parts[-1].lower().startswith(HOLE):
            return None
        if len(parts) == 1:
            return Ref(parts[0], strength=strength)
        for place in range(len(parts) - 2, -1, -1):  # the alias nearest to the column; what follows it is a field
            if parts[place].lower() in self._aliases:
                strength = strength if place == len(parts) - 2 else DERIVED
                return Ref(parts[place + 1], parts[place].lower(), strength)
        return Ref(parts[0], strength=DERIVED)

    def _compare(self, node: exp.Expr) -> None:
        if isinstance(node, _COMPARISONS):
            for side, other in ((node.left, node.right), (node.right, node.left)):
                self._literal(side, [other])
        elif isinstance(node, exp.In):
            self._literal(node.this, node.expressions)
        elif isinstance(node, exp.Case) and node.this:
            self._literal(node.this, [i.this for i in node.args.get("ifs") or ()])

    def _literal(self, side: exp.Expr, others: Sequence[exp.Expr]) -> None:
        values = [o.name for o in others if isinstance(o, exp.Literal) and o.name]
        while isinstance(side, exp.Paren | exp.Cast):
            side = side.this
        ref = self._ref(side, PLAIN) if values and isinstance(side, exp.Column) else None
        if ref:
            self.literals.append((ref, tuple(dict.fromkeys(values))[:MAX_VALUES]))


def _outer(item: Input) -> Input:
    return replace(item, outer=True)


def _shared(item: Input, join: exp.Join) -> Input:
    names = tuple(n.name.lower() for n in join.args.get("using") or ())
    return replace(item, using=names, both=join.side in ("FULL", "RIGHT")) if names else item


def _columns(node: exp.Expr) -> tuple[str, ...]:
    """New names for the columns of ``node``: the (a, b) of t(a, b)."""
    alias = node.args.get("alias")
    names = tuple(c.name for c in alias.columns) if isinstance(alias, exp.TableAlias) else ()
    offset = node.args.get("offset")  # unnest(x) as item with offset as place
    return (*names, offset.name) if isinstance(offset, exp.Identifier) else names
