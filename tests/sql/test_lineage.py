"""read_sql: what SQL text, parents and tables together tell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_schema_embed.records import Lineage
from dbt_schema_embed.sql.lineage import ModelSql, SqlFacts, TableInfo, read_sql, relation_key
from tests.sql.sql_cases import SqlCase, cases, told

FILES = ("kinds.sql", "stars.sql", "queries.sql", "dialects.sql", "jinja.sql")
ALL = [pytest.param(case, id=f"{name}: {case.title}") for name in FILES for case in cases(name)]
CHARGES = TableInfo("source.p.raw.charges", ("id", "Type"), complete=True)
TABLES = {'"db"."raw"."charges"': CHARGES}


def model(name: str, sql: str, *parents: str, known: tuple[str, ...] = ()) -> ModelSql:
    return ModelSql(f"model.p.{name}", sql, f'"db"."dev"."{name}"', parents, known)


def lines(facts: SqlFacts) -> list[str]:
    return [f"{x.source}.{x.source_column} > {x.model}.{x.model_column} {x.kind}" for x in facts.lineage]


@pytest.mark.parametrize("case", ALL)
def test_a_query_and_what_its_columns_descend_from(case: SqlCase) -> None:
    facts = case.read()
    assert facts.warnings == ()
    assert told(facts) == case.expected


def test_every_model_downstream_has_lineage_whatever_the_order_of_the_models() -> None:
    models = [
        model("mart", "select charge_id as pk, upper(kind) as kind from db.dev.stg"),
        model("stg", "select id as charge_id, type as kind from db.dev.tmp"),
        model("tmp", "select * from db.raw.charges"),
    ]
    facts = read_sql(models, TABLES, "postgres", None)
    assert lines(facts) == [
        "source.p.raw.charges.Type > model.p.mart.kind derived",
        "source.p.raw.charges.Type > model.p.stg.kind renamed",
        "source.p.raw.charges.Type > model.p.tmp.Type identical",
        "source.p.raw.charges.id > model.p.mart.pk renamed",
        "source.p.raw.charges.id > model.p.stg.charge_id renamed",
        "source.p.raw.charges.id > model.p.tmp.id identical",
    ]
    assert facts == read_sql(models[::-1], TABLES, "postgres", None)


def test_a_model_without_sql_ends_the_path() -> None:
    hidden = TableInfo("model.p.stg", ("charge_id",), "model")
    facts = read_sql([model("mart", "select * from db.dev.stg")], {"db.dev.stg": hidden, **TABLES}, "postgres", None)
    assert facts.columns == {"model.p.mart": ("charge_id",)}
    assert facts.open == {"model.p.mart"}
    assert facts.lineage == ()


def test_known_columns_lend_their_spelling_and_fill_in_what_a_star_hides() -> None:
    unknown = {"db.raw.charges": TableInfo("source.p.raw.charges")}
    stg = model("stg", "select *, 1 as One from db.raw.charges", known=("ID", "ONE", "Extra"))
    facts = read_sql([stg], unknown, "snowflake", None)
    assert facts.columns == {"model.p.stg": ("One",)}
    assert facts.open == {"model.p.stg"}
    assert lines(facts) == [
        "source.p.raw.charges.Extra > model.p.stg.Extra identical",
        "source.p.raw.charges.ID > model.p.stg.ID identical",
    ]


def test_one_table_declared_by_two_packages_belongs_to_the_parent_named() -> None:
    both = TableInfo("source.a.raw.charges", ("id",), "source", True, ("source.b.raw.charges", "seed.c.charges"))
    for parent in ("source.a.raw.charges", "source.b.raw.charges", "seed.c.charges"):
        facts = read_sql([model("m", "select id from db.raw.charges", parent)], {"db.raw.charges": both}, None, None)
        assert lines(facts) == [f"{parent}.id > model.p.m.id identical"]


def test_an_incremental_model_reads_itself_and_a_cycle_ends() -> None:
    sql = "select id, type from db.raw.charges union all select id, type from db.dev.m"
    facts = read_sql([model("m", sql, known=("id", "type"))], TABLES, "postgres", None)
    assert (facts.columns, facts.open) == ({"model.p.m": ("id", "type")}, frozenset())
    assert [x.kind for x in facts.lineage] == ["identical", "identical"]
    ring = [model("a", "select * from db.dev.b"), model("b", "select id, x from db.dev.a, db.raw.charges")]
    assert "source.p.raw.charges.id > model.p.b.id identical" in lines(read_sql(ring, TABLES, "postgres", None))


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("selec id fro x", "it cannot be parsed at line 1, column 12"),
        ("select a\nfrom (", "it cannot be parsed at line 2, column 6"),
        ("select 'a", "it cannot be split into tokens"),
        ("def model(dbt, session):\n    return dbt.ref('x')", "it cannot be parsed at line 1, column 10"),
        ("select date_trunc(x, week(", "it cannot be parsed at line 1, column 26"),
        ("drop table x", "it holds no query"),
        ("", "it is empty"),
        ("-- nothing", "it is empty"),
        ("select " + "f(" * 300 + "1" + ")" * 300, "it nests deeper than 200 levels"),
        ("select '" + "a" * 1_000_000 + "'", "it is longer than 1,000,000 characters"),
    ],
)
def test_sql_that_cannot_be_read_costs_one_warning(sql: str, why: str) -> None:
    good = model("good", "select id from db.raw.charges")
    facts = read_sql([model("bad\x1b[4m", sql), good], TABLES, "postgres", None)
    assert facts.warnings == (f"model.p.bad[4m: its SQL was not read: {why}",)
    assert list(facts.columns) == ["model.p.good"]


def test_an_unknown_dialect_costs_a_warning() -> None:
    facts = read_sql([model("m", "select 1 as a")], {}, "klingon", None)
    assert facts.warnings == ("model.p.m: its SQL was not read: sqlglot does not know the dialect",)


def test_what_sqlglot_lets_through_instead_of_a_parse_error_costs_a_warning_too() -> None:
    facts = read_sql([model("m", "select date_trunc(x, week(")], {}, "bigquery", None)
    assert facts.warnings == ("model.p.m: its SQL was not read: it cannot be parsed",)


def test_literals_belong_to_every_column_the_compared_one_comes_from_unchanged() -> None:
    models = [
        model("stg", "select id, cast(type as text) as kind, lower(type) as low from db.raw.charges where id <> 7"),
        model(
            "mart",
            """select case kind when 'card' then 1 end as a, kind = 'bank' as b, kind in ('cash', 'card', null) as c
            from db.dev.stg where 'wire' = (kind) and low = 'x' and id = '' and kind = id and exists (
              select 1 from db.raw.charges as o where o.type = 'old')""",
        ),
    ]
    facts = read_sql(models, TABLES, "postgres", None)
    kinds = ("card", "bank", "cash", "wire")
    assert {key: set(values) for key, values in facts.literals.items()} == {
        ("source.p.raw.charges", "id"): {"7"},
        ("source.p.raw.charges", "type"): {*kinds, "old"},
        ("model.p.stg", "kind"): set(kinds),
        ("model.p.stg", "low"): {"x"},
    }
    assert "card" not in repr(facts)


def test_at_most_fifty_literals_are_kept_for_a_column() -> None:
    lists = " and ".join(f"type in ({', '.join(repr(f'v{i}_{j}') for j in range(30))})" for i in range(4))
    facts = read_sql([model("m", f"select id from db.raw.charges where {lists}")], TABLES, "postgres", None)
    assert len(facts.literals["source.p.raw.charges", "type"]) == 50


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ('"DB"."Sch"."T able"', "db.sch.t able"),
        ("`proj-1`.`ds`.`t_*`", "proj-1.ds.t_*"),
        ("[dbo].[T]", "dbo.t"),
        ("db.sch.t", "db.sch.t"),
    ],
)
def test_relations_compare_without_quotes_and_case(name: str, key: str) -> None:
    assert relation_key(name) == key


def test_a_name_without_its_database_is_found_unless_two_share_it() -> None:
    two = {**TABLES, "db.other.charges": TableInfo("source.p.other.charges", ("id",))}
    schema = read_sql([model("m", "select id from raw.charges")], two, "postgres", None)
    assert [x.source for x in schema.lineage] == ["source.p.raw.charges"]
    assert read_sql([model("m", "select id from charges")], two, "postgres", None).lineage == ()
    longer = read_sql([model("m", "select id from x.raw.charges")], {"raw.charges": CHARGES}, "postgres", None)
    assert longer.lineage == (Lineage(CHARGES.id, "id", "model.p.m", "id", "identical"),)


def test_an_ephemeral_model_whose_cte_was_not_written_out() -> None:
    ephemeral = ModelSql("model.p.Eph", "select id as e_id from db.raw.charges")
    reader = model("m", "select e_id from __dbt__cte__eph", "model.p.Eph")
    assert "source.p.raw.charges.id > model.p.m.e_id renamed" in lines(
        read_sql([reader, ephemeral], TABLES, "postgres", None)
    )


def test_recursion_limit_and_stack_size_are_put_back() -> None:
    import threading

    before = (sys.getrecursionlimit(), threading.stack_size())
    read_sql([model("m", "select " + "(" * 190 + "1" + ")" * 190 + " as a")], {}, "postgres", None)
    assert (sys.getrecursionlimit(), threading.stack_size()) == before


PIECES = (
    "select from where ( ) , * . a b t t.a as with union all join on using case when then end 'x' 1 = in not cast :: "
    'int [ ] { } over partition by lateral unnest values ; -- /* */ {{ }} {% %} exists distinct " ` $1 -> : null'
)
WORDS = st.sampled_from(PIECES.split())


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=25).map(lambda w: "select " + " ".join(w))),
    st.sampled_from([None, "postgres", "snowflake", "bigquery", "duckdb", "tsql", "spark"]),
    st.booleans(),
)
def test_any_text_gives_facts_or_a_warning(sql: str, dialect: str | None, compiled: bool) -> None:
    tables = {"t": TableInfo("source.p.t", ("a", "b"))}
    facts = read_sql([ModelSql("model.p.m", sql, "m", compiled=compiled)], tables, dialect, None)
    assert (not compiled) or bool(facts.warnings) != ("model.p.m" in facts.columns)
    assert all("\n" not in w for w in facts.warnings)


def test_reading_from_the_cache_does_not_import_sqlglot(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from dbt_schema_embed.sql.lineage import ModelSql, read_sql\n"
        "facts = read_sql([ModelSql('model.p.m', 'select 1 as a')], {}, 'duckdb', Path(sys.argv[1]))\n"
        "print(dict(facts.columns), 'sqlglot' in sys.modules)"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            check=True,
            capture_output=True,
            text=True,
            env=dict(os.environ),
        ).stdout.strip()
        for _ in range(2)
    ]
    assert said == ["{'model.p.m': ('a',)} True", "{'model.p.m': ('a',)} False"]
