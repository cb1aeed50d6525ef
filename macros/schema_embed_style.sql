{% macro schema_embed_style(source_name) %}
    {{ return(adapter.dispatch('schema_embed_style', 'dbt_schema_embed')(source_name)) }}
{% endmacro %}

{#-
    How this project writes a staging model, learnt from its models that select from `source_name`, or from any source
    where there are none: {ctes, leading_commas, upper, indent, airy}. Two habits that are equally frequent: the default.
    `dbt-schema-embed stage` learns the same (write/style.py); a test holds the two together.
-#}
{% macro default__schema_embed_style(source_name) %}
    {%- set re = modules.re -%}
    {%- set near = [] -%}
    {%- set far = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.package_name == project_name -%}
        {%- set sources = [] -%}
        {%- for parent in node.depends_on.nodes if parent in graph.sources -%}
            {%- do sources.append(graph.sources[parent].source_name) -%}
        {%- endfor -%}
        {%- if sources and node.language == 'sql' and node.raw_code | trim -%}
            {%- do (near if source_name in sources else far).append(node.raw_code[:200000]) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set tally = {'leading': 0, 'trailing': 0, 'upper': 0, 'lower': 0, 'airy': 0, 'dense': 0} -%}
    {%- set ctes = {} -%}
    {%- set indents = {} -%}
    {%- for code in near or far -%}
        {%- set names = re.findall('(?im)^(?:with)?[ ,]*([a-z_][a-z0-9_]*) as \\($', code) -%}
        {%- do ctes.update({names | join(' '): ctes.get(names | join(' '), 0) + 1}) -%}
        {%- for indent in re.findall('(?im)^( +)select\\b', code) -%}
            {%- do indents.update({indent | length: indents.get(indent | length, 0) + 1}) -%}
        {%- endfor -%}
        {%- do tally.update({
            'leading': tally.leading + re.findall('(?m)^[ \\t]*,', code) | length,
            'trailing': tally.trailing + re.findall('(?m),[ \\t]*$', code) | length,
            'upper': tally.upper + re.findall('\\bSELECT\\b', code) | length,
            'lower': tally.lower + re.findall('\\bselect\\b', code) | length,
            'airy': tally.airy + re.findall('(?i) as \\(\\s*\\n[ \\t]*\\n', code) | length,
            'dense': tally.dense + re.findall('(?i) as \\([ \\t]*\\n[ \\t]*\\S', code) | length,
        }) -%}
    {%- endfor -%}
    {#- Names that one model alone uses say nothing about the next; nor do more steps than reading and renaming. -#}
    {%- set steps = namespace(names=['source', 'renamed'], count=1) -%}
    {%- for names, count in ctes.items() if count > steps.count and names.split() | length <= 2 -%}
        {%- set steps.names = names.split() -%}
        {%- set steps.count = count -%}
    {%- endfor -%}
    {%- set indent = namespace(width=4, count=0) -%}
    {%- for width, count in indents.items() if count > indent.count -%}
        {%- set indent.width = width -%}
        {%- set indent.count = count -%}
    {%- endfor -%}
    {{ return({
        'ctes': steps.names,
        'leading_commas': tally.leading > tally.trailing,
        'upper': tally.upper > tally.lower,
        'airy': tally.airy > tally.dense,
        'indent': indent.width,
    }) }}
{% endmacro %}
