"""Names from outside in SQL and in Jinja: quoted where they must be, harmless where they cannot."""

import json
import re

from dbt_schema_embed.errors import ConfigError, printable

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPE = re.compile(r"[A-Za-z_][\w .]*")
_ARGUMENTS = re.compile(r"\([\w ,.:]*\)|\[\d*\]|<[\w ,.:]*>")
_NESTED = 9  # brackets in brackets of a type
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_LOST = re.compile(r"[\0\r\n]")
_JINJA = re.compile(r"\{(?=[{%#])")
_MARKS = {"bigquery": "`", "databricks": "`", "spark": "`", "spark2": "`", "hive": "`", "mysql": "`", "clickhouse": "`"}
_FOLDS = {"snowflake": str.upper, "oracle": str.upper}
RESERVED = frozenset(
    """
    account all alter analyse analyze and anti any array as asc assert_rows_modified asymmetric at authorization between
    both by case cast check collate collation column concurrently connect connection constraint contains create cross
    cube current current_catalog current_date current_role current_schema current_time current_timestamp current_user
    database default deferrable define delete desc describe distinct do drop else end enum escape except exclude exists
    extract false fetch filter following for foreign freeze from full function grant group grouping groups gscluster
    hash having ignore ilike in increment initially inner insert intersect interval into is isnull issue join lambda
    lateral leading left like limit localtime localtimestamp lookup merge minus natural new no not notnull null nulls of
    offset old on only open or order organization outer over overlaps partition pivot placing pivot_longer pivot_wider
    preceding primary proto qualify range recursive references regexp respect returning revoke right rlike rollup row
    rows sample schema select semi session_user set show similar some start struct summarize symmetric system_user
    table tablesample tag then to top trailing treat trigger true try_cast unbounded union unique unnest unpivot update
    user using values variadic verbose view when whenever where window with within
    """.split()  # noqa: SIM905  a list literal would take 200 lines
)
"""Words that at least one engine refuses as a bare column name. Quoting one too many does no harm."""


def column_sql(name: str, dialect: str | None, *, quoted: bool = False) -> str:
    """A column's name in SQL, quoted where it compares with case, is no plain name, or is a reserved word.

    Raises:
        ConfigError: a name that cannot stand in a model: it opens Jinja, or holds a NUL or a line end, which dbt reads
            as another one.
    """
    if _JINJA.search(name):
        raise ConfigError(f"column {printable(name)!r} cannot be written in a model: dbt would take it for Jinja")
    if _LOST.search(name):
        raise ConfigError(f"column {comment_text(name)!r} cannot be written in a model: a line end or NUL is in it")
    if quoted or not _PLAIN.fullmatch(name) or _case_counts(name, dialect):
        return _quoted(name, dialect)
    if name.lower() in RESERVED:  # a bare name is folded by the engine: the quoted one must be spelled as it folds
        return _quoted(_FOLDS.get(dialect or "", str.lower)(name), dialect)
    return name


def type_sql(type_: str) -> str | None:
    """A type as it may stand in a cast, None when it is none: words, and brackets that close."""
    if len(type_) > 500:
        return None
    bare = type_
    for _ in range(_NESTED):
        bare = _ARGUMENTS.sub("", bare)
    return type_ if _TYPE.fullmatch(bare) else None


def comment_text(text: str) -> str:
    """``text`` for one line of comment, which dbt renders too; its controls and line ends are written out (``\\r``)."""
    return _JINJA.sub("{ ", json.dumps(text)[1:-1] if _CONTROLS.search(text) else text)


def jinja_text(text: str) -> str:
    """``text`` as a string of Jinja, on one line."""
    inner = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{inner}'"


def opens_jinja(text: str) -> bool:
    """Whether dbt would render something in ``text``."""
    return bool(_JINJA.search(text))


def _case_counts(name: str, dialect: str | None) -> bool:
    """Whether an unquoted ``name`` would be another column: engines fold it, and its case says it was quoted."""
    if dialect == "postgres":
        return name != name.lower()
    return dialect in _FOLDS and name not in (name.upper(), name.lower())


def _quoted(name: str, dialect: str | None) -> str:
    if dialect in ("tsql", "fabric"):
        return "[" + name.replace("]", "]]") + "]"
    mark = _MARKS.get(dialect or "", '"')
    # BigQuery reads backslashes inside its quotes, and knows no doubled mark.
    inner = (
        name.replace("\\", "\\\\").replace(mark, "\\" + mark) if dialect == "bigquery" else name.replace(mark, mark * 2)
    )
    return mark + inner + mark
