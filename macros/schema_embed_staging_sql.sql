{% macro schema_embed_staging_sql(node, items, notes, style, materialized=none) %}
    {{ return(adapter.dispatch('schema_embed_staging_sql', 'dbt_schema_embed')(node, items, notes, style, materialized)) }}
{% endmacro %}

{#- The text of a staging model: `items` selected from source table `node`, `notes` as comments, in the project's style. -#}
{% macro default__schema_embed_staging_sql(node, items, notes, style, materialized=none) %}
    {%- set words = {} -%}
    {%- for word in ('with', 'as', 'select', 'from') -%}
        {%- do words.update({word: word | upper if style.upper else word}) -%}
    {%- endfor -%}
    {%- set pad = ' ' * style.indent -%}
    {%- set gap = [''] if style.airy else [] -%}
    {%- set names = [] -%}
    {%- for name in (node.source_name, node.name) %}{% do names.append(dbt_schema_embed.schema_embed_jinja_text(name)) %}{% endfor -%}
    {%- set raw = '{{ source(' ~ names | join(', ') ~ ') }}' -%}
    {%- set ctes = style.ctes -%}
    {%- set item_pad = pad * 2 if ctes | length == 2 else pad -%}
    {%- set lines = [] -%}
    {%- if materialized -%}
        {%- do lines.extend(['{{ config(materialized=' ~ dbt_schema_embed.schema_embed_jinja_text(materialized) ~ ') }}', '']) -%}
    {%- endif -%}
    {%- if ctes -%}
        {%- do lines.extend([words.with, ''] if style.airy else []) -%}
        {%- set opening = ctes[0] ~ ' ' ~ words.as ~ ' (' -%}
        {%- do lines.append(opening if style.airy else words.with ~ ' ' ~ opening) -%}
        {%- do lines.extend(gap + [pad ~ words.select ~ ' * ' ~ words.from ~ ' ' ~ raw] + gap) -%}
        {%- do lines.extend([')' ~ (',' if ctes | length == 2 else '')] + gap) -%}
    {%- endif -%}
    {%- if ctes | length == 2 -%}
        {%- do lines.extend([ctes[1] ~ ' ' ~ words.as ~ ' ('] + gap) -%}
    {%- endif -%}
    {%- do lines.append(item_pad[style.indent:] ~ words.select) -%}
    {%- for item in items -%}
        {%- if style.leading_commas -%}
            {%- do lines.append(item_pad ~ ('' if loop.first else ', ') ~ item) -%}
        {%- else -%}
            {%- do lines.append(item_pad ~ item ~ ('' if loop.last else ',')) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for note in notes -%}
        {%- do lines.append(item_pad ~ '-- ' ~ dbt_schema_embed.schema_embed_comment(note)) -%}
    {%- endfor -%}
    {%- do lines.extend(gap + [item_pad[style.indent:] ~ words.from ~ ' ' ~ (ctes[0] if ctes else raw)]) -%}
    {%- if ctes | length == 2 -%}
        {%- do lines.extend(gap + [')'] + gap + [words.select ~ ' * ' ~ words.from ~ ' ' ~ ctes[1]]) -%}
    {%- endif -%}
    {{ return(lines | join('\n')) }}
{% endmacro %}
