{% macro schema_embed_sample(relation, row_limit) %}
    {{ return(adapter.dispatch('schema_embed_sample', 'dbt_schema_embed')(relation, row_limit)) }}
{% endmacro %}

{% macro default__schema_embed_sample(relation, row_limit) -%}
    {{ return('select * from ' ~ relation ~ ' limit ' ~ row_limit) }}
{%- endmacro %}

{% macro duckdb__schema_embed_sample(relation, row_limit) -%}
    {{ return('select * from ' ~ relation ~ ' using sample reservoir(' ~ row_limit ~ ' rows) repeatable (42)') }}
{%- endmacro %}

{#- Blocks are sampled by the planner's estimate; a table never analyzed is read from its start. Views have no blocks. -#}
{% macro postgres__schema_embed_sample(relation, row_limit) -%}
    {%- set sample = '' -%}
    {%- if relation.is_table -%}
        {%- set sample -%}
            {# #} tablesample system ((
                select case when reltuples > {{ row_limit }} then 100.0 * {{ row_limit }} / reltuples else 100 end
                from pg_catalog.pg_class where oid = cast('{{ relation | replace("'", "''") }}' as regclass)
            )) repeatable (42)
        {%- endset -%}
    {%- endif -%}
    {{ return('select * from ' ~ relation ~ sample ~ ' limit ' ~ row_limit) }}
{%- endmacro %}

{#- Redshift inherits from Postgres in dbt, but has no tablesample. -#}
{% macro redshift__schema_embed_sample(relation, row_limit) -%}
    {{ return(dbt_schema_embed.default__schema_embed_sample(relation, row_limit)) }}
{%- endmacro %}

{% macro snowflake__schema_embed_sample(relation, row_limit) -%}
    {{ return('select * from ' ~ relation ~ ' sample (' ~ row_limit ~ ' rows)') }}
{%- endmacro %}

{#- `limit` alone would still be billed for the whole table. -#}
{% macro bigquery__schema_embed_sample(relation, row_limit) -%}
    {%- set percent = var('schema_embed_bigquery_sample_percent', 100) -%}
    {%- set sample = ' tablesample system (' ~ percent ~ ' percent)' if percent < 100 and relation.is_table else '' -%}
    {{ return('select * from ' ~ relation ~ sample ~ ' limit ' ~ row_limit) }}
{%- endmacro %}
