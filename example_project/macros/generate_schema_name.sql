{# Schemas as configured, without the target's prefix: raw tables must land where the sources say. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
