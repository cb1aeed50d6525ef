"""Room: what people, and agents for them, say of suggestions; into mapping files, source YAML and staging models.

Above `write`, which knows how these files look: here is who may say what (`decisions`, `reviewing`, `proposing`,
`reranking`, `pins`), and what all mapping files of a project say together (`mappings`, `unfed`).
"""
