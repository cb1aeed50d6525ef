{% macro schema_embed_source_node(relation) %}
    {{ return(adapter.dispatch('schema_embed_source_node', 'dbt_schema_embed')(relation)) }}
{% endmacro %}

{#- The source table that `relation`, what source() returned, stands for. Not by its text: --empty wraps that. -#}
{% macro default__schema_embed_source_node(relation) %}
    {%- for node in graph.sources.values() -%}
        {%- if relation.identifier == node.identifier and relation.schema == node.schema
            and (relation.database or node.database) == node.database -%}
            {{ return(node) }}
        {%- endif -%}
    {%- endfor -%}
    {%- do exceptions.raise_compiler_error(relation | string ~ ' is no source of this project: pass what source() returns') -%}
{% endmacro %}
