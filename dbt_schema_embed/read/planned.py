"""Planned models that dbt keeps out of its nodes: those that are switched off, and those that have YAML and no file."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from dbt_schema_embed.errors import ConfigError, listed, printable
from dbt_schema_embed.files import inside
from dbt_schema_embed.read.artifacts import Node
from dbt_schema_embed.read.own_files import file_content, model_folders
from dbt_schema_embed.read.own_yaml import patched, read_own_yaml, test_nodes
from dbt_schema_embed.read.relations import is_built
from dbt_schema_embed.yaml_values import load_yaml

_MODELS = re.compile(rb"^models:[ \t]*(?:#.*)?\r?\n((?:[ \t#-].*(?:\n|\Z)|[ \t\r]*\n)*)", re.MULTILINE)
_NAMED = re.compile(rb"^([ \t]*-[ \t]++)(?:.*\bname|[\"']?name[\"']?):[ \t]*[\"']?([^\s\"',}#]+)", re.MULTILINE)
_YAML, _CODE = (".yml", ".yaml"), (".sql", ".py")


def plans_off(off: Mapping[str, Node], package: str) -> dict[str, Node]:
    """The models of ``package`` that are planned and switched off, and their tests: dbt builds neither.

    One that is off and has SQL is no plan: somebody wants it no more.
    """
    models = ((i, node) for i, node in off.items() if node.resource_type == "model" and node.package_name == package)
    plans = {i: node for i, node in models if not is_built(node)}
    tests = {i: node for i, node in off.items() if node.resource_type == "test" and plans.keys() & node.parents}
    return plans | tests


def plans_in_yaml(root: Path, package: str, known: Collection[str], *, built_by_files: bool) -> dict[str, Node]:
    """The models, and their tests, that YAML below the model paths of ``root`` lists and dbt does not know.

    ``known``: ids that dbt knows, switched off or not. ``built_by_files``: no file there could be them, either; else a
    model whose file dbt has not parsed yet is what its YAML says. A YAML file that cannot be read plans nothing: dbt
    says what is wrong with it.
    """
    texts: list[tuple[str, bytes]] = []
    built = {i.split(".")[2] for i in known if i.startswith(f"model.{package}.")}
    for path in model_files(root):
        if path.suffix in _CODE:
            built |= {path.stem} if built_by_files else set()
        elif content := file_content(path):
            texts.append((path.relative_to(root).as_posix(), content))
    plans: dict[str, Node] = {}
    for shown, content in texts:
        if not _names(content) <= {name.encode() for name in built}:
            for unique_id, node in _plans(root / shown, shown, content, package, built):
                plans.setdefault(unique_id, node)
    return plans


def unparsed(root: Path, plans: Mapping[str, Node]) -> list[str]:
    """Says which of the plans in YAML have a file by now, beside it."""
    files = {node.original_file_path or "" for node in plans.values() if node.resource_type == "model"}
    new = sorted(printable(name) for name in files if inside(root / name, root) and (root / name).is_file())
    return [f"dbt has not parsed {listed(new)} yet: run dbt parse"] if new else []


def model_files(root: Path) -> Iterator[Path]:
    """The YAML and the code below the model paths of a project."""
    for name in model_folders(root):
        top = root / name
        for where, _, names in os.walk(top) if inside(top, root) else ():
            paths = (Path(where, n) for n in sorted(names) if n.endswith((*_YAML, *_CODE)))
            yield from (path for path in paths if not path.is_symlink() or inside(path, root))


def _names(content: bytes) -> set[bytes]:
    """The names under ``models:``, told without parsing: a large project has thousands of such files."""
    block = _MODELS.search(content)
    found = _NAMED.findall(block[1]) if block else []
    least = min((len(lead) for lead, _ in found), default=0)
    return {name for lead, name in found if len(lead) == least}


def _plans(path: Path, shown: str, content: bytes, package: str, built: Collection[str]) -> Iterator[tuple[str, Node]]:
    try:
        said = read_own_yaml(load_yaml(content, path), shown, package)
    except ConfigError:
        return
    plans = {}
    for (kind, name), about in said.properties.items():
        if kind == "model" and name not in built and about.version is None and about.unique_id:
            file = f"{shown.rpartition('/')[0]}/{name}.sql"
            node = Node(name=name, resource_type="model", package_name=package, original_file_path=file)
            plans[about.unique_id] = patched(node, about)
    yield from plans.items()
    tests = test_nodes(said, shown, package) if plans else {}
    yield from ((i, test) for i, test in tests.items() if test.attached_node in plans)
