{% macro schema_embed_mapped(node, model_name=none) %}
    {{ return(adapter.dispatch('schema_embed_mapped', 'dbt_schema_embed')(node, model_name)) }}
{% endmacro %}

{#-
    What `dbt-schema-embed apply` wrote into the YAML of source table `node`: a list of
    {source_column, quote, source_type, model, column, type, model_type, not_cast, expression, part_of, note}, in the
    source's order; `model_name` keeps that model's only. A model is named as in the mapping file: `<package>.<name>` where
    two packages have that name, else the name. `type` is the mapping's own, `model_type` what the model's YAML declares.
    With `part_of` the column is taken by the expression that stands under another one.
-#}
{% macro default__schema_embed_mapped(node, model_name=none) %}
    {%- set table_meta = (node.config.get('meta') or {}).get('schema_embed') -%}
    {%- set found = [] -%}
    {%- set types = {} -%}
    {%- set wanted = model_name or '' -%}
    {%- for column in node.columns.values() -%}
        {#- dbt before 1.10 has meta beside config; dbt 2 hands a column without meta its table's. -#}
        {%- set meta = (column.get('config') or {}).get('meta') or column.get('meta') or {} -%}
        {%- set entries = meta.get('schema_embed') or [] -%}
        {%- if entries != table_meta -%}
            {%- for entry in ([entries] if entries is mapping else entries) -%}
                {%- set bare = entry.model.split('.') | last -%}
                {%- if not wanted or entry.model in (wanted, wanted.split('.') | last) or bare == wanted -%}
                    {%- if entry.model not in types -%}
                        {%- do types.update({entry.model: dbt_schema_embed.schema_embed_model_types(entry.model)}) -%}
                    {%- endif -%}
                    {%- do found.append({
                        'source_column': column.name, 'quote': column.get('quote'), 'source_type': column.get('data_type'),
                        'model': entry.model, 'column': entry.column,
                        'type': entry.get('type'), 'model_type': types[entry.model].get(entry.column | lower),
                        'not_cast': entry.get('not_cast'), 'expression': entry.get('expression'),
                        'part_of': entry.get('part_of'), 'note': entry.get('note'),
                    }) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}
