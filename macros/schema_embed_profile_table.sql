{% macro schema_embed_profile_table(
    node, row_limit, top_values, include_values
) %}
    {{ return(adapter.dispatch('schema_embed_profile_table', 'dbt_schema_embed')(
        node, row_limit, top_values, include_values
    )) }}
{% endmacro %}

{% macro default__schema_embed_profile_table(
    node, row_limit, top_values, include_values
) %}
    {%- do dbt_schema_embed.schema_embed_emit('start', node.unique_id) -%}
    {%- set relation = load_relation(source(node.source_name, node.name)) -%}
    {%- if relation is none -%}
        {%- do dbt_schema_embed.schema_embed_emit('missing', node.unique_id, {'relation': node.relation_name}) -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set columns = adapter.get_columns_in_relation(relation) -%}
    {%- set statement = dbt_schema_embed.schema_embed_profile_sql(
        relation, columns, row_limit, top_values, include_values
    ) -%}
    {%- set rows = run_query(statement).rows -%}
    {%- set facts = namespace(row_count=none, rows_profiled=0) -%}
    {%- set profiles = [] -%}
    {%- set kinds = [] -%}
    {%- for column in columns -%}
        {%- do kinds.append(dbt_schema_embed.schema_embed_type_kind(column.data_type)) -%}
        {%- do profiles.append({
            'name': column.name, 'type': column.dtype, 'filled': 0, 'distinct': none, 'patterns': [], 'top_values': [],
        }) -%}
    {%- endfor -%}
    {%- for row in rows -%}
        {%- if row[0] == 'table' -%}
            {%- set facts.rows_profiled = row[3] | int -%}
            {#- A sample below the limit is the whole table, whatever a planner estimates. -#}
            {%- set facts.row_count = facts.rows_profiled if facts.rows_profiled < row_limit else row[4] -%}
        {%- elif row[0] == 'column' -%}
            {%- do profiles[row[1] | int].update({'filled': row[3] | int}) -%}
            {%- if kinds[row[1] | int] != 'opaque' -%}
                {%- do profiles[row[1] | int].update({'distinct': row[4] | int}) -%}
            {%- endif -%}
        {%- elif kinds[row[1] | int] != 'opaque' -%}
            {%- set list = 'patterns' if row[0] == 'shape' else 'top_values' -%}
            {%- do profiles[row[1] | int][list].append([row[2], row[3] | int]) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do dbt_schema_embed.schema_embed_emit('profile', node.unique_id, {
        'relation': relation | string,
        'row_count': none if facts.row_count is none else facts.row_count | int,
        'rows_profiled': facts.rows_profiled,
        'columns': profiles,
    }) -%}
{% endmacro %}
