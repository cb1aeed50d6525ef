{% macro schema_embed_select(
    source_relation, model_name=none, leading_commas=false, case_sensitive_cols=false
) %}
    {{ return(adapter.dispatch('schema_embed_select', 'dbt_schema_embed')(
        source_relation, model_name, leading_commas, case_sensitive_cols
    )) }}
{% endmacro %}

{% macro default__schema_embed_select(
    source_relation, model_name, leading_commas, case_sensitive_cols
) %}
    {#- While dbt parses there is no graph yet; what stands here then is never run. -#}
    {%- if not execute -%}
        {{ return('*') }}
    {%- endif -%}
    {%- set wanted = model_name or model.package_name ~ '.' ~ model.name -%}
    {%- set node = dbt_schema_embed.schema_embed_source_node(source_relation) -%}
    {%- set mapped = dbt_schema_embed.schema_embed_mapped(node, wanted) -%}
    {%- if not mapped -%}
        {%- do exceptions.raise_compiler_error(
            'no column of ' ~ node.source_name ~ '.' ~ node.name ~ ' is mapped to ' ~ (model_name or model.name)
            ~ ': accept mappings, then run dbt-schema-embed apply'
        ) -%}
    {%- endif -%}
    {%- set items = [] -%}
    {%- for mapping in mapped if not mapping.part_of -%}
        {%- do items.append(dbt_schema_embed.schema_embed_item(mapping, case_sensitive_cols)) -%}
    {%- endfor -%}
    {{ return(items | join('\n    , ' if leading_commas else ',\n    ')) }}
{% endmacro %}
