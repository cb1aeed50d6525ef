"""New columns in SQL that people have written: their lines stay byte for byte."""

from dataclasses import replace
from pathlib import Path

import pytest

from dbt_schema_embed.errors import WriteError
from dbt_schema_embed.write.merge import merged
from dbt_schema_embed.write.stage import stage
from tests.write.test_stage import FILE, PROJECT, row

NEW = [("created_at", "created as created_at"), ("total", "total")]
CASES = {
    "trailing commas, an import CTE": """\
{{ config(materialized='view') }}
-- ours, since 2021
with source as (
    select * from {{ source('crm', 'contacts') }}
),
renamed as (
    select
        id as contact_id, -- the key, of course
        lower(email) as email,
        -- from the form
        coalesce(nullif(utm, ''), 'none') as utm_source  -- finance wants none
        -- fed by nothing: total
        -- not mapped: created
    from source
    where id is not null
)
select * from renamed
>>>
        lower(email) as email,
        created as created_at,
        total,
        -- from the form
        coalesce(nullif(utm, ''), 'none') as utm_source  -- finance wants none
    from source
""",
    "leading commas": """\
select
  id as contact_id
  , "E-Mail" as email  -- quoted
  -- the rest is for later
from {{ source('crm', 'contacts') }}
>>>
  , "E-Mail" as email  -- quoted
  , created as created_at
  , total
  -- the rest is for later
from
""",
    "one item": """\
SELECT
    id
FROM {{ source('crm', 'contacts') }}
>>>
SELECT
    created as created_at,
    total,
    id
FROM
""",
    "all on one line": """\
select id, name from {{ source('crm', 'contacts') }}
>>>
select id, created as created_at, total, name from
""",
    "a comma at the end": """\
select
    id,
    name,
from {{ source('crm', 'contacts') }}
>>>
    id,
    name,
    created as created_at,
    total,
from
""",
    "words that look like clauses": """\
select
    extract(year from born) as born_in,
    a is distinct from b as differs,
    (select max(x) from other) as most,
    'select from, where' as "from"
from {{ source('crm', 'contacts') }}
>>>
    (select max(x) from other) as most,
    created as created_at,
    total,
    'select from, where' as "from"
from
""",
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("name", CASES)
def test_where_new_columns_go(name: str, newline: str) -> None:
    old, _, expected = CASES[name].partition(">>>\n")
    settled = ["fed by nothing: total", "not mapped: created"]
    new = merged(old.replace("\n", newline), NEW, [], settled, "m.sql", leading=False)
    assert expected.rstrip("\n").replace("\n", newline) in new
    mine = [line for line in old.splitlines() if "-- fed by" not in line and "-- not mapped" not in line]
    kept = iter(new.split(newline))
    assert "one line" in name or all(line in kept for line in mine)  # each, in its order


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select 1", "m.sql is left as it is: it selects from nothing"),
        (
            "\nselect * from x",
            "m.sql:2 is left as it is: it selects * alone: say there what it selects, or empty the file to have it "
            "written anew",
        ),
        (
            "with a as (select b from c)\nselect d from a",
            "m.sql is left as it is: lines 1 and 2 each list columns",
        ),
        ("select distinct a from b", "m.sql:1 is left as it is: it selects distinct rows"),
        ("select a, count(*) from b group by a", "m.sql:1 is left as it is: it groups"),
        (
            "select a from b left join c using (d)",
            "m.sql:1 is left as it is: it joins, and a bare name could be another table's",
        ),
        ("select a, {% if x %} b {% endif %} from c", "m.sql:1 is left as it is: Jinja decides what it selects"),
        ("select a from (select a, b from c) d", "m.sql:1 is left as it is: it reads a query in brackets"),
        ("select a from b union all select * from c", "m.sql:1 is left as it is: it is part of a union"),
    ],
)
def test_what_is_not_plain_is_refused(sql: str, message: str) -> None:
    with pytest.raises(WriteError) as caught:
        merged(sql, NEW, [], [], "m.sql", leading=False)
    assert caught.value.message == message
    assert caught.value.hint == "add by hand: created as created_at, total"


def test_a_second_run_adds_what_was_accepted_since(tmp_path: Path) -> None:
    path = tmp_path / "models/staging/stg_charges.sql"
    first = replace(FILE, columns=(row("id", "charge_id"), row("amount", "amount", status="suggested")))
    stage(PROJECT, first, tmp_path).sql.write(tmp_path)
    path.write_text(path.read_text().replace("id as charge_id", "upper(id) as charge_id -- as finance does"))
    assert "-- not accepted yet: amount, suggested for amount\n" in path.read_text()
    second = replace(FILE, columns=(row("id", "charge_id"), row("amount", "amount")))
    staged = stage(PROJECT, second, tmp_path)
    assert staged.sql.diff().splitlines()[3:] == [
        " ),",
        " renamed as (",
        "     select",
        "+        cast(amount as bigint) as amount,",
        "         upper(id) as charge_id -- as finance does",
        "-        -- not accepted yet: amount, suggested for amount",
        "         -- not mapped: createdAt",
        "         -- not mapped: order",
        "         -- not mapped: livemode",
        "         -- not mapped: { { evil }}",
        "         -- fed by nothing: created_at",
        "-        -- fed by nothing: amount",
        "         -- fed by nothing: refunded_at",
        "     from source",
        " )",
    ]
    staged.sql.write(tmp_path)
    assert not stage(PROJECT, second, tmp_path).sql.changed
