{% macro schema_embed_target_model(mapped) %}
    {{ return(adapter.dispatch('schema_embed_target_model', 'dbt_schema_embed')(mapped)) }}
{% endmacro %}

{#- The model that most of the mapped columns feed; of two equals, the one that was named first. -#}
{% macro default__schema_embed_target_model(mapped) %}
    {%- set best = namespace(name=none, count=0) -%}
    {%- for mapping in mapped -%}
        {%- set count = mapped | selectattr('model', 'equalto', mapping.model) | list | length -%}
        {%- if count > best.count -%}
            {%- set best.name = mapping.model -%}
            {%- set best.count = count -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(best.name) }}
{% endmacro %}
