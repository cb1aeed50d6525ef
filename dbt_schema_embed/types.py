"""What kind of value a warehouse type holds, whatever the warehouse calls it. Imports nothing of ours."""

import re
from functools import lru_cache
from typing import Literal, get_args

TypeFamily = Literal[
    "integer", "decimal", "float", "text", "boolean", "date", "timestamp", "time", "interval",
    "json", "array", "binary", "uuid", "geography",
]  # fmt: skip

FAMILIES: tuple[TypeFamily, ...] = get_args(TypeFamily)

_LONGEST = 10_000
"""Characters of a type that are read; a nested BigQuery STRUCT can be long, and its head says enough."""

_SPELLINGS: dict[TypeFamily, str] = {
    "integer": """
        int integer bigint smallint tinyint mediumint hugeint uhugeint byteint utinyint usmallint uinteger uint ubigint
        byte short long serial bigserial smallserial serial2 serial4 serial8 year signed oid xid
        int1 int2 int4 int8 int16 int32 int64 int128 int256 uint8 uint16 uint32 uint64 uint128 uint256
    """,
    "decimal": """
        decimal numeric number dec fixed bignumeric bigdecimal money smallmoney bignum varint
        decimal32 decimal64 decimal128 decimal256
    """,
    "float": """
        float real double float4 float8 float16 float32 float64 bfloat16 half halffloat binary_float binary_double
        decfloat
    """,
    "text": """
        text string varchar varchar2 char character nchar nvarchar nvarchar2 bpchar citext name clob nclob ntext
        tinytext
        mediumtext longtext fixedstring national str utf8 large_utf8 large_string string_view enum enum8 enum16 set xml
        sysname ipv4 ipv6 inet cidr macaddr macaddr8 tsvector ltree dictionary
    """,
    "boolean": "boolean bool bit logical",
    "date": "date date32 date64",
    "timestamp": """
        timestamp timestamptz timestampntz timestampltz timestamp_ntz timestamp_ltz timestamp_tz timestamp_s
        timestamp_ms
        timestamp_us timestamp_ns datetime datetime2 datetime64 datetime32 datetimeoffset smalldatetime
    """,
    "time": "time timetz time32 time64 time_ns",
    "interval": "interval intervalyearmonth duration",
    "json": "json jsonb variant object super struct record map hstore row tuple nested dynamic union bson",
    "array": "array list large_list fixed_size_list repeated multiset vector halfvec",
    "binary": """
        binary varbinary bytea bytes blob tinyblob mediumblob longblob longvarbinary raw image varbyte rowversion
        large_binary fixed_size_binary varbit bfile
    """,
    "uuid": "uuid uniqueidentifier",
    "geography": """
        geography geometry point multipoint linestring multilinestring polygon multipolygon lseg box path circle
        ring h3index
        sdo_geometry st_geometry st_point
    """,
}
_FAMILY_OF: dict[str, TypeFamily] = {word: family for family, words in _SPELLINGS.items() for word in words.split()}
_PAIRS: dict[str, TypeFamily] = {
    "long varchar": "text",
    "long raw": "binary",
    "bit varying": "binary",
    "big int": "integer",
}
"""Spellings whose first word alone would mislead."""

_WRAPPER = re.compile(r"(?:nullable|lowcardinality|simpleaggregatefunction\s*\(\s*\w+\s*,)\s*\(?(.*?)\)?$", re.DOTALL)
_ARRAY = re.compile(r"\[\d*\](?:\s*not null)?$")
_HEAD = re.compile(r"(?:unsigned\s+|signed\s+|pg_catalog\.|system\.)?([a-z_][a-z0-9_]*)(?:\s+([a-z]+))?")
_NUMBERS = re.compile(r"\(\s*(\d+|\*)\s*(?:,\s*(-?\d+)\s*)?\)")


@lru_cache(maxsize=4096)
def type_family(type: str | None) -> TypeFamily | None:  # noqa: A002  the word of the field
    """The family of a declared type, or None when it is missing or not known.

    Reads every spelling of the warehouses dbt runs on, with parameters, wrappers and arrays. A decimal type whose
    scale is declared as 0 is an integer; a bare ``NUMBER`` is not, for Snowflake's catalog drops the scale.

    >>> [type_family(t) for t in ("NUMBER(38,0)", "Nullable(DateTime64(3))", "character varying(256)", "text[]")]
    ['integer', 'timestamp', 'text', 'array']
    """
    if not type:
        return None
    text = type[:_LONGEST].strip().strip('"`').lower()
    while wrapped := _WRAPPER.match(text):
        text = wrapped.group(1).strip()
    if _ARRAY.search(text):
        return "array"
    head = _HEAD.match(text)
    if head is None:
        return None
    word, second = head.group(1), head.group(2)
    if pair := _PAIRS.get(f"{word} {second}"):
        return pair
    family = _FAMILY_OF.get(word)
    if family is None:
        return _from_catalog_name(word)
    return _by_numbers(family, word, text)


def _by_numbers(family: TypeFamily, word: str, text: str) -> TypeFamily:
    """Where the numbers in brackets change the family: ``numeric(10)``, ``tinyint(1)``, ``bit(8)``."""
    numbers = _NUMBERS.search(text)
    if numbers is None:
        return family
    first, second = numbers.groups()
    if family == "decimal":
        # ClickHouse's Decimal64(2) names the scale alone; everywhere else one number is the precision.
        scale = first if word[-1].isdigit() and second is None else second or "0"
        return "decimal" if int(scale) > 0 else "integer"
    if word == "tinyint" and first == "1":
        return "boolean"  # how MySQL writes BOOLEAN
    if word == "bit" and first != "1":
        return "binary"
    return family


def _from_catalog_name(word: str) -> TypeFamily | None:
    """Postgres' pg_type spells an array with a leading underscore; Teradata and others prefix their time types."""
    if word.startswith("_") and word[1:] in _FAMILY_OF:
        return "array"
    if word.startswith("interval"):
        return "interval"
    return None
