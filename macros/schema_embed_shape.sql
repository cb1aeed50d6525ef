{% macro schema_embed_shape(expression) %}
    {{ return(adapter.dispatch('schema_embed_shape', 'dbt_schema_embed')(expression)) }}
{% endmacro %}

{#- Every run of letters becomes `a`, every run of digits `9`: `ORD-1042` is `a-9`. -#}
{% macro default__schema_embed_shape(expression) -%}
    {{ return("regexp_replace(regexp_replace(" ~ expression ~ ", '[A-Za-z]+', 'a'), '[0-9]+', '9')") }}
{%- endmacro %}

{#- These two replace only the first match unless told otherwise. -#}
{% macro postgres__schema_embed_shape(expression) -%}
    {{ return("regexp_replace(regexp_replace(" ~ expression ~ ", '[A-Za-z]+', 'a', 'g'), '[0-9]+', '9', 'g')") }}
{%- endmacro %}

{% macro duckdb__schema_embed_shape(expression) -%}
    {{ return(dbt_schema_embed.postgres__schema_embed_shape(expression)) }}
{%- endmacro %}

{% macro redshift__schema_embed_shape(expression) -%}
    {{ return(dbt_schema_embed.default__schema_embed_shape(expression)) }}
{%- endmacro %}
