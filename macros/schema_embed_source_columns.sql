{% macro schema_embed_source_columns(node) %}
    {{ return(adapter.dispatch('schema_embed_source_columns', 'dbt_schema_embed')(node)) }}
{% endmacro %}

{#- {name: type} of a source table: from the warehouse, or from its YAML where the table is not there. -#}
{% macro default__schema_embed_source_columns(node) %}
    {%- set types = {} -%}
    {%- set relation = load_relation(source(node.source_name, node.name)) -%}
    {%- if relation is none -%}
        {%- for column in node.columns.values() -%}
            {%- do types.update({column.name: column.get('data_type')}) -%}
        {%- endfor -%}
    {%- else -%}
        {%- for column in adapter.get_columns_in_relation(relation) -%}
            {%- do types.update({column.name: column.data_type}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(types) }}
{% endmacro %}
