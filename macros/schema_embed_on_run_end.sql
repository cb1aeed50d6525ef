{% macro schema_embed_on_run_end() %}
    {{ return(adapter.dispatch('schema_embed_on_run_end', 'dbt_schema_embed')()) }}
{% endmacro %}

{#- dbt 2 fires the hook on compile too, hence the look at the command. -#}
{% macro default__schema_embed_on_run_end() %}
    {%- if execute and var('schema_embed_profile_on_run_end', false) and flags.WHICH in ('build', 'run') -%}
        {%- set tables = [] -%}
        {%- for unique_id in selected_resources -%}
            {%- set node = graph.nodes.get(unique_id) -%}
            {%- for parent in (node.depends_on.nodes if node and node.resource_type == 'model' else []) -%}
                {%- if parent in graph.sources and parent not in tables %}{% do tables.append(parent) %}{% endif -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if tables %}{% do dbt_schema_embed.schema_embed_profile(select=tables) %}{% endif -%}
    {%- endif -%}
    {{ return('') }}
{% endmacro %}
