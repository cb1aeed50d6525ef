{% macro schema_embed_profile(
    select=none, exclude=none, source_name=none, table_name=none, row_limit=10000, top_values=100,
    include_values=false
) %}
    {{ return(adapter.dispatch('schema_embed_profile', 'dbt_schema_embed')(
        select, exclude, source_name, table_name, row_limit, top_values, include_values
    )) }}
{% endmacro %}

{% macro default__schema_embed_profile(
    select, exclude, source_name, table_name, row_limit, top_values, include_values
) %}
    {%- if execute -%}
        {%- if source_name -%}
            {%- set select = [source_name ~ '.' ~ table_name if table_name else source_name] -%}
        {%- endif -%}
        {%- set nodes = dbt_schema_embed.schema_embed_sources(select, exclude) -%}
        {%- if not nodes -%}
            {%- set asked = select if select is string else (select or []) | join(' ') -%}
            {%- do exceptions.raise_compiler_error('no source table is called ' ~ asked) -%}
        {%- endif -%}
        {%- for node in nodes -%}
            {%- do dbt_schema_embed.schema_embed_profile_table(node, row_limit, top_values, include_values) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
