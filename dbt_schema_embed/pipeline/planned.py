"""Models that YAML plans and that have no .sql file: dbt leaves them out of its manifest, people mean them."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dbt_schema_embed.files import inside
from dbt_schema_embed.records import Column, Project, Relation
from dbt_schema_embed.write.yamltree import Node, YamlTextError, decoded, parse, read_content

_MODELS = re.compile(r"^models:[ \t]*(?:#.*)?\r?\n((?:[ \t#-].*(?:\n|\Z)|[ \t\r]*\n)*)", re.MULTILINE)
_NAMED = re.compile(r"^([ \t]*-[ \t]+)(?:.*\bname|[\"']?name[\"']?):[ \t]*[\"']?([^\s\"',}#]+)", re.MULTILINE)
_ENDINGS = (".yml", ".yaml")


def with_yaml_plans(project: Project, root: Path) -> Project:
    """``project`` with the models that its YAML lists, that dbt does not know, and that no file below its model paths
    could be. A YAML file that cannot be read plans nothing: dbt says what is wrong with it."""
    texts: list[tuple[str, str]] = []
    built = {r.name.partition(".")[0] for r in project.relations if r.kind == "model"}
    for path in _files(root):
        if path.suffix not in _ENDINGS:
            built.add(path.stem)
        elif text := _text(path):
            texts.append((path.relative_to(root).as_posix(), text))
    plans: dict[str, Relation] = {}
    for shown, text in texts:
        if not _names(text) <= built:
            for plan in _plans(shown, text, project.name):
                if plan.name not in built:
                    plans.setdefault(plan.id, plan)
    if not plans:
        return project
    return replace(project, relations=tuple(sorted([*project.relations, *plans.values()], key=lambda r: r.id)))


def _files(root: Path) -> Iterator[Path]:
    """The YAML, SQL and Python files below the model paths of dbt_project.yml."""
    for name in _model_paths(root):
        top = root / name
        for where, _, names in os.walk(top) if inside(top, root) else ():
            yield from (Path(where, n) for n in sorted(names) if n.endswith((*_ENDINGS, ".sql", ".py")))


def _model_paths(root: Path) -> list[str]:
    try:
        said = parse(_text(root / "dbt_project.yml"))
        listed = said.get("model-paths") or said.get("source-paths")
    except YamlTextError:
        listed = None
    return [item.text for item in listed.items if item.kind == "scalar"] if listed is not None else ["models"]


def _text(path: Path) -> str:
    """The text of a YAML file; "" where there is none that can be read."""
    try:
        return decoded(read_content(path))
    except (OSError, YamlTextError):
        return ""


def _names(text: str) -> set[str]:
    """The names under ``models:``, told without parsing: a large project has thousands of such files."""
    block = _MODELS.search(text)
    found = _NAMED.findall(block[1]) if block else []
    least = min((len(lead) for lead, _ in found), default=0)
    return {name for lead, name in found if len(lead) == least}


def _plans(shown: str, text: str, package: str) -> Iterator[Relation]:
    try:
        models = parse(text).get("models")
        for node in models.items if models is not None else ():
            name = _said(node, "name")
            if name and node.get("versions") is None:
                yield _plan(node, name, shown, package)
    except YamlTextError:
        return


def _plan(node: Node, name: str, shown: str, package: str) -> Relation:
    columns = [column for column in _items(node, "columns") if _said(column, "name")]
    contract = (config := node.get("config")) and config.get("contract")
    return Relation(
        id=f"model.{package}.{name}",
        name=name,
        kind="model",
        columns=tuple(_column(column, i) for i, column in enumerate(columns)),
        description=_said(node, "description"),
        package=package,
        path=f"{shown.rpartition('/')[0]}/{name}.sql",
        yaml_path=shown,
        contract=contract is not None and _said(contract, "enforced") == "true",
        complete=True,
    )


def _column(node: Node, position: int) -> Column:
    promises = {_test(test) for key in ("tests", "data_tests", "constraints") for test in _items(node, key)}
    key = "primary_key" in promises
    return Column(
        _said(node, "name"),
        _said(node, "data_type") or None,
        _said(node, "description"),
        position,
        quoted=_said(node, "quote") == "true",
        unique=key or "unique" in promises,
        not_null=key or "not_null" in promises,
    )


def _test(node: Node) -> str:
    """The name of a test, or the type of a constraint."""
    return node.text or _said(node, "type") or next((key.text for key, _ in node.pairs), "")


def _items(node: Node, key: str) -> list[Node]:
    found = node.get(key)
    return found.items if found is not None else []


def _said(node: Node, key: str) -> str:
    found = node.get(key)
    return found.text.strip() if found is not None and found.kind == "scalar" else ""
