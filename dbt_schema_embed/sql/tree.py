"""SQL text -> sqlglot's tree, within bounds: the parser recurses, and some texts take it quadratic time and worse."""

from __future__ import annotations  # exp.Expr has its name since sqlglot 29: not looked up at run time

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlglot import Dialect, TokenType
from sqlglot.errors import ParseError, SqlglotError

if TYPE_CHECKING:
    from sqlglot import exp

MAX_LENGTH = 1_000_000
"""Characters of SQL that are parsed; longer texts are refused."""
MAX_DEPTH = 200
"""Brackets, CASEs and prefix operators that may stand inside each other. sqlglot recurses ~24 frames a level."""

_OPEN = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSE = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
_LINK = {TokenType.DOT, TokenType.L_BRACKET}
_END_OF_CHAIN = {
    TokenType.COMMA, TokenType.ALIAS, TokenType.AND, TokenType.OR, TokenType.EQ, TokenType.DPIPE, TokenType.SEMICOLON,
    TokenType.SELECT, TokenType.FROM, TokenType.JOIN, TokenType.ON, TokenType.WHEN, TokenType.THEN, TokenType.ELSE,
    TokenType.PLUS, TokenType.DASH, TokenType.STAR, TokenType.SLASH, TokenType.UNION,
}  # fmt: skip


class SqlError(ValueError):
    """SQL that cannot be read; the message is one line without the SQL's own text."""


def parse_tree(sql: str, dialect: str | None) -> exp.Expr:
    """The last statement of ``sql``.

    Raises:
        SqlError: too long, too deep, not SQL, empty, or a dialect sqlglot does not know.
    """
    if len(sql) > MAX_LENGTH:
        raise SqlError(f"it is longer than {MAX_LENGTH:,} characters")
    try:
        reader = Dialect.get_or_raise(dialect)
    except ValueError:
        raise SqlError("sqlglot does not know the dialect") from None
    log = logging.getLogger("sqlglot")
    was, log.disabled = log.disabled, True  # it logs what it falls back on; our caller gets one warning instead
    try:
        tokens = reader.tokenize(sql)
        if _depth(t.token_type for t in tokens) > MAX_DEPTH:
            raise SqlError(f"it nests deeper than {MAX_DEPTH} levels")
        trees = [t for t in reader.parser().parse(tokens, sql) if t is not None]
    except (SqlglotError, RecursionError) as problem:
        raise SqlError(_reason(problem)) from None
    except SqlError:
        raise
    except (ValueError, TypeError, AttributeError, LookupError):
        # what sqlglot's parser lets through on some malformed texts, instead of a ParseError
        raise SqlError("it cannot be parsed") from None
    finally:
        log.disabled = was
    if not trees:
        raise SqlError("it is empty")
    return trees[-1]


def _depth(kinds: Iterable[TokenType]) -> int:
    """How deep the statement nests. Prefix operators (NOT NOT x) and links (a[1][1], a.f().f()) count as nesting:
    sqlglot recurses for the ones, and takes quadratic time and worse for the others."""
    links = [0]  # of the chain each open bracket stands in
    deepest = run = 0
    last: TokenType | None = None
    for kind in kinds:
        run = run + 1 if kind is last and kind is not TokenType.R_PAREN else 0
        last = kind
        if kind in _LINK:
            links[-1] += 1
        elif kind in _END_OF_CHAIN:
            links[-1] = 0
        deepest = max(deepest, len(links), links[-1], run)
        if kind in _OPEN:
            links.append(0)
        elif kind in _CLOSE and len(links) > 1:
            links.pop()
    return deepest


def _reason(problem: Exception) -> str:
    """One line. sqlglot's own text quotes the SQL, with ANSI escapes, and names its classes."""
    if isinstance(problem, ParseError) and problem.errors:
        first = problem.errors[0]
        return f"it cannot be parsed at line {first.get('line')}, column {first.get('col')}"
    return "it nests too deep" if isinstance(problem, RecursionError) else "it cannot be split into tokens"
