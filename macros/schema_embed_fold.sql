{% macro schema_embed_fold(name) %}
    {{ return(adapter.dispatch('schema_embed_fold', 'dbt_schema_embed')(name)) }}
{% endmacro %}

{#- What an unquoted name becomes in this engine. -#}
{% macro default__schema_embed_fold(name) %}
    {{ return(name | lower) }}
{% endmacro %}

{% macro snowflake__schema_embed_fold(name) %}
    {{ return(name | upper) }}
{% endmacro %}
