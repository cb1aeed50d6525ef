"""Every warehouse's spelling of a type lands in its family."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.types import FAMILIES, type_family

SPELLINGS = {
    "integer": """
        NUMBER(38,0) | NUMERIC(10) | decimal(5) | Decimal(18, 0) | number(*,0) | INT64 | bigint(20) unsigned | int
        unsigned
        | unsigned big int | HUGEINT | SimpleAggregateFunction(sum, UInt64) | int identity(1,1) | Nullable(Int32)
    """,
    "decimal": "NUMBER | Number(10,2) | numeric(28,6) | BIGNUMERIC | Decimal64(2) | decimal128(38, 9) | money",
    "float": "double precision | FLOAT64 | float8 | real | Nullable(Float64) | double",
    "text": """
        character varying(256) | varchar(max) | LowCardinality(Nullable(String)) | "char" | Enum8('a' = 1) | long
        varchar
        | varchar(20) not null | text collate nocase | STRING(10) | citext
    """,
    "boolean": "boolean | BOOL | bit | bit(1) | tinyint(1)",
    "date": "DATE | date32[day] | Date32",
    "timestamp": """
        timestamp without time zone | timestamp(6) with time zone | TIMESTAMP_NTZ(9) | TIMESTAMP_LTZ | datetime2(7)
        | Nullable(DateTime64(3, 'UTC')) | timestamp[us, tz=UTC] | datetimeoffset | DATETIME
    """,
    "time": "time without time zone | TIME(9) | timetz | time64[us]",
    "interval": "INTERVAL DAY TO SECOND | interval | IntervalDay | duration[ns]",
    "json": """
        jsonb | VARIANT | OBJECT | super | STRUCT<a INT64, b ARRAY<STRING>> | map(varchar, bigint) | Tuple(a
        String)
    """,
    "array": """
        text[] | integer[3][] | _int4 | ARRAY<STRUCT<a INT64>> | Array(String) | list<item: int64> |
        array(varchar)
    """,
    "binary": "bytea | BYTES | varbinary(16) | bit(8) | bit varying(3) | long raw",
    "uuid": "uuid | UNIQUEIDENTIFIER | Nullable(UUID)",
    "geography": "GEOGRAPHY | geometry(Point, 4326)",
}


@pytest.mark.parametrize(
    ("spelling", "family"),
    [(spelling.strip(), family) for family, text in SPELLINGS.items() for spelling in text.split("|")],
)
def test_spelling(spelling: str, family: str) -> None:
    assert type_family(spelling) == family
    assert type_family(f"  {spelling.upper()} ") == type_family(spelling.lower()) == family


def test_every_family_is_spelled() -> None:
    assert set(SPELLINGS) == set(FAMILIES)


@pytest.mark.parametrize(
    "spelling", [None, "", "  ", "unknown", "user_defined_thing", "AggregateFunction(sum, Int8)", "(3)"]
)
def test_unknown_is_none(spelling: str | None) -> None:
    assert type_family(spelling) is None


@given(st.text(max_size=60))
def test_anything_is_read(spelling: str) -> None:
    assert type_family(spelling) in (*FAMILIES, None)


@pytest.mark.parametrize("spelling", ["Nullable(", "[", "numeric(9", "9", " ", "struct<"])
def test_the_longest_is_read_in_no_time(spelling: str) -> None:
    assert type_family("numeric(" + spelling * 50_000) in (*FAMILIES, None)
    assert type_family(spelling * 50_000) in (*FAMILIES, None)
