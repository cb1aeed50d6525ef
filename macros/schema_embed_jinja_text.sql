{% macro schema_embed_jinja_text(text) %}
    {{ return(adapter.dispatch('schema_embed_jinja_text', 'dbt_schema_embed')(text)) }}
{% endmacro %}

{#- `text` as a string of Jinja, on one line. -#}
{% macro default__schema_embed_jinja_text(text) %}
    {%- set inner = text | replace('\\', '\\\\') | replace("'", "\\'") | replace('\n', '\\n') | replace('\r', '\\r') -%}
    {{ return("'" ~ inner ~ "'") }}
{% endmacro %}
