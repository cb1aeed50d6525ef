"""Raw dbt SQL -> SQL that parses, for models that were never compiled, where its Jinja is plain enough."""

import re

from dbt_schema_embed.sql.scanning import cut_out

HOLE = "dse_jinja_"
"""Names that begin so stand for an expression whose SQL only dbt knows."""
_RELATION = "dse_relation_"

_INCREMENTAL = re.compile(
    r"\{%-?\s*if\s+is_incremental\(\)\s*-?%\}(?:(?!\{%).)*\{%-?\s*endif\s*-?%\}", re.DOTALL
)  # it adds a filter to later runs; the first run is without it
_SET = re.compile(r"\{%-?\s*set\s[^%=]*=(?:(?!%\}).)*(?:%\}|\Z)", re.DOTALL)  # to the end, so that none is read twice
_SNAPSHOT = re.compile(r"\{%-?\s*(?:snapshot\s+\w+|endsnapshot)\s*-?%\}")
_BRACES = r"\{(?:[^{}]|\{[^{}]*\})*\}"  # a dictionary, perhaps with others in it
_EXPRESSION = re.compile(rf"""\{{\{{-?((?:'[^']*'|"[^"]*"|{_BRACES}|[^{{}}'"])*?)-?\}}\}}""")
_CALL = re.compile(r"\s*(ref|source|config)\s*\((.*)\)\s*", re.DOTALL)
_TEXT = re.compile(r"""\s*(?:'([^'\\{}]+)'|"([^"\\{}]+)")\s*""")


def plain_sql(raw: str) -> tuple[str, dict[str, str]] | None:
    """``raw`` with every ref and source replaced by a name, and what each name stands for ("ref:x", "source:a.b").

    Other expressions become names that begin with HOLE. None where a statement ({% for %}, {% if %}) shapes the SQL.
    """
    relations: dict[str, str] = {}
    holes = 0

    def put(match: re.Match[str]) -> str:
        nonlocal holes
        call = _CALL.fullmatch(match[1])
        if call and call[1] == "config":
            return ""
        target = _relation(call[1], call[2]) if call else None
        if target is not None:
            return _name(target, relations)
        holes += 1
        return f"{HOLE}{holes}"

    sql = cut_out(raw, "{#", "#}", " ")
    without: tuple[re.Pattern[str], ...] = (_INCREMENTAL, _SET, _SNAPSHOT)
    for pattern in without:
        sql = pattern.sub(" ", sql)
    sql = _EXPRESSION.sub(put, sql)
    return None if "{%" in sql or "{{" in sql else (sql, relations)


_REFERENCE = re.compile(r"\b(ref|source)\s*\(([^()]*)\)")


def references(raw: str) -> list[str]:
    """What ``raw`` refers to, in order: "ref:x", "source:a.b"; calls whose arguments are no plain text are left out."""
    found = (_relation(call[1], call[2]) for call in _REFERENCE.finditer(cut_out(raw, "{#", "#}", " ")))
    return list(dict.fromkeys(name for name in found if name))


def _name(target: str, relations: dict[str, str]) -> str:
    name = f"{_RELATION}{len(relations) + 1}"
    relations[name] = target
    return name


def _relation(call: str, arguments: str) -> str | None:
    """The relation a call of ref or source names, or None where the arguments are not plain text."""
    parts = arguments.split(",")
    texts = [m[1] or m[2] for m in map(_TEXT.fullmatch, parts) if m]
    if call == "source":
        return f"source:{texts[0]}.{texts[1]}" if len(texts) == len(parts) == 2 else None
    version = re.fullmatch(r"\s*v(?:ersion)?\s*=\s*['\"]?(\w+)['\"]?\s*", parts[-1])
    if version:
        parts.pop()
    if len(texts) != len(parts) or len(texts) not in (1, 2):
        return None
    return "ref:" + ".".join(texts) + (f".v{version[1]}" if version else "")
