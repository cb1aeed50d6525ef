"""Names of columns that try to get out of SQL, of a comment, of Jinja: each is only a name."""

ORDINARY = [
    "amount", "E Mail", "createdAt", "order", "select", "2fa", "größe", "名前", "a.b", "a-b", "a/b", "a:b", "a,b",
    "(a)",
    "50%", "$x", "#x", "@x", "x;", "!", "?", "*", "a|b", "a=b", "a+b", "[a]", "{a}", "a{", "}}", "%}", "#}", "a\\",
    "\\n", "~",
]  # fmt: skip
"""Odd, and a model can hold them."""

QUOTES = [
    "a'b", 'a"b', "a`b", 'x" as y, 1 as "z', "x' || 'y", "'; drop table victim; --", '"; drop table victim; --',
    "x -- y", "/* x", "x */ y", "-- x", "x; select 1", "$$x$$", "E'\\\\'", "x\ty", "x\vy", "x\fy", "x\x85y", "x\u2028y",
    "x\u2029y", "x\u202ey", "x\u200by", "\ufeffx", "x\x7fy",
]  # fmt: skip
"""What ends names, strings, comments and lines somewhere; a model can hold them."""

LINES = ["x\r, (select max(s) from victim) as pwn1 --", "x\n, (select max(s) from victim) as pwn2 --", "x\r\ny"]
"""Line ends: dbt reads and writes models as text, which makes another name of these."""

JINJA = [
    "{{ env_var('SECRET_X') }}", "{% do run_query('drop table victim') %}", "{# x", "{{{ x }}}", "{%- raw -%}", "{{x",
]  # fmt: skip
"""What dbt would render."""
