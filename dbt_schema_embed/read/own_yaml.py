"""A YAML file of a dbt project -> the sources, properties and tests that dbt would put into the manifest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from dbt_schema_embed.read.artifacts import (
    Constraint,
    DependsOn,
    Node,
    NodeConfig,
    TestMetadata,
    YamlColumn,
)

_TESTS = ("data_tests", "tests")
_KINDS = {"models": "model", "seeds": "seed", "snapshots": "snapshot"}


@dataclass(frozen=True, slots=True)
class Said:
    """What a YAML file says: nodes by unique_id, and properties of nodes by the name of their file."""

    sources: dict[str, Node] = field(default_factory=dict)
    properties: dict[tuple[str, str], Node] = field(default_factory=dict)  # (kind, stem of the file)
    tests: list[tuple[str, str, str, Mapping[str, Any]]] = field(default_factory=list)  # owner, column, test, arguments


def read_own_yaml(data: Any, path: str, package: str) -> Said:
    """What the values of the YAML file at ``path`` say; whatever is not as dbt wants it is left out."""
    said = Said()
    if not isinstance(data, dict):
        return said
    for source in _dicts(data.get("sources")):
        _add_source(said, source, path, package)
    for key, kind in _KINDS.items():
        for entry in _dicts(data.get(key)):
            for node, stem, about in _versions(entry, kind, package):
                said.properties[kind, stem] = _with_properties(node, about, f"{package}://{path}")
                _add_tests(said, node.unique_id or "", about)
    return said


def test_nodes(said: Said, path: str, package: str) -> dict[str, Node]:
    """The tests of a YAML file as nodes by unique_id."""
    nodes = {}
    for number, (owner, column, name, arguments) in enumerate(said.tests):
        unique_id = f"test.{package}.{path}:{number}"
        nodes[unique_id] = Node(
            unique_id=unique_id, resource_type="test", package_name=package, original_file_path=path,
            test_metadata=TestMetadata(name, {"column_name": column, **arguments}), column_name=column,
            attached_node=owner, depends_on=DependsOn([owner]),
        )  # fmt: skip
    return nodes


def patched(node: Node, about: Node) -> Node:
    """``node`` with the properties that YAML gives it."""
    config, said = node.config or NodeConfig(), about.config or NodeConfig()
    config = replace(
        config,
        enabled=said.enabled if said.enabled is not True else config.enabled,
        contract=said.contract if said.contract is not None else config.contract,
        tags=said.tags or config.tags,
        delimiter=said.delimiter or config.delimiter,
    )
    return replace(
        node, columns=about.columns, constraints=about.constraints, description=about.description,
        patch_path=about.patch_path, config=config, contract=None, primary_key=None, version=about.version,
        name=about.name, unique_id=about.unique_id,
    )  # fmt: skip


def _add_source(said: Said, source: Mapping[str, Any], path: str, package: str) -> None:
    name = _text(source.get("name"))
    schema = _text(source.get("schema")) or name
    shared = _config(source)
    for table in _dicts(source.get("tables")):
        label = _text(table.get("name"))
        identifier = _text(table.get("identifier")) or label
        node = Node(
            unique_id=f"source.{package}.{name}.{label}", name=label, resource_type="source", package_name=package,
            original_file_path=path, source_name=name, identifier=identifier,
            schema=name if "{" in schema else schema, quoting=_mapping(table.get("quoting") or source.get("quoting")),
            relation_name=f'"{name if "{" in schema else schema}"."{identifier}"',
        )  # fmt: skip
        node = _with_properties(node, table, None)
        if shared.enabled is not True and node.config and node.config.enabled is True:
            node = replace(node, config=replace(node.config, enabled=shared.enabled))
        if name and label:
            said.sources[node.unique_id or ""] = node
            _add_tests(said, node.unique_id or "", table)


def _versions(entry: Mapping[str, Any], kind: str, package: str) -> Iterator[tuple[Node, str, Mapping[str, Any]]]:
    """The nodes that an entry is about, with the stem of the file of each, and what is said of it."""
    name = _text(entry.get("name"))
    versions = [v for v in _dicts(entry.get("versions")) if isinstance(v.get("v"), str | int | float)]
    if name and not versions:
        yield Node(unique_id=f"{kind}.{package}.{name}", name=name, resource_type=kind), name, entry
    latest = entry.get("latest_version") or max((v["v"] for v in versions), key=str, default=None)
    for version in versions:
        number = version["v"]
        node = Node(
            unique_id=f"{kind}.{package}.{name}.v{number}", name=name, resource_type=kind, version=str(number)
        )  # fmt: skip
        about = {**entry, **version, "columns": _columns_of_version(entry, version)}
        yield node, _text(version.get("defined_in")) or f"{name}_v{number}", about
        if number == latest:
            yield node, name, about


def _columns_of_version(entry: Mapping[str, Any], version: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The model's columns as a version takes them over, and its own."""
    shared, own = _dicts(entry.get("columns")), _dicts(version.get("columns"))
    rule = next((c for c in own if "include" in c), {"include": "all"})
    mine = [c for c in own if "include" not in c]
    names = {_text(c.get("name")) for c in mine} | set(map(_text, _list(rule.get("exclude"))))
    wanted = rule["include"]
    kept = [c for c in shared if wanted in ("all", "*") or c.get("name") in _list(wanted)]
    return [*(c for c in kept if _text(c.get("name")) not in names), *mine]


def _with_properties(node: Node, about: Mapping[str, Any], patch: str | None) -> Node:
    columns = [c for c in map(_column, _dicts(about.get("columns"))) if c.name]
    return replace(
        node, columns=columns, constraints=_constraints(about), description=_text(about.get("description")),
        patch_path=patch, config=_config(about), tags=about.get("tags"),
    )  # fmt: skip


def _column(said: Mapping[str, Any]) -> YamlColumn:
    text = {key: _text(said.get(key)) for key in ("name", "description", "data_type")}
    return YamlColumn(**text, quote=said.get("quote"), constraints=_constraints(said))


def _constraints(said: Mapping[str, Any]) -> list[Constraint]:
    return [
        Constraint(_text(c.get("type")), list(map(_text, _list(c.get("columns")))), _text(c.get("to")) or None,
                   _text(c.get("expression")) or None)
        for c in _dicts(said.get("constraints"))
    ]  # fmt: skip


def _config(said: Mapping[str, Any]) -> NodeConfig:
    config = _mapping(said.get("config"))
    enabled = config.get("enabled", said.get("enabled", True))
    return NodeConfig(
        enabled=enabled is not False,
        tags=config.get("tags"),
        contract=config.get("contract"),
        delimiter=config.get("delimiter"),
    )


def _add_tests(said: Said, owner: str, about: Mapping[str, Any]) -> None:
    for column in _dicts(about.get("columns")):
        for key in _TESTS:
            for test in _list(column.get(key)):
                name, arguments = _test(test)
                if name and column.get("name"):
                    said.tests.append((owner, _text(column["name"]), name.rpartition(".")[2], arguments))


def _test(test: Any) -> tuple[str, Mapping[str, Any]]:
    """The name of a generic test, and its arguments."""
    if isinstance(test, str):
        return test, {}
    if not isinstance(test, dict) or not test:
        return "", {}
    if "test_name" in test:
        return _text(test["test_name"]), test
    name, arguments = next(iter(test.items()))
    return _text(name), _mapping(arguments)


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in _list(value) if isinstance(item, dict)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)
