{% macro schema_embed_reserved_words() %}
    {{ return(adapter.dispatch('schema_embed_reserved_words', 'dbt_schema_embed')()) }}
{% endmacro %}

{#- Words that at least one of the supported engines refuses as a bare column name. Quoting one too many does no harm. -#}
{% macro default__schema_embed_reserved_words() %}
    {{ return((
        'account all alter analyse analyze and anti any array as asc assert_rows_modified asymmetric at authorization between '
        'both by case cast check collate collation column concurrently connect connection constraint contains create cross '
        'cube current current_catalog current_date current_role current_schema current_time current_timestamp current_user '
        'database default deferrable define delete desc describe distinct do drop else end enum escape except exclude exists '
        'extract false fetch filter following for foreign freeze from full function grant group grouping groups gscluster hash having '
        'ignore ilike in increment initially inner insert intersect interval into is isnull issue join lambda lateral '
        'leading left like limit localtime localtimestamp lookup merge minus natural new no not notnull null nulls of '
        'offset old on only open or order organization outer over overlaps partition pivot placing pivot_longer pivot_wider '
        'preceding primary proto qualify range recursive references regexp respect returning revoke right rlike rollup row '
        'rows sample schema select semi session_user set show similar some start struct summarize symmetric system_user '
        'table tablesample tag then to top trailing treat trigger true try_cast unbounded union unique unnest unpivot update '
        'user using values variadic verbose view when whenever where window with within'
    ).split()) }}
{% endmacro %}
