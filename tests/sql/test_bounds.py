"""Hostile SQL: refused or read, in bounded time and space."""

import threading
import time

import pytest

from dbt_schema_embed.sql import lineage
from dbt_schema_embed.sql import statements as sql_statements
from dbt_schema_embed.sql.lineage import ModelSql, SqlFacts, TableInfo, read_sql

WIDE = {"t": TableInfo("source.p.t", tuple(f"c{i}" for i in range(200)), complete=True)}


def read(sql: str, dialect: str = "postgres") -> SqlFacts:
    start = time.monotonic()
    facts = read_sql([ModelSql("model.p.m", sql, "m")], WIDE, dialect, None)
    assert time.monotonic() - start < 30
    return facts


def chain(step: str, count: int) -> str:
    """CTEs a1, a2, ... where {} in ``step`` is the one before."""
    ctes = (f"a{i} as ({step.replace('{}', f'a{i - 1}' if i > 1 else 't')})" for i in range(1, count + 1))
    return f"with {', '.join(ctes)} select * from a{count}"


@pytest.mark.parametrize(
    "sql",
    [
        "select " + "(" * 180 + "c1" + ")" * 180 + " as x from t",
        "select " + "case when 1 = 1 then " * 180 + "c1" + " end" * 180 + " as x from t",
        "select c1 as x from " + "(select * from " * 90 + "t" + ")" * 90,
        "select " + " + ".join(["c1"] * 3000) + " as x from t",
        "select coalesce(" + ", ".join(["c1"] * 3000) + ") as x from t",
        " union all ".join(["select c1 as x from t"] * 500),
        chain("select * from {}", 300).replace("select * from a300", "select c1 as x from a300"),
    ],
)
def test_deep_long_but_honest_sql_is_read(sql: str) -> None:
    facts = read(sql)
    assert facts.warnings == ()
    assert [(x.source_column, x.model_column) for x in facts.lineage] == [("c1", "x")]


@pytest.mark.parametrize(
    "sql",
    [
        "select " + "(" * 5000,
        "select " + "not " * 5000 + "c1 from t",
        "select " + "- " * 5000 + "1",
        "select c1" + "[1]" * 5000 + " from t",
        "select c1" + ".f()" * 5000 + " from t",
        "select * from " + "(" * 5000,
        "select " + "case when " * 5000,
    ],
)
def test_deep_sql_is_refused(sql: str) -> None:
    (warning,) = read(sql).warnings
    assert warning.startswith("model.p.m: its SQL was not read: it nests ")


@pytest.mark.parametrize("sql", ["select " + "not c1 = " * 5000 + "1", "select c1" + "::int" * 50_000 + " from t"])
def test_deep_sql_is_refused_or_read(sql: str) -> None:
    """sqlglot's compiled build has no recursion limit: what it can parse is read."""
    assert read(sql).warnings in ((), ("model.p.m: its SQL was not read: it nests too deep",))


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        (chain("select *, * from {}", 40), 200),
        (chain("select x.*, y.* from {} as x, {} as y", 40), 200),
        (chain("select * from {} union all select * from {}", 60), 200),
        ("select " + ", ".join(f"c1 as d{i}" for i in range(9000)) + " from t", 5000),
    ],
)
def test_what_doubles_at_every_step_stays_small(sql: str, columns: int) -> None:
    assert len(read(sql).columns["model.p.m"]) <= max(columns, 5000)


def test_a_name_is_looked_up_once_in_unions_of_unions_of_unknown_tables() -> None:
    sql = chain("select * from {} union all select * from {}", 60).replace("from t", "from unknown")
    assert read(sql.replace("select * from a60", "select x from a60")).columns == {"model.p.m": ("x",)}


def test_a_thousand_models_that_pass_on_what_nobody_described() -> None:
    models = [ModelSql(f"model.p.m{i}", f"select * from m{i - 1}", f"m{i}") for i in range(1, 1000)]
    models.append(ModelSql("model.p.last", "select x from m999", "last"))
    facts = read_sql(models, {"m0": TableInfo("source.p.m0")}, "postgres", None)
    assert len(facts.columns) + len(facts.warnings) == 1000


def test_time_that_is_over_costs_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    models = [ModelSql(f"model.p.m{i}", "select 1 as a", f"m{i}") for i in range(2)]
    monkeypatch.setattr(sql_statements, "TIME_LIMIT", -1.0)
    facts = read_sql(models, {}, "postgres", None)
    assert facts.warnings == tuple(
        f"model.p.m{i}: its SQL was not read: the time for reading SQL was over" for i in range(2)
    )


def test_time_that_is_over_while_resolving_costs_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "TIME_LIMIT", -1.0)
    facts = read("select 1 as a")
    assert facts.warnings == ("model.p.m: its SQL was not read: the time for reading SQL was over",)


def test_a_parser_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    free, parse = threading.Event(), sql_statements._parse

    def hang(model: ModelSql, dialect: str | None, key: bytes) -> sql_statements.Entry:
        if model.id == "model.p.slow":
            free.wait(30)
        return parse(model, dialect, key)

    monkeypatch.setattr(sql_statements, "_parse", hang)
    monkeypatch.setattr(sql_statements, "TIME_LIMIT", 1.0)
    models = [ModelSql("model.p.quick", "select 1 as a"), ModelSql("model.p.slow", "select 1 as a")]
    facts = read_sql(models, {}, "postgres", None)
    free.set()
    assert list(facts.columns) == ["model.p.quick"]
    assert facts.warnings == ("model.p.slow: its SQL was not read: the time for reading SQL was over",)


def test_a_fault_of_our_own_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(model: ModelSql, dialect: str | None, key: bytes) -> sql_statements.Entry:
        raise KeyError(model.id)

    monkeypatch.setattr(sql_statements, "_parse", faulty)
    with pytest.raises(KeyError, match=r"model\.p\.m"):
        read("select 1 as a")
