"""Room: suggestions in; mapping YAML, source YAML and staging models out, and mapping files back in.

Decisions of people go into mapping files (`decide`), accepted ones into the YAML that declares the source (`apply`) and
into staging models (`stage`). Whatever changes a file hands back a `Rewrite`: nothing is written before its `write`.
"""
