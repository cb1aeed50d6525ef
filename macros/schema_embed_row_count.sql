{% macro schema_embed_row_count(relation) %}
    {{ return(adapter.dispatch('schema_embed_row_count', 'dbt_schema_embed')(relation)) }}
{% endmacro %}

{#- A column engine answers this from its metadata. -#}
{% macro default__schema_embed_row_count(relation) -%}
    {{ return('(select count(*) from ' ~ relation ~ ')') }}
{%- endmacro %}

{#- Counting would read the whole table: the planner's estimate serves, and null where there is none. -#}
{% macro postgres__schema_embed_row_count(relation) -%}
    {%- set name = relation | replace("'", "''") -%}
    {%- set estimate = '(select cast(nullif(greatest(reltuples, 0), 0) as bigint) from pg_catalog.pg_class where oid = ' -%}
    {{ return(estimate ~ "cast('" ~ name ~ "' as regclass))") }}
{%- endmacro %}

{% macro redshift__schema_embed_row_count(relation) -%}
    {{ return(dbt_schema_embed.default__schema_embed_row_count(relation)) }}
{%- endmacro %}
