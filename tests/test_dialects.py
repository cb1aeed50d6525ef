"""Adapters and dialects."""

import pytest

from dbt_schema_embed.dialects import _ADAPTERS, DIALECTS, adapter_dialect, checked_dialect
from dbt_schema_embed.errors import ConfigError


@pytest.mark.parametrize(
    ("adapter", "dialect"),
    [("postgres", "postgres"), ("SQLServer", "tsql"), ("vertica", "postgres"), ("fal", None), ("", None), (None, None)],
)
def test_adapter_dialect(adapter: str | None, dialect: str | None) -> None:
    assert adapter_dialect(adapter) == dialect


def test_sqlglot_knows_every_dialect_we_name() -> None:
    from sqlglot.dialects.dialect import Dialect

    known = {name for name in Dialect.classes if name}
    assert known >= DIALECTS
    assert set(_ADAPTERS.values()) <= DIALECTS


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("postgress", "did you mean postgres?"),
        ("cobol", "known are: athena, bigquery, clickhouse"),
        ("\x1b[2Jx", "known are"),
    ],
)
def test_a_wrong_dialect(said: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_dialect(said)
    assert caught.value.hint.startswith(hint)
    assert "\x1b" not in str(caught.value)
