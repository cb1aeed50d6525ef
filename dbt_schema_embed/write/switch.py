"""A planned model that is switched off (`enabled: false`, so that dbt neither builds nor tests it) is switched on."""

import re
from pathlib import Path

from dbt_schema_embed.errors import WriteError, printable
from dbt_schema_embed.files import content_hash, inside
from dbt_schema_embed.records import Relation
from dbt_schema_embed.write.rewrite import Rewrite
from dbt_schema_embed.write.yamledit import Edits
from dbt_schema_embed.write.yamltree import Node, YamlTextError, decoded, parse, read_content

_CONFIG = re.compile(r"\{\{-?\s*config\s*\((?P<inside>[^(){}]*)\)\s*-?\}\}[ \t]*(?:\r?\n)?")
_NO_QUERY = re.compile(  # as read/relations.py: what leaves a file a plan
    r"\{#.*?(?:#\}|\Z)|/\*.*?(?:\*/|\Z)|--[^\n]*|\{\{-?\s*config\s*\(.*?(?:\)\s*-?\}\}|\Z)", re.DOTALL
)
_OFF = re.compile(r"(?:^|,)\s*enabled\s*=\s*(?:false|False)\s*(?=,|$)")


def without_query(sql: str) -> bool:
    """Whether a model's file holds nothing but comments and a config block."""
    return not _NO_QUERY.sub("", sql).strip()


def without_switch(sql: str) -> str:
    """The SQL of a model without ``enabled=false`` in its config block, and without a block that says nothing else."""

    def on(found: re.Match[str]) -> str:
        left = _OFF.sub("", found["inside"]).strip().removeprefix(",").strip()
        if left == found["inside"].strip():
            return found[0]
        return found[0].replace(found["inside"], left) if left else ""

    return _CONFIG.sub(on, sql)


def switched_on(model: Relation, project_dir: Path) -> Rewrite:
    """The YAML file of ``model`` without ``enabled: false``.

    Raises:
        WriteError: it does not say so there, or cannot be changed.
    """
    shown, path = model.yaml_path, project_dir / model.yaml_path
    name = printable(model.name)
    try:
        if not shown or not inside(path, project_dir):
            raise YamlTextError("it is not in the project")
        content = read_content(path)
        text = decoded(content)
        return Rewrite(path, shown, text, _on(text, model.name), content_hash(content))
    except (OSError, YamlTextError) as problem:
        why = printable(problem)
        raise WriteError(
            f"{name} is switched off, and {shown or 'its YAML'} does not say where: {why}",
            hint="take `enabled: false` away from it, in dbt_project.yml perhaps, then run: dbt parse",
        ) from None


def _on(text: str, name: str) -> str:
    root = parse(text)
    models = root.get("models")
    found = [node for node in (models.items if models else ()) if (said := node.get("name")) and said.text == name]
    config = found[0].get("config") if found else None
    switch = config.get("enabled") if config else None
    if config is None or switch is None or switch.text.lower() != "false":
        raise YamlTextError("it has no `enabled: false`")
    edits = Edits(text)
    _remove(edits, found[0] if len(config.pairs) == 1 else config, "config" if len(config.pairs) == 1 else "enabled")
    new = edits.result()
    parse(new)
    return new


def _remove(edits: Edits, node: Node, key: str) -> None:
    if node.marked:
        raise YamlTextError("it uses an anchor or a tag there", node.line)
    edits.remove_pair(node, key)
