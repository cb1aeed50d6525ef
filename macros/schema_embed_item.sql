{% macro schema_embed_item(mapping, case_sensitive_cols=false) %}
    {{ return(adapter.dispatch('schema_embed_item', 'dbt_schema_embed')(mapping, case_sensitive_cols)) }}
{% endmacro %}

{#-
    One item of a select list: `id as charge_id`, `cast(crt_dt as timestamp) as created_at`, `email` alone, or the mapping's
    own expression. A type that the mapping names is cast to; else the model's is, where it is another one.
-#}
{% macro default__schema_embed_item(mapping, case_sensitive_cols=false) %}
    {%- set from_name = dbt_schema_embed.schema_embed_quote(mapping.source_column, mapping.quote, case_sensitive_cols) -%}
    {%- set to_name = dbt_schema_embed.schema_embed_quote(mapping.column) -%}
    {%- if mapping.expression -%}
        {{ return(mapping.expression ~ ' as ' ~ to_name) }}
    {%- endif -%}
    {%- set type = none -%}
    {%- if not mapping.not_cast -%}
        {%- if mapping.type -%}
            {%- set type = dbt_schema_embed.schema_embed_type(mapping.type) -%}
        {%- else -%}
            {%- set type = dbt_schema_embed.schema_embed_cast_type(mapping.source_type, mapping.model_type) -%}
        {%- endif -%}
    {%- endif -%}
    {%- if type -%}
        {{ return('cast(' ~ from_name ~ ' as ' ~ type ~ ') as ' ~ to_name) }}
    {%- endif -%}
    {{ return(to_name if from_name == to_name else from_name ~ ' as ' ~ to_name) }}
{% endmacro %}
