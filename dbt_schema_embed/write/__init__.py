"""Room: suggestions in; mapping YAML, JSON, tables and Markdown out, and mapping files back in.

Decisions of people go into mapping files (`decide`), accepted ones into the YAML that declares the source (`apply`).
Everything that changes a file hands back a `Rewrite`: nothing is written before its `write`.
"""
