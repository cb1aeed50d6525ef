{% macro schema_embed_comment(text) %}
    {{ return(adapter.dispatch('schema_embed_comment', 'dbt_schema_embed')(text)) }}
{% endmacro %}

{#-
    `text` as one line of comment in a model: line ends and other controls are written out (`\r`), and nothing in it opens
    Jinja. `stage` writes the same (write/sql_names.py).
-#}
{% macro default__schema_embed_comment(text) %}
    {%- set unsafe = '[\\x00-\\x1f\\x7f-\\x9f\\u00ad\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]' -%}
    {%- if modules.re.search(unsafe, text) -%}
        {#- dbt 2 leaves what is not ASCII as it is. -#}
        {%- set text = modules.re.sub(unsafe, '?', tojson(text)[1:-1]) -%}
    {%- endif -%}
    {{ return(modules.re.sub('\\{(?=[{%#])', '{ ', text)) }}
{% endmacro %}
