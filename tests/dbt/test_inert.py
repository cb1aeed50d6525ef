"""Names from a warehouse stay names: in what the macros and `stage` write, nothing of them is run."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from dbt_schema_embed.read.project import read_project
from dbt_schema_embed.records import Column, MappingFile, MappingRow, Project, Relation
from dbt_schema_embed.write.sql_names import comment_text, jinja_text, type_sql
from dbt_schema_embed.write.stage import stage
from tests.dbt.conftest import NewShop
from tests.dbt.rendering import Attributes, FakeColumn, Macros
from tests.write.hostile_names import JINJA, LINES, ORDINARY, QUOTES

NAMES = ORDINARY + QUOTES + LINES + JINJA
PIECES = [*NAMES, "{", "%", "#", "-", "'", '"', "`", "\\", "\r", "\n", "\0", " ", "a", "--", "/*", "*/", ";", "}}"]
TYPES = [
    "int",
    "decimal(10, 2)",
    "int) as x, (select 1",
    "a[b]",
    "x\n",
    "struct<a:int>",
    "int, x",
    "{{ x }}",
    "e('a')",
    "",
]


@pytest.mark.parametrize("name", NAMES)
def test_macros_and_stage_write_the_same(root: Path, name: str) -> None:
    macros = Macros(root / "macros", "duckdb", tojson=json.dumps)
    assert macros.schema_embed_comment(name) == comment_text(name)
    assert macros.schema_embed_jinja_text(name) == jinja_text(name)
    assert SandboxedEnvironment().from_string("{{ " + jinja_text(name) + " }}").render() == name


@pytest.mark.parametrize("type_", TYPES)
def test_macros_and_stage_agree_about_types(root: Path, type_: str) -> None:
    assert Macros(root / "macros", "duckdb").schema_embed_type(type_) == type_sql(type_)


def test_bigquery_reads_backslashes_in_its_quotes(root: Path) -> None:
    assert Macros(root / "macros", "bigquery").schema_embed_quote("a\\` b") == "`a\\\\\\` b`"


def compiled(text: str) -> str:
    """The model as dbt compiles it, where Jinja has nothing but source(): anything else that is run is an error."""
    environment = SandboxedEnvironment(undefined=StrictUndefined)
    return environment.from_string(text).render(source=lambda *names: "src")


def only_names(text: str, columns: dict[str, str]) -> None:
    """Assert that ``text`` is one statement that renames ``columns`` and does nothing else."""
    (statement,) = sqlglot.parse(compiled(text), dialect="duckdb")
    assert statement is not None
    aliases = {alias.alias: alias.this.name for alias in statement.find_all(sqlglot.exp.Alias)}
    assert aliases == columns
    assert {table.name for table in statement.find_all(sqlglot.exp.Table)} == {"src", "source", "renamed"}


hostile = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)


@settings(max_examples=150, deadline=None)
@given(notes=st.lists(hostile, max_size=4, unique=True), names=st.lists(hostile, max_size=4, unique=True))
def test_stage_compiles_to_what_was_mapped(notes: list[str], names: list[str]) -> None:
    names = [name for name in names if not re.search(r"\{[{%#]|[\0\r\n]", name)]
    columns = {name.lower(): name for name in names}
    unmapped = [note for note in notes if note.lower() not in columns]
    source = Relation(
        "source.p.s.t", "t", "source", tuple(Column(name) for name in [*columns.values(), *unmapped, "sure"]),
        source_name="s", package="p", path="models/s.yml",
    )  # fmt: skip
    rows = [MappingRow(name, "m", f"c{i}", status="accepted") for i, name in enumerate(columns.values())]
    rows.append(MappingRow("sure", "m", "renamed_sure", status="accepted"))
    staged = stage(Project("p", "duckdb", (source,)), MappingFile("f.yml", "s.t", tuple(rows)), Path("/nowhere"))
    only_names(staged.sql.text, {f"c{i}": n for i, n in enumerate(columns.values())} | {"renamed_sure": "sure"})


class Raised(Exception):  # noqa: N818  what the macros tell dbt
    pass


def raised(message: str) -> None:
    raise Raised(message)


@settings(max_examples=60, deadline=None)
@given(notes=st.lists(hostile, max_size=4, unique=True), name=hostile, target=hostile, type_=st.sampled_from(TYPES))
def test_the_macro_compiles_to_what_was_mapped(notes: list[str], name: str, target: str, type_: str) -> None:
    meta = {"config": {"meta": {"schema_embed": {"model": "m", "column": target, "type": type_}}}}
    node: Any = Attributes(
        name="t", source_name=notes[0] if notes else "s", config={}, identifier="t", schema="s", database=None,
        columns={name: Attributes({"name": name} | meta)},
    )  # fmt: skip
    graph = Attributes(nodes={}, sources={"source.p.s.t": node})
    printed: list[str] = []
    macros = Macros(
        Path(__file__).parents[2] / "macros", "duckdb", graph=graph, project_name="p", tojson=json.dumps,
        source=lambda *_: node, load_relation=lambda _: "x", print=printed.append,
        exceptions=Attributes(raise_compiler_error=raised),
    )  # fmt: skip
    macros.adapter.get_columns_in_relation = lambda _: [FakeColumn(n, "text") for n in [name, *notes]]
    cannot = any(re.search(r"\{[{%#]|[\0\r\n]", n) for n in (name, target))
    try:
        macros.schema_embed_generate_staging("s", "t")
    except Raised:
        printed.append("select refused")
    assert (printed == ["select refused"]) == cannot
    if cannot:
        return
    (text,) = printed
    casts = sqlglot.parse_one(compiled(text), dialect="duckdb").find_all(sqlglot.exp.Cast)
    assert all(type_sql(type_) for _ in casts)
    (statement,) = sqlglot.parse(compiled(text), dialect="duckdb")
    assert statement is not None
    assert {column.name for column in statement.find_all(sqlglot.exp.Column)} == {name}
    assert {table.name for table in statement.find_all(sqlglot.exp.Table)} == {"src", "source", "renamed"}


PLANT = """\
{% macro plant(columns) %}
    {%- do run_query('create table victim (s text)') -%}
    {%- set quoted = [] -%}
    {%- for name in columns %}{% do quoted.append('"' ~ (name | replace('"', '""')) ~ '" int') %}{% endfor -%}
    {%- do run_query('create table evil (' ~ quoted | join(', ') ~ ')') -%}
    {%- if target.type == 'postgres' %}{% do run_query('commit') %}{% endif -%}
{% endmacro %}
{% macro victims() %}{% do print('rows: ' ~ run_query('select count(*) from victim').rows[0][0]) %}{% endmacro %}
"""


@pytest.mark.dbt
def test_a_table_of_hostile_names(new_shop: NewShop) -> None:
    """Built by a real dbt: every column that a model can hold arrives under its name, and nothing else is run."""
    shop = new_shop("hostile")
    shutil.rmtree(shop.folder / "models")
    (shop.folder / "models").mkdir()
    (shop.folder / "macros").mkdir(exist_ok=True)
    (shop.folder / "macros/plant.sql").write_text(PLANT)
    mapped = ORDINARY + QUOTES
    meta = [
        {"name": name, "quote": True, "config": {"meta": {"schema_embed": {"model": "stg", "column": f"c{i}"}}}}
        for i, name in enumerate(mapped)
    ]
    shop.must("run-operation", "plant", "--args", json.dumps({"columns": NAMES}))
    source = {
        "name": "raw",
        "schema": "main" if shop.target == "duckdb" else "public",
        "tables": [{"name": "evil", "columns": meta}],
    }
    (shop.folder / "models/s.yml").write_text(json.dumps({"version": 2, "sources": [source]}))
    printed = shop.operation("schema_embed_generate_staging", "-q", source_name="raw", table_name="evil")
    assert printed.ok, printed.output
    (shop.folder / "models/stg.sql").write_text(printed.output, encoding="utf-8", newline="")
    built = shop.dbt(shop.folder, "run", "--target", shop.target, **shop.env, SECRET_X="TOPSECRET123")
    assert built.ok, built.output
    assert "rows: 0" in shop.must("run-operation", "victims").output
    (sql,) = (shop.folder / "target/compiled").rglob("stg.sql")
    assert "TOPSECRET123" not in sql.read_text("utf-8")
    shop.must("docs", "generate")
    (model,) = [r for r in read_project(shop.folder, lineage_of=()).relations if r.kind == "model"]
    assert [c.name for c in model.columns] == [f"c{i}" for i in range(len(mapped))]
