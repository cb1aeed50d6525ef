"""A staging model from a mapping: what dbt will run, and what people will read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlglot
import yaml

from dbt_schema_embed.errors import ConfigError, SchemaEmbedError, WriteError
from dbt_schema_embed.records import Column, MappingFile, MappingRow, Project, Relation
from dbt_schema_embed.write.stage import StageOptions, stage

SOURCE = Relation(
    "source.shop.stripe.charges",
    "charges",
    "source",
    (
        Column("id", "varchar", "Key of the charge."),
        Column("amount", "integer"),
        Column("createdAt", "varchar", quoted=True),
        Column("order", "varchar"),
        Column("livemode", "boolean"),
        Column("{{ evil }}", "varchar"),
        Column("dropped", "varchar", absent=True),
    ),
    source_name="stripe",
    description="One row a charge.",
    package="shop",
    path="models/staging/_sources.yml",
    in_catalog=True,
    complete=True,
)
PLANNED = Relation(
    "model.shop.stg_charges",
    "stg_charges",
    "model",
    (
        Column("created_at", "timestamp"),
        Column("charge_id", "varchar"),
        Column("amount", "bigint"),
        Column("refunded_at", "timestamp"),
    ),
    package="shop",
    path="models/staging/stg_charges.sql",
)
PROJECT = Project("shop", "duckdb", (PLANNED, SOURCE))


def row(column: str, target: str | None, model: str = "stg_charges", status: Any = "accepted") -> MappingRow:
    return MappingRow(column, model if target else None, target, status=status)


FILE = MappingFile(
    "schema_mappings/stripe__charges.yml",
    "stripe.charges",
    (
        row("id", "charge_id"),
        row("AMOUNT", "amount"),
        row("createdAt", "created_at"),
        row("order", "order_no", "other"),
        row("gone", "gone_at"),
        row("dropped", "dropped_at"),
        row("livemode", "refunded_at", status="rejected"),
    ),
)
SQL = """\
with source as (
    select * from {{ source('stripe', 'charges') }}
),
renamed as (
    select
        cast("createdAt" as timestamp) as created_at,
        id as charge_id,
        cast(amount as bigint) as amount
        -- not in the table: gone, mapped to gone_at
        -- not in the table: dropped, mapped to dropped_at
        -- not mapped: livemode
        -- not mapped: { { evil }}
        -- fed by nothing: refunded_at
    from source
)
select * from renamed
"""


def test_the_sql(tmp_path: Path) -> None:
    staged = stage(PROJECT, FILE, tmp_path)
    assert (staged.model, staged.sql.text, staged.yaml) == ("stg_charges", SQL, None)
    assert staged.sql.shown == "models/staging/stg_charges.sql"
    assert staged.sql.write(tmp_path)
    assert (tmp_path / "models/staging/stg_charges.sql").read_text() == SQL


def test_the_projects_style_and_wishes(tmp_path: Path) -> None:
    example = "WITH\n\nraw AS (\n\n  SELECT *\n\n)\n\nSELECT\n  a\n  , b\nFROM raw\n"
    options = StageOptions(case_sensitive_cols=True, materialized="view")
    text = stage(PROJECT, FILE, tmp_path, [example, example], options).sql.text
    assert text.startswith(
        "{{ config(materialized='view') }}\n\nWITH\n\nraw AS (\n\n  SELECT * FROM {{ source('stripe', 'charges') }}\n"
        '\n)\n\nSELECT\n  cast("createdAt" as timestamp) as created_at\n  , "id" as charge_id\n'
        '  , cast("amount" as bigint) as amount\n'
    )
    trailing = stage(PROJECT, FILE, tmp_path, [example], replace(options, leading_commas=False)).sql.text
    assert "created_at,\n" in trailing


def test_a_contract_wants_exact_types(tmp_path: Path) -> None:
    columns = (*PLANNED.columns[:1], Column("charge_id", "text"))
    for contract, item in ((False, "id as charge_id"), (True, "cast(id as text) as charge_id")):
        model = replace(PLANNED, columns=columns, contract=contract)
        text = stage(replace(PROJECT, relations=(model, SOURCE)), FILE, tmp_path).sql.text
        assert f"        {item}" in text


def test_a_new_model_gets_yaml(tmp_path: Path) -> None:
    staged = stage(PROJECT, FILE, tmp_path, options=StageOptions(model="other"))
    assert staged.sql.shown == "models/staging/other.sql"
    assert '"order" as order_no' in staged.sql.text
    assert staged.yaml is not None
    assert staged.yaml.shown == "models/staging/other.yml"
    assert staged.yaml.text == (
        "version: 2\nmodels:\n  - name: other\n    description: One row a charge.\n    columns:\n"
        "      - name: order_no\n        data_type: varchar\n"
    )
    undocumented = replace(PROJECT, relations=(replace(PLANNED, columns=()), SOURCE))
    yaml_text = stage(undocumented, FILE, tmp_path).yaml
    assert yaml_text is not None
    assert yaml.safe_load(yaml_text.text)["models"][0]["columns"][0] == {
        "name": "charge_id", "description": "Key of the charge.", "data_type": "varchar"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "shapes", "house", "item", "type_"),
    [
        ("varchar", (), ("timestamp", "timestamp without time zone"), "cast(at_ as timestamp) as seen_at", "timestamp"),
        ("varchar", ("9-9-9",), ("timestamp",), "cast(at_ as timestamp) as seen_at", "timestamp"),
        ("varchar", ("9/9/9",), ("timestamp",), "at_ as seen_at", "varchar"),
        ("varchar", (), ("timestamp", "varchar"), "at_ as seen_at", "varchar"),
        ("varchar", (), (None,), "at_ as seen_at", "varchar"),
        ("date", (), ("timestamp",), "cast(at_ as timestamp) as seen_at", "timestamp"),
        ("timestamp", (), ("date",), "at_ as seen_at", "timestamp"),
        ("timestamptz", (), ("timestamp",), "at_ as seen_at", "timestamptz"),
        (None, (), ("timestamp",), "at_ as seen_at", None),
    ],
)
def test_a_new_column_is_of_the_houses_type(
    raw: str | None,
    shapes: tuple[str, ...],
    house: tuple[str | None, ...],
    item: str,
    type_: str | None,
    tmp_path: Path,
) -> None:
    """What the project's models call so is of one kind: text and what fits without loss is cast to it."""
    source = replace(SOURCE, columns=(Column("at_", raw, shapes=shapes),))
    models = [Relation(f"model.shop.m{i}", f"m{i}", "model", (Column("Seen_At", t),)) for i, t in enumerate(house)]
    file = MappingFile("m.yml", "stripe.charges", (row("at_", "seen_at", "new"),))
    staged = stage(Project("shop", "duckdb", (source, *models)), file, tmp_path)
    assert f"        {item}\n" in staged.sql.text
    assert ("-- not cast: at_ to timestamp, for values look like 9/9/9;" in staged.sql.text) is (shapes == ("9/9/9",))
    assert staged.yaml is not None
    (column,) = yaml.safe_load(staged.yaml.text)["models"][0]["columns"]
    assert column.get("data_type") == type_


@pytest.mark.parametrize(
    ("name", "raw", "type_"),
    [
        ("paid_at", Column("x", "varchar", shapes=("9-9-9 9:9:9", "9-9-9")), "timestamp"),
        ("paid_at", Column("x", "varchar"), None),  # nobody has looked
        ("paid_at", Column("x", "varchar", shapes=("9-9-9", "9/9/9")), None),
        ("paid_at", Column("x", "varchar", shapes=("9-9-9",), values=("03-01-2024",)), None),
        ("paid_at", Column("x", "date"), "timestamp"),
        ("paid_at", Column("x", "integer"), None),
        ("due_date", Column("x", "varchar", shapes=("9-9-9",), values=("2024-01-03",)), "date"),
        ("due_date", Column("x", "timestamp"), None),  # would lose the time of day
        ("is_paid", Column("x", "varchar", values=("true", "False")), "boolean"),
        ("is_paid", Column("x", "varchar", values=("true", "yes")), None),
        ("is_paid", Column("x", "varchar", shapes=("a",)), None),
        ("is_paid", Column("x", "integer"), None),
        ("net_amount", Column("x", "varchar", shapes=("9.9", "-9")), "decimal(38, 9)"),
        ("net_amount", Column("x", "varchar", shapes=("9.9", "9,9")), None),
        ("net_amount", Column("x", "integer"), None),
        ("net_weight", Column("x", "varchar", shapes=("9.9",)), None),
    ],
)  # fmt: skip
def test_the_end_of_a_name_says_a_type_where_the_values_allow_it(
    name: str, raw: Column, type_: str | None, tmp_path: Path
) -> None:
    """The project has no column of that name: nothing is cast that could fail, and a cast of text is said."""
    file = MappingFile("m.yml", "stripe.charges", (row("x", name, "new"),))
    text = stage(Project("shop", "duckdb", (replace(SOURCE, columns=(raw,)),)), file, tmp_path).sql.text
    assert f"        {f'cast(x as {type_})' if type_ else 'x'} as {name}\n" in text
    said = f"-- cast to {type_} for its name, and for the values that were looked at: {name}\n"
    assert (said in text) is (type_ is not None and raw.type == "varchar")


@pytest.mark.parametrize(("house", "cast"), [(("timestamptz",), "timestamptz"), (("timestamp", "date"), None)])
def test_the_projects_own_columns_of_that_ending_come_first(
    house: tuple[str, ...], cast: str | None, tmp_path: Path
) -> None:
    source = replace(SOURCE, columns=(Column("x", "varchar", shapes=("9-9-9",)),))
    models = [Relation(f"model.shop.m{i}", f"m{i}", "model", (Column(f"a{i}_at", t),)) for i, t in enumerate(house)]
    file = MappingFile("m.yml", "stripe.charges", (row("x", "paid_at", "new"),))
    text = stage(Project("shop", "duckdb", (source, *models)), file, tmp_path).sql.text
    assert (f"cast(x as {cast}) as paid_at" if cast else "        x as paid_at") in text


def test_descriptions_that_open_jinja_stay_out(tmp_path: Path) -> None:
    source = replace(SOURCE, description="{{ run_query('x') }}")
    staged = stage(replace(PROJECT, relations=(source,)), FILE, tmp_path, options=StageOptions(model="other"))
    assert staged.yaml is not None
    assert "run_query" not in staged.yaml.text


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "models/staging/stg_charges.sql"
    path.parent.mkdir(parents=True)
    path.write_text("\n  \n")
    blank = stage(PROJECT, FILE, tmp_path)
    path.write_text("select 1")
    with pytest.raises(WriteError, match="was changed by somebody else"):
        blank.sql.write(tmp_path)
    with pytest.raises(WriteError) as caught:
        stage(PROJECT, FILE, tmp_path)
    assert str(caught.value) == (
        "models/staging/stg_charges.sql is left as it is: it does not read stripe.charges\n"
        "  name another model with --model, or add the columns by hand"
    )
    assert path.read_text() == "select 1"


@pytest.mark.parametrize(
    ("project", "file", "options", "message"),
    [
        (
            PROJECT, replace(FILE, columns=()), StageOptions(),
            "no row of schema_mappings/stripe__charges.yml is accepted\n"
            "  set status: accepted, or use dbt-schema-embed accept",
        ),
        (
            PROJECT, FILE, StageOptions(model="nothing"),
            "no accepted row of schema_mappings/stripe__charges.yml feeds nothing\n  accept some first",
        ),
        (
            PROJECT, replace(FILE, source="a.b"), StageOptions(),
            "source a.b of schema_mappings/stripe__charges.yml is not in the project\n  run: dbt-schema-embed check",
        ),
        (
            replace(PROJECT, relations=(SOURCE, replace(SOURCE, id="x", package="x"), PLANNED)), FILE, StageOptions(),
            "source stripe.charges of schema_mappings/stripe__charges.yml is declared by several packages\n"
            "  run: dbt-schema-embed check",
        ),
        (
            replace(PROJECT, relations=(SOURCE, replace(PLANNED, package="fivetran"))), FILE, StageOptions(),
            "model stg_charges belongs to the package fivetran",
        ),
        (
            PROJECT, replace(FILE, columns=(row("id", "charge_id", "{{ evil }}"),)), StageOptions(),
            "model '{{ evil }}' cannot be written: dbt would take its name for Jinja",
        ),
        *(
            (
                replace(PROJECT, relations=(SOURCE, replace(PLANNED, path=path))), FILE, StageOptions(),
                f"model stg_charges would be written to {path}, which is no place of a model\n"
                "  run dbt parse, so that the manifest says where it is",
            )
            for path in (".git/hooks/pre-commit", ".github/x.sql", "models/setup.py", "models/x")
        ),
        (
            PROJECT, replace(FILE, columns=(row("{{ evil }}", "charge_id"),)), StageOptions(),
            "column '{{ evil }}' cannot be written in a model: dbt would take it for Jinja",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_staged(
    tmp_path: Path, project: Project, file: MappingFile, options: StageOptions, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        stage(project, file, tmp_path, options=options)
    assert str(caught.value) == message


def test_a_folder_where_the_model_would_be(tmp_path: Path) -> None:
    (tmp_path / "models/staging/stg_charges.sql").mkdir(parents=True)
    with pytest.raises(WriteError, match=r"stg_charges\.sql cannot be read: Is a directory"):
        stage(PROJECT, FILE, tmp_path)


def test_a_model_outside_the_project_is_not_written(tmp_path: Path) -> None:
    project = replace(PROJECT, relations=(SOURCE, replace(PLANNED, path="../out.sql")))
    inside = tmp_path / "project"
    inside.mkdir()
    with pytest.raises(SchemaEmbedError):
        stage(project, FILE, inside).sql.write(inside)
    assert list(tmp_path.iterdir()) == [inside]


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "snowflake", "bigquery", "redshift", "databricks"])
def test_every_dialect_parses_it(tmp_path: Path, dialect: str) -> None:
    names = ("id", "order", "a b", 'a"b', "a`b", "group", "2fa", "createdAt")
    source = replace(SOURCE, columns=tuple(Column(name, "varchar") for name in names))
    rows = tuple(row(name, f"c{i}", "m") for i, name in enumerate(names))
    text = stage(Project("shop", dialect, (source,)), replace(FILE, columns=rows), tmp_path).sql.text
    query = sqlglot.parse_one(text.replace("{{ source('stripe', 'charges') }}", "raw.charges"), dialect=dialect)
    renamed = query.find_all(sqlglot.exp.Alias)
    assert {(alias.this.name, alias.alias) for alias in renamed if isinstance(alias.this, sqlglot.exp.Column)} == {
        (name.upper() if dialect == "snowflake" and name in ("order", "group") else name, f"c{i}")
        for i, name in enumerate(names)
    }


def test_expressions_several_columns_casts_that_fail_and_notes(tmp_path: Path) -> None:
    source = replace(
        SOURCE,
        columns=(
            Column("first", "varchar"), Column("last", "varchar"), Column("Visit Date", "varchar", shapes=("9/9/9",)),
            Column("born", "bigint"), Column("full", "varchar"), Column("street", "varchar"), Column("zip", "varchar"),
            Column("maybe", "varchar"), Column("house", "varchar"),
        ),
    )  # fmt: skip
    model = replace(PLANNED, columns=(Column("name"), Column("visited_at", "timestamp"), Column("born_on", "date")))
    rows = (
        replace(row("first", "name"), others=("last",), expression="first || ' ' || last", note="as in CRM"),
        row("Visit Date", "visited_at"),
        row("born", "born_on"),
        replace(row("full", "first_name"), expression="split_part(full, ' ', 1)"),
        replace(row("full", "last_name"), expression="split_part(full, ' ', 2)"),
        row("street", "address"),
        row("house", "address"),
        replace(row("zip", "place"), others=("street",)),
        row("maybe", "name_2", status="suggested"),
    )
    file = replace(FILE, columns=rows, undecided=("zip",))
    text = stage(replace(PROJECT, relations=(model, source)), file, tmp_path).sql.text
    assert text.split("    select\n")[1].split("    from")[0] == (
        "        first || ' ' || last as name,\n"
        '        "Visit Date" as visited_at,\n'
        "        born as born_on,\n"
        "        split_part(full, ' ', 1) as first_name,\n"
        "        split_part(full, ' ', 2) as last_name,\n"
        "        street as address\n"
        "        -- name: as in CRM\n"
        "        -- not cast: Visit Date to timestamp, for values look like 9/9/9; an expression can say how\n"
        "        -- not cast: born to date, for engines read no number as a date; an expression can say how\n"
        "        -- also mapped to address: house; one row with an expression over all of them joins them\n"
        "        -- not written: place, for zip, street are to be joined and no expression says how\n"
        "        -- not accepted yet: maybe, suggested for name_2\n"
    )
    bad = replace(file, columns=(replace(rows[0], expression="first || other", line=7),))
    with pytest.raises(ConfigError) as caught:
        stage(replace(PROJECT, relations=(model, source)), bad, tmp_path)
    assert str(caught.value) == (
        "schema_mappings/stripe__charges.yml:7: the expression takes other, which its row does not name\n"
        "  mend it in the file"
    )


def test_what_sql_did_that_is_gone_is_staged_again(tmp_path: Path) -> None:
    file = replace(FILE, columns=(row("id", "charge_id"), row("amount", "amount", status="existing")))
    text = stage(PROJECT, file, tmp_path).sql.text
    assert "cast(amount as bigint) as amount\n" in text
    assert "-- as SQL that is gone had it, which may have done more: amount\n" in text


OWN = """\
select
    id as charge_id, -- the key
    {line}
    -- not written: total, for amount are to be joined and no expression says how
from {{{{ source('stripe', 'charges') }}}}
"""


@pytest.mark.parametrize(
    "line",
    [
        "amount as total", "cast(amount as bigint) as total", "cast(amount as decimal(8, 2)) as total", "id  as  total",
        '"createdAt" as total',
    ],
)  # fmt: skip
def test_an_expression_accepted_later_takes_the_place_of_our_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "models/staging/stg_charges.sql"
    path.parent.mkdir(parents=True)
    path.write_text(OWN.format(line=line))
    later = replace(row("amount", "total"), expression="amount / 100.0", line=9)
    file = replace(FILE, columns=(row("id", "charge_id"), later, row("livemode", "is_live")))
    text = stage(PROJECT, file, tmp_path).sql.text
    assert text == (
        "select\n    id as charge_id, -- the key\n    livemode as is_live,\n    amount / 100.0 as total\n"
        "from {{ source('stripe', 'charges') }}\n"
    )
    path.write_text(text)
    assert stage(PROJECT, file, tmp_path).sql.text == text


@pytest.mark.parametrize(
    "line", ["amount / 10 as total", "coalesce(amount, 0) as total", "cast(amount + 1 as int) as total"]
)
def test_a_line_of_their_own_stays_and_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "models/staging/stg_charges.sql"
    path.parent.mkdir(parents=True)
    path.write_text(OWN.format(line=line))
    later = replace(row("amount", "total"), expression="amount / 100.0", line=9)
    with pytest.raises(WriteError) as caught:
        stage(PROJECT, replace(FILE, columns=(later,)), tmp_path)
    assert str(caught.value) == (
        "models/staging/stg_charges.sql:3 is left as it is: it makes total in a way of its own, and "
        "schema_mappings/stripe__charges.yml:9 has another\n"
        "  write there: amount / 100.0 as total; or bring the expression in line with the SQL"
    )


def test_a_new_model_tests_what_the_source_promises(tmp_path: Path) -> None:
    columns = (Column("id", "int", unique=True, not_null=True), Column("amount", "int", not_null=True))
    project = Project("shop", "duckdb", (replace(SOURCE, columns=columns),))
    file = replace(FILE, columns=(row("id", "charge_id", "new"), row("amount", "amount", "new")))
    made = stage(project, file, tmp_path).yaml
    assert made is not None
    assert [c["data_tests"] for c in yaml.safe_load(made.text)["models"][0]["columns"]] == [
        ["unique", "not_null"], ["not_null"],
    ]  # fmt: skip
