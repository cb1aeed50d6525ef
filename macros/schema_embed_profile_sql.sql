{% macro schema_embed_profile_sql(
    relation, columns, row_limit, top_values, include_values
) %}
    {{ return(adapter.dispatch('schema_embed_profile_sql', 'dbt_schema_embed')(
        relation, columns, row_limit, top_values, include_values
    )) }}
{% endmacro %}

{#-
    One row a fact, told apart by `fact`: the table's row counts, a column's statistics, a frequent value, a frequent
    shape. Long, because a row with the statistics of 300 columns is wider than some engines allow. Only
    functions that all engines have; `schema_embed_sample` and its sisters hold what differs.
-#}
{% macro default__schema_embed_profile_sql(
    relation, columns, row_limit, top_values, include_values
) %}
    {%- set text = dbt.type_string() -%}
    {%- set whole = dbt.type_bigint() -%}
    {%- set nothing = 'cast(null as ' ~ text ~ ')' -%}
with sampled as (
    {{ dbt_schema_embed.schema_embed_sample(relation, row_limit) }}
),
cells as (
    {%- for column in columns %}
    {%- set kind = dbt_schema_embed.schema_embed_type_kind(column.data_type) %}
    {%- set name = dbt_schema_embed.schema_embed_quote(column.name, quote=true) %}
    select
        {{ loop.index0 }} as place,
        {% if kind == 'opaque' -%}
        case when {{ name }} is not null then '' end as cell
        {%- else -%}
        substr(cast({{ name }} as {{ text }}), 1, 200) as cell
        {%- endif %}
    from sampled
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),
counted as (
    select place, cell, count(*) as times
    from cells
    where cell is not null
    group by place, cell
),
ranked as (
    select place, cell, times, row_number() over (partition by place order by times desc, cell) as standing
    from counted
),
shapes as (
    select place, {{ dbt_schema_embed.schema_embed_shape('cell') }} as shape, sum(times) as times
    from ranked
    where standing <= {{ top_values }}
    group by 1, 2
)
select
    'table' as fact, -1 as place, {{ nothing }} as item,
    cast(count(*) as {{ whole }}) as times,
    cast({{ dbt_schema_embed.schema_embed_row_count(relation) }} as {{ whole }}) as distinct_count
from sampled
union all
select
    'column', place, {{ nothing }}, cast(sum(times) as {{ whole }}), cast(count(*) as {{ whole }})
from counted
group by place
union all
select
    'shape', place, shape, cast(times as {{ whole }}), cast(null as {{ whole }})
from shapes
{%- if include_values %}
union all
select
    'value', place, cell, cast(times as {{ whole }}), cast(null as {{ whole }})
from ranked
where standing <= {{ top_values }}
{%- endif %}
order by 1, 2, 4 desc, 3
{% endmacro %}
