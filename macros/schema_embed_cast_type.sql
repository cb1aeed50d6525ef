{% macro schema_embed_cast_type(source_type, model_type) %}
    {{ return(adapter.dispatch('schema_embed_cast_type', 'dbt_schema_embed')(source_type, model_type)) }}
{% endmacro %}

{#- The type to cast to, or none where the source's type is the model's under another name. -#}
{% macro default__schema_embed_cast_type(source_type, model_type) %}
    {%- set names = {
        'character varying': 'varchar', 'string': 'varchar', 'text': 'varchar', 'nvarchar': 'varchar', 'bpchar': 'varchar',
        'int': 'integer', 'int4': 'integer', 'int32': 'integer', 'signed': 'integer', 'int8': 'bigint', 'int64': 'bigint',
        'long': 'bigint', 'int2': 'smallint', 'numeric': 'decimal', 'number': 'decimal', 'bool': 'boolean',
        'float8': 'double', 'float64': 'double', 'double precision': 'double', 'float4': 'float', 'real': 'float',
        'timestamp without time zone': 'timestamp', 'timestamp_ntz': 'timestamp', 'datetime': 'timestamp',
        'timestamp with time zone': 'timestamptz', 'timestamp_tz': 'timestamptz',
    } -%}
    {%- if not model_type -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set plain = [] -%}
    {%- for type in (source_type or '', model_type) -%}
        {%- set type = modules.re.sub('\\s+', ' ', type | lower | trim) -%}
        {%- set head = modules.re.sub('\\s*\\(.*', '', type) -%}
        {#- The length of a text hardly ever is a reason to cast; precision and scale are. -#}
        {%- set size = '' if names.get(head, head) == 'varchar' else modules.re.sub('[^0-9,]', '', type[head | length:]) -%}
        {%- do plain.append(names.get(head, head) ~ size) -%}
    {%- endfor -%}
    {{ return(none if plain[0] == plain[1] else dbt_schema_embed.schema_embed_type(model_type)) }}
{% endmacro %}
