{% macro schema_embed_quoted(name) %}
    {{ return(adapter.dispatch('schema_embed_quoted', 'dbt_schema_embed')(name)) }}
{% endmacro %}

{#- `name` in the engine's quotes, whatever it holds. -#}
{% macro default__schema_embed_quoted(name) %}
    {%- set mark = adapter.quote('x')[0] -%}
    {{ return(adapter.quote(name | replace(mark, mark ~ mark))) }}
{% endmacro %}

{#- BigQuery reads backslashes inside its quotes, and knows no doubled mark. -#}
{% macro bigquery__schema_embed_quoted(name) %}
    {{ return(adapter.quote(name | replace('\\', '\\\\') | replace('`', '\\`'))) }}
{% endmacro %}
