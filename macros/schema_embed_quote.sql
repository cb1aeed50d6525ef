{% macro schema_embed_quote(name, quote=none, case_sensitive_cols=false) %}
    {{ return(adapter.dispatch('schema_embed_quote', 'dbt_schema_embed')(name, quote, case_sensitive_cols)) }}
{% endmacro %}

{#- Quoted where the YAML or the caller says so, and where the bare name would not parse. -#}
{% macro default__schema_embed_quote(name, quote=none, case_sensitive_cols=false) %}
    {#- `(?!\n)`: `$` alone would let a line end pass. -#}
    {%- set plain = modules.re.match('[A-Za-z_][A-Za-z0-9_]*$(?!\\n)', name) -%}
    {%- if quote or case_sensitive_cols or not plain -%}
        {{ return(dbt_schema_embed.schema_embed_quoted(name)) }}
    {%- elif name | lower in dbt_schema_embed.schema_embed_reserved_words() -%}
        {#- A bare name is folded by the engine, so the quoted one must be spelled as the engine folds. -#}
        {{ return(dbt_schema_embed.schema_embed_quoted(dbt_schema_embed.schema_embed_fold(name))) }}
    {%- endif -%}
    {{ return(name) }}
{% endmacro %}
