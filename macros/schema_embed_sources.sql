{% macro schema_embed_sources(select=none, exclude=none) %}
    {{ return(adapter.dispatch('schema_embed_sources', 'dbt_schema_embed')(select, exclude)) }}
{% endmacro %}

{% macro default__schema_embed_sources(select=none, exclude=none) %}
    {#- A word names a source, a table of it, or all (`*`): what `dbt ls --select` understands of sources. -#}
    {%- set wanted = select.split() if select is string else (select or ['*']) -%}
    {%- set unwanted = exclude.split() if exclude is string else (exclude or []) -%}
    {%- set found = [] -%}
    {%- for node in graph.sources.values() | sort(attribute='unique_id') -%}
        {%- set names = [
            '*', node.unique_id, node.source_name, node.source_name ~ '.' ~ node.name,
            node.package_name ~ '.' ~ node.source_name ~ '.' ~ node.name,
        ] -%}
        {%- set hits = [] -%}
        {%- set misses = [] -%}
        {%- for name in names -%}
            {%- if name in wanted or 'source:' ~ name in wanted %}{% do hits.append(name) %}{% endif -%}
            {%- if name in unwanted or 'source:' ~ name in unwanted %}{% do misses.append(name) %}{% endif -%}
        {%- endfor -%}
        {%- if hits and not misses %}{% do found.append(node) %}{% endif -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}
