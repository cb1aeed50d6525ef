"""When a column must be cast, and whether the cast holds. A leaf beside records and types.

`stage`, `apply` and the dbt macro schema_embed_cast_type have one rule for when; a test holds them together.
"""

import re
from typing import Literal

from dbt_schema_embed.types import FAMILIES, TypeFamily, type_family

Fit = Literal["fits", "doubtful", "impossible"]

_FITS: dict[TypeFamily, str] = {
    "integer": "decimal float text boolean",
    "decimal": "float text",
    "float": "decimal text",
    "text": "",
    "boolean": "integer decimal float text",
    "date": "timestamp text",
    "timestamp": "text",
    "time": "text",
    "interval": "text",
    "json": "text",
    "array": "json text",
    "binary": "text",
    "uuid": "text binary",
    "geography": "text binary json",
}
"""Every value arrives, whole but for rounding."""

_DOUBTFUL: dict[TypeFamily, str] = {
    "integer": "date timestamp",  # an epoch: most warehouses want a function, not a cast
    "decimal": "integer boolean date timestamp",
    "float": "integer boolean date timestamp",
    "text": " ".join(family for family in FAMILIES if family != "text"),
    "boolean": "",
    "date": "",
    "timestamp": "date time",
    "time": "interval",
    "interval": "time",
    "json": " ".join(family for family in FAMILIES if family not in ("json", "text")),  # a variant holds anything
    "array": "",
    "binary": "uuid geography",
    "uuid": "",
    "geography": "",
}
"""Some values fail or lose a part."""


def fit(source: TypeFamily, target: TypeFamily) -> Fit:
    """How a cast from ``source`` to ``target`` fares.

    >>> fit("integer", "text"), fit("timestamp", "date"), fit("boolean", "timestamp")
    ('fits', 'doubtful', 'impossible')
    """
    if source == target or target in _FITS[source].split():
        return "fits"
    return "doubtful" if target in _DOUBTFUL[source].split() else "impossible"


_SAME = {
    "character varying": "varchar", "string": "varchar", "text": "varchar", "nvarchar": "varchar", "bpchar": "varchar",
    "int": "integer", "int4": "integer", "int32": "integer", "signed": "integer", "int8": "bigint", "int64": "bigint",
    "long": "bigint", "int2": "smallint", "numeric": "decimal", "number": "decimal", "bool": "boolean",
    "float8": "double", "float64": "double", "double precision": "double", "float4": "float", "real": "float",
    "timestamp without time zone": "timestamp", "timestamp_ntz": "timestamp", "datetime": "timestamp",
    "timestamp with time zone": "timestamptz", "timestamp_tz": "timestamptz",
}  # fmt: skip
"""Spellings of one type, as in macros/schema_embed_cast_type.sql."""


def cast_type(source: str | None, target: str | None, *, exact: bool = False) -> str | None:
    """The type to cast to, None where the source's type is the model's under another name.

    A source whose type nobody knows is cast: a cast too many costs less than a type that is not the planned one. With
    ``exact`` (an enforced contract) another spelling of a type counts as another type.

    >>> cast_type("numeric(8,0)", "integer"), cast_type("varchar(20)", "text"), cast_type(None, "date")
    ('integer', None, 'date')
    """
    if not target or (_plain(source) == _plain(target) and not exact):
        return None
    return None if _spelling(source) == _spelling(target) else target


def _plain(type_: str | None) -> str:
    text = re.sub(r"\s+", " ", (type_ or "").lower().strip())
    head = text.partition("(")[0].rstrip()
    name = _SAME.get(head, head)
    # The length of a text hardly ever is a reason to cast; precision and scale are.
    return name + ("" if name == "varchar" else re.sub(r"[^0-9,]", "", text[len(head) :]))


def _spelling(type_: str | None) -> str:
    return "".join((type_ or "").lower().split())


_NUMBER = r"[+-]?(9(\.9?)?|\.9)(a[+-]?9)?"
_CLOCK = r"9:9(:9(\.9)?)?"
_SHAPES: dict[TypeFamily, str] = {
    "integer": r"[+-]?9",
    "decimal": _NUMBER,
    "float": _NUMBER,
    "boolean": "a|9",
    "date": "9-9-9",
    "timestamp": rf"9-9-9([ a]{_CLOCK}( ?(a|[+-]9(:9)?))?)?",
    "time": _CLOCK,
}
"""What text that every engine casts to a family looks like, in the shapes that `profile` keeps."""

_SHOWN = re.compile(r"[a9 -/:-@\[-`{-~]{1,40}")


def cast_problem(source: str | None, target: str | None, shapes: tuple[str, ...] = ()) -> str:
    """Why values do not survive the cast from one type to another; empty where nothing says that they do not.

    ``shapes`` are those of the source's values. What is shown of them holds no letter and no digit of a value.
    """
    left, right = type_family(source), type_family(target)
    if left is None or right is None or left == right:
        return ""
    if fit(left, right) == "impossible":
        return f"no cast leads from {source} to {target}"
    if left in ("integer", "decimal", "float") and right in ("date", "timestamp"):
        return "engines read no number as a date"
    if left != "text" or right not in _SHAPES:
        return ""
    odd = next((shape for shape in shapes if not re.fullmatch(_SHAPES[right], shape.strip())), None)
    if odd is None:
        return ""
    if not odd.strip():
        return "some values are empty text"
    return f"values look like {odd.strip()}" if _SHOWN.fullmatch(odd.strip()) else f"some values are no {target}"
