{% macro schema_embed_profile_sql(
    relation, columns, row_limit, top_values, include_values
) %}
    {{ return(adapter.dispatch('schema_embed_profile_sql', 'dbt_schema_embed')(
        relation, columns, row_limit, top_values, include_values
    )) }}
{% endmacro %}

{#-
    One row a fact, told apart by `fact`: the table's row counts, a column's statistics, a frequent value, a frequent
    shape. Long, because a row with ten statistics for each of 300 columns is wider than some engines allow. Only
    functions that all engines have; `schema_embed_sample` and its sisters hold what differs.
-#}
{% macro default__schema_embed_profile_sql(
    relation, columns, row_limit, top_values, include_values
) %}
    {%- set text = dbt.type_string() -%}
    {%- set number = dbt.type_float() -%}
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
        case when {{ name }} is not null then '' end as cell,
        0 as cell_length,
        {%- else -%}
        substr(cast({{ name }} as {{ text }}), 1, 200) as cell,
        length(cast({{ name }} as {{ text }})) as cell_length,
        {%- endif %}
        cast({{ name if kind == 'number' else 'null' }} as {{ number }}) as cell_number
    from sampled
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),
counted as (
    select
        place, cell, count(*) as times, min(cell_length) as shortest, max(cell_length) as longest,
        sum(cell_length) as characters, min(cell_number) as lowest, max(cell_number) as highest
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
    cast({{ dbt_schema_embed.schema_embed_row_count(relation) }} as {{ whole }}) as distinct_count,
    {{ nothing }} as lowest, {{ nothing }} as highest,
    cast(null as {{ whole }}) as shortest, cast(null as {{ whole }}) as longest, cast(null as {{ number }}) as mean_length
from sampled
union all
select
    'column', place, {{ nothing }}, cast(sum(times) as {{ whole }}), cast(count(*) as {{ whole }}),
    {%- if include_values %}
    coalesce(cast(min(lowest) as {{ text }}), min(cell)), coalesce(cast(max(highest) as {{ text }}), max(cell)),
    {%- else %}
    cast(min(lowest) as {{ text }}), cast(max(highest) as {{ text }}),
    {%- endif %}
    cast(min(shortest) as {{ whole }}), cast(max(longest) as {{ whole }}),
    cast(sum(characters) * 1.0 / sum(times) as {{ number }})
from counted
group by place
union all
select
    'shape', place, shape, cast(times as {{ whole }}), cast(null as {{ whole }}), {{ nothing }}, {{ nothing }},
    cast(null as {{ whole }}), cast(null as {{ whole }}), cast(null as {{ number }})
from shapes
{%- if include_values %}
union all
select
    'value', place, cell, cast(times as {{ whole }}), cast(null as {{ whole }}), {{ nothing }}, {{ nothing }},
    cast(null as {{ whole }}), cast(null as {{ whole }}), cast(null as {{ number }})
from ranked
where standing <= {{ top_values }}
{%- endif %}
order by 1, 2, 4 desc, 3
{% endmacro %}
