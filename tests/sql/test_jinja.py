"""plain_sql: what is left of raw dbt SQL."""

import pytest

from dbt_schema_embed.sql.jinja import plain_sql


@pytest.mark.parametrize(
    ("raw", "sql", "relations"),
    [
        ("select 1", "select 1", {}),
        ("a {{ ref('x') }} b", "a dse_relation_1 b", {"dse_relation_1": "ref:x"}),
        ("{{ref(\"p\", 'x')}}", "dse_relation_1", {"dse_relation_1": "ref:p.x"}),
        ("{{- ref('x', v=2) -}}", "dse_relation_1", {"dse_relation_1": "ref:x.v2"}),
        ("{{ ref('x', version='3') }}", "dse_relation_1", {"dse_relation_1": "ref:x.v3"}),
        ("{{ source('a', 'b') }}", "dse_relation_1", {"dse_relation_1": "source:a.b"}),
        ("{{ config(x={'a': 1}) }}s", "s", {}),
        ("{{ config(meta={'a': {'b': 1}}, x='}}') }}s", "s", {}),
        ("{% snapshot x %}{{ config(a=1) }}s{% endsnapshot %}", " s ", {}),
        ("a{# {% if %} {{ #}b", "a b", {}),
        ("{% if is_incremental() %} where {{ this }} {% endif %}z", " z", {}),
        ("{% set x = [1, 2] %}z", " z", {}),
        ("{{ var('x') }} {{ m.n() }}", "dse_jinja_1 dse_jinja_2", {}),
        ("{{ ref(model_name) }}", "dse_jinja_1", {}),
        ("{{ source('a') }}", "dse_jinja_1", {}),
    ],
)
def test_plain_jinja(raw: str, sql: str, relations: dict[str, str]) -> None:
    assert plain_sql(raw) == (sql, relations)


@pytest.mark.parametrize(
    "raw",
    [
        "{% for c in x %}{{ c }}{% endfor %}",
        "{% if x %}a{% else %}b{% endif %}",
        "{% if is_incremental() %}{% if x %}a{% endif %}{% endif %}",
        "{% set x %}a{% endset %}",
        "{{ unclosed",
    ],
)
def test_jinja_that_shapes_the_sql(raw: str) -> None:
    assert plain_sql(raw) is None
