{% macro schema_embed_generate_staging(
    source_name, table_name, leading_commas=none, case_sensitive_cols=false, materialized=none, model_name=none
) %}
    {{ return(adapter.dispatch('schema_embed_generate_staging', 'dbt_schema_embed')(
        source_name, table_name, leading_commas, case_sensitive_cols, materialized, model_name
    )) }}
{% endmacro %}

{% macro default__schema_embed_generate_staging(
    source_name, table_name, leading_commas, case_sensitive_cols, materialized, model_name
) %}
    {%- if not execute -%}
        {{ return('') }}
    {%- endif -%}
    {%- set node = dbt_schema_embed.schema_embed_source_node(source(source_name, table_name)) -%}
    {%- set all_mapped = dbt_schema_embed.schema_embed_mapped(node, model_name) -%}
    {%- if not all_mapped -%}
        {%- do exceptions.raise_compiler_error(
            'no column of ' ~ source_name ~ '.' ~ table_name ~ ' is mapped' ~ (' to ' ~ model_name if model_name else '')
            ~ ': accept mappings, then run dbt-schema-embed apply'
        ) -%}
    {%- endif -%}
    {%- set target_model = model_name or dbt_schema_embed.schema_embed_target_model(all_mapped) -%}
    {%- set mapped = dbt_schema_embed.schema_embed_mapped(node, target_model) -%}

    {%- set planned = dbt_schema_embed.schema_embed_model_types(target_model) -%}
    {%- set types = {} -%}
    {%- set spelled = dbt_schema_embed.schema_embed_source_columns(node) -%}
    {%- for name, type in spelled.items() -%}
        {%- do types.update({name | lower: type}) -%}
    {%- endfor -%}

    {%- set lines = {} -%}
    {%- set notes = [] -%}
    {%- for mapping in mapped if not mapping.part_of -%}
        {%- set source_key = mapping.source_column | lower -%}
        {%- if mapping.column | lower in lines -%}
            {%- do notes.append(
                'also mapped to ' ~ mapping.column ~ ': ' ~ mapping.source_column
                ~ '; one row with an expression over all of them joins them'
            ) -%}
        {%- elif source_key in types -%}
            {%- do mapping.update({'source_type': types[source_key]}) -%}
            {%- set item = dbt_schema_embed.schema_embed_item(mapping, case_sensitive_cols) -%}
            {#- A name with a line end would be another name; an expression may have several lines. -#}
            {%- set names = mapping.column if mapping.expression else item -%}
            {%- if modules.re.search('\\{[{%#]|\\x00', item) or modules.re.search('[\\r\\n]', names) -%}
                {%- do exceptions.raise_compiler_error(
                    dbt_schema_embed.schema_embed_comment('column ' ~ mapping.source_column ~ ' of ' ~ source_name ~ '.' ~ table_name)
                    ~ ' cannot be written in a model: dbt would take it for Jinja or for a line end'
                ) -%}
            {%- endif -%}
            {%- do lines.update({mapping.column | lower: item}) -%}
            {%- if mapping.not_cast -%}
                {%- do notes.append(
                    'not cast: ' ~ mapping.source_column ~ ' to ' ~ mapping.model_type ~ ', for ' ~ mapping.not_cast
                    ~ '; an expression can say how'
                ) -%}
            {%- endif -%}
        {%- else -%}
            {%- do notes.append('not in the table: ' ~ mapping.source_column ~ ', mapped to ' ~ mapping.column) -%}
        {%- endif -%}
        {%- if mapping.note %}{% do notes.append(mapping.column ~ ': ' ~ mapping.note) %}{% endif -%}
    {%- endfor -%}

    {%- set items = [] -%}
    {%- for column in planned if column in lines %}{% do items.append(lines[column]) %}{% endfor -%}
    {%- for column in lines if column not in planned %}{% do items.append(lines[column]) %}{% endfor -%}

    {%- set used = mapped | map(attribute='source_column') | map('lower') | list -%}
    {%- for name in spelled if name | lower not in used %}{% do notes.append('no accepted mapping: ' ~ name) %}{% endfor -%}
    {%- for column in planned if column not in lines %}{% do notes.append('fed by nothing: ' ~ column) %}{% endfor -%}

    {%- set style = dbt_schema_embed.schema_embed_style(source_name) -%}
    {%- if leading_commas is not none %}{% do style.update({'leading_commas': leading_commas}) %}{% endif -%}
    {%- set sql = dbt_schema_embed.schema_embed_staging_sql(node, items, notes, style, materialized) -%}
    {%- do print(sql) -%}
    {{ return(sql) }}
{% endmacro %}
