{# The payments API counts in the smallest unit of a currency; our models in whole units. #}
{% macro cents_to_amount(column) -%}
    cast({{ column }} / 100.0 as decimal(16, 2))
{%- endmacro %}
