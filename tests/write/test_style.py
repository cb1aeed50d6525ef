"""A new staging model looks like the ones the project has."""

import pytest

from dbt_schema_embed.write.style import Style, learn_style, staging_text
from tests.doubling import assert_linear

AIRY = """\
with

source as (

    select * from {{ source('stripe', 'charges') }}

),

renamed as (

    select
        id as charge_id,
        amount
        -- not mapped: x

    from source

)

select * from renamed
"""
DENSE = """\
WITH src AS (
  SELECT * FROM {{ source('stripe', 'charges') }}
)
SELECT
  id as charge_id
  , amount
  -- not mapped: x
FROM src
"""
BARE = """\
{{ config(materialized='view') }}

select
    id as charge_id,
    amount
    -- not mapped: x
from {{ source('stripe', 'charges') }}
"""


@pytest.mark.parametrize(
    ("text", "style", "head"),
    [
        (AIRY, Style(airy=True), ""),
        (DENSE, Style(("src",), leading_commas=True, upper=True, indent=2), ""),
        (BARE, Style(()), "{{ config(materialized='view') }}"),
    ],
    ids=["airy", "dense", "bare"],
)
def test_what_is_written_teaches_the_same(text: str, style: Style, head: str) -> None:
    items = ["id as charge_id", "amount"]
    assert staging_text(style, "{{ source('stripe', 'charges') }}", items, ["not mapped: x"], head) == text
    assert learn_style([text, text.replace("\n", "\r\n")]) == style


def test_habits_of_one_model_alone_are_not_the_projects() -> None:
    assert learn_style([]) == Style()
    assert learn_style([DENSE]).ctes == ("source", "renamed")
    three = AIRY.replace("\nselect * from renamed", ",\n\nlast as (\n\n    select 1\n\n)")
    assert learn_style([three, three]).ctes == ("source", "renamed")


def test_the_majority_decides() -> None:
    assert learn_style([AIRY, AIRY, DENSE]) == Style(airy=True)
    assert learn_style([AIRY, DENSE, DENSE]).ctes == ("src",)


@pytest.mark.parametrize("piece", ["\n", " ", "\t\n", " as (\n", ", ", "with a as (\n ", "  select", " as (   "])
def test_learning_takes_time_in_proportion(piece: str) -> None:
    assert_linear(lambda size: learn_style(["x" + piece * (size // len(piece)) + "x"]), 90_000)
