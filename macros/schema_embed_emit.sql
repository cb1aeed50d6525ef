{% macro schema_embed_emit(event, unique_id, facts={}) %}
    {{ return(adapter.dispatch('schema_embed_emit', 'dbt_schema_embed')(event, unique_id, facts)) }}
{% endmacro %}

{% macro default__schema_embed_emit(event, unique_id, facts={}) %}
    {#- `<` is escaped, so no value can end the frame. One event a frame: readers need no state. -#}
    {%- set payload = {'schema_version': 1, 'event': event, 'table': unique_id} -%}
    {%- do payload.update(facts) -%}
    {%- do log('<schema_embed>' ~ (tojson(payload) | replace('<', '\\u003c')) ~ '</schema_embed>', info=True) -%}
{% endmacro %}
