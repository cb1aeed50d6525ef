{% macro schema_embed_type_kind(data_type) %}
    {{ return(adapter.dispatch('schema_embed_type_kind', 'dbt_schema_embed')(data_type)) }}
{% endmacro %}

{% macro default__schema_embed_type_kind(data_type) %}
    {%- set type = data_type | lower -%}
    {#- Nested and binary types first: `struct<a int64>` also has the word of a number in it. -#}
    {%- set opaque = modules.re.search(
        'struct|record|array|list|map|json|variant|object|super|bytea|blob|binary|bytes|geo|vector|union|\\[', type
    ) -%}
    {%- if opaque -%}
        {{ return('opaque') }}
    {%- endif -%}
    {%- set number = modules.re.match(
        'u?(big|small|tiny|huge|byte)?int(eger|\\d*)\\b|(big)?num(ber|eric)|(big)?dec(imal)?\\b|float|double|real|long\\b|short\\b', type
    ) -%}
    {{ return('number' if number else 'text') }}
{% endmacro %}
