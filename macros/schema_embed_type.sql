{% macro schema_embed_type(text) %}
    {{ return(adapter.dispatch('schema_embed_type', 'dbt_schema_embed')(text)) }}
{% endmacro %}

{#- `text`, if it is a type and can be nothing else in a cast: words and brackets that close; else none. -#}
{% macro default__schema_embed_type(text) %}
    {%- set inner = namespace(text=text if text and text | length <= 500 else '?') -%}
    {%- for _ in range(9) -%}
        {%- set inner.text = modules.re.sub('\\([\\w ,.:]*\\)|\\[\\d*\\]|<[\\w ,.:]*>', '', inner.text) -%}
    {%- endfor -%}
    {#- `(?!\n)`: `$` would let a line end pass. -#}
    {{ return(text if modules.re.match('[A-Za-z_][\\w .]*$(?!\\n)', inner.text) else none) }}
{% endmacro %}
