{% macro schema_embed_model_types(model_name) %}
    {{ return(adapter.dispatch('schema_embed_model_types', 'dbt_schema_embed')(model_name)) }}
{% endmacro %}

{#- {column in lower case: data_type or none} of a model, in the order of its YAML; empty where the model has none. -#}
{% macro default__schema_embed_model_types(model_name) %}
    {%- set parts = model_name.split('.') -%}
    {%- set package = parts[0] if parts | length > 1 else project_name -%}
    {%- set here = graph.nodes.get('model.' ~ package ~ '.' ~ parts | last) -%}
    {%- set models = [here] if here else graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') -%}
    {%- set types = {} -%}
    {%- for node in models if node.name == parts | last -%}
        {%- for column in node.columns.values() -%}
            {%- do types.update({column.name | lower: column.get('data_type')}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(types) }}
{% endmacro %}
