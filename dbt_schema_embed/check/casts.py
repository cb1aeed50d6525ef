"""Whether a cast from one family of types to another holds."""

from typing import Literal

from dbt_schema_embed.types import FAMILIES, TypeFamily

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
