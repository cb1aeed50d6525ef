"""The methods of dbt's node selection: ``tag:``, ``source:``, ``path:`` ... as its selector_methods.py has them."""

import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from dbt_schema_embed.errors import ConfigError, printable
from dbt_schema_embed.read.graph import Graph, GraphNode, mapping

_WILD = re.compile(r"[*?\[\]]")
_KINDS = (
    *("model", "source", "seed", "snapshot", "test", "analysis", "operation", "exposure", "metric", "semantic_model"),
    *("saved_query", "unit_test", "function"),
)


Method = Callable[[Graph, str, str], set[str]]
"""(what to select from, the value, the method's argument) -> unique_ids."""


def _fqn(graph: Graph, value: str, _: str) -> set[str]:
    return graph.where(
        lambda n: (
            n.resource_type != "source" and (_is_named(n, n.fqn or [], value) or _is_named(n, (n.fqn or [])[1:], value))
        )
    )


def _is_named(node: GraphNode, fqn: list[str], value: str) -> bool:
    """Whether a dotted name, from the left, with wildcards, is the node's; its own name alone will do."""
    if not fqn:
        return False
    parts = value.split(".")
    if _is_leaf(node, fqn, value, parts):
        return True
    flat = [part for segment in fqn for part in segment.split(".")]
    if len(flat) < len(parts):
        return False
    for place, part in enumerate(parts):
        if _WILD.search(part):
            rest, pattern = ".".join(flat[place:]), ".".join(parts[place:])
            leaf = fqn[-2] if node.is_versioned and len(fqn) > 1 else fqn[-1]
            return fnmatchcase(rest, pattern) or ("." not in value and fnmatchcase(leaf, value))
        if flat[place] != part:
            return False
    return True


def _is_leaf(node: GraphNode, fqn: list[str], value: str, parts: list[str]) -> bool:
    if not node.is_versioned or len(fqn) < 2:
        return fqn[-1] == value
    # model, model.v2 and model_v2 all name version 2
    return fqn[-2] == value or "_".join(fqn[-2:]) == "_".join(parts[-2:])


def _source(graph: Graph, value: str, _: str) -> set[str]:
    parts = value.split(".")
    if len(parts) > 2 and (  # a table's own name may have dots in it
        found := graph.where(lambda n: n.resource_type == "source" and f"{n.source_name}.{n.name}" == value)
    ):
        return found
    if len(parts) > 3:
        raise ConfigError(
            f"'source:{printable(value)}' has too many dots",
            hint="write source:name, source:name.table or source:package.name.table",
        )
    package, source, table = {1: ("*", *parts, "*"), 2: ("*", *parts), 3: tuple(parts)}[len(parts)]
    return graph.where(
        lambda n: (
            n.resource_type == "source"
            and fnmatchcase(n.package, package)
            and fnmatchcase(n.source_name or "", source)
            and fnmatchcase(n.name, table)
        )
    )


def _named_of_kind(kind: str, graph: Graph, value: str, _: str) -> set[str]:
    package, _dot, name = value.rpartition(".")
    return graph.where(
        lambda n: n.resource_type == kind and fnmatchcase(n.package, package or "*") and fnmatchcase(n.name, name)
    )


def _tag(graph: Graph, value: str, _: str) -> set[str]:
    return graph.where(lambda n: any(fnmatchcase(tag, value) for tag in n.tag_names))


def _path(graph: Graph, value: str, _: str) -> set[str]:
    """Paths are the root project's; a package's node fits where the root has such a path too, or no node of it fits.

    dbt looks for the paths on the disk, which need not be there where only the artifacts are.
    """
    pattern = [part for part in value.replace("\\", "/").split("/") if part not in ("", ".")]
    nodes = graph.nodes.values()
    places = {place for n in nodes if n.package == graph.project for place in _places(n)}
    fitting = {p for p in places if _globs(p.split("/"), pattern)}
    if not fitting:
        fitting = {p for p in {place for n in nodes for place in _places(n)} if _globs(p.split("/"), pattern)}
    return graph.where(lambda n: not fitting.isdisjoint(_places(n)))


def _places(node: GraphNode) -> Iterator[str]:
    """The node's file, the folders it is in, and its YAML file."""
    if node.file:
        yield node.file
        yield from (str(folder) for folder in PurePosixPath(node.file).parents)
    if node.yaml_path:
        yield node.yaml_path


def _globs(path: list[str], pattern: list[str]) -> bool:
    """Whether a path fits a glob: ``*`` stays in its part, ``**`` is any number of parts."""
    if not pattern:
        return path in ([], ["."])
    if pattern[0] == "**":
        return any(_globs(path[place:], pattern[1:]) for place in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _globs(path[1:], pattern[1:])


def _file(graph: Graph, value: str, _: str) -> set[str]:
    def fits(node: GraphNode) -> bool:
        path = PurePosixPath(node.file)
        return fnmatchcase(path.name, value) or fnmatchcase(path.stem, value)

    return graph.where(fits)


def _package(graph: Graph, value: str, _: str) -> set[str]:
    wanted = graph.project if value == "this" else value
    return graph.where(lambda n: fnmatchcase(n.package, wanted))


def _resource_type(graph: Graph, value: str, _: str) -> set[str]:
    if value not in _KINDS:
        raise ConfigError(f"unknown resource type {printable(value)!r}", hint=f"known are: {', '.join(_KINDS)}")
    return graph.where(lambda n: n.resource_type == value)


def _config(graph: Graph, value: str, argument: str) -> set[str]:
    keys = argument.split(".") if argument else []
    return graph.where(lambda n: _has_config(mapping(n.config), keys, value))


def _has_config(config: Any, keys: list[str], value: str) -> bool:
    for key in keys:
        if not isinstance(config, dict) or key not in config:
            return False
        config = config[key]
    for item in config if isinstance(config, list) else [config]:
        if item == value or (isinstance(item, bool) and str(item).lower() == value.lower()):
            return True
    return False


def _group(graph: Graph, value: str, _: str) -> set[str]:
    return graph.where(lambda n: fnmatchcase(str(mapping(n.config).get("group") or ""), value))


def _access(graph: Graph, value: str, _: str) -> set[str]:
    return graph.where(lambda n: n.resource_type == "model" and n.access == value)


def _test_name(graph: Graph, value: str, _: str) -> set[str]:
    return graph.where(
        lambda n: (
            n.resource_type == "test" and n.test_metadata is not None and fnmatchcase(n.test_metadata.name or "", value)
        )
    )


def _test_type(graph: Graph, value: str, _: str) -> set[str]:
    if value == "unit":
        return graph.where(lambda n: n.resource_type == "unit_test")
    wanted = {"generic": (True,), "schema": (True,), "singular": (False,), "data": (True, False)}.get(value)
    if wanted is None:
        raise ConfigError(f"unknown test type {printable(value)!r}", hint="known are: generic, singular, unit, data")
    return graph.where(lambda n: n.resource_type == "test" and (n.test_metadata is not None) in wanted)


def _version(graph: Graph, value: str, _: str) -> set[str]:
    checks: Mapping[str, Callable[[GraphNode], bool]] = {
        "none": lambda n: n.version is None,
        "latest": lambda n: n.version is not None and n.version == n.latest_version,
        "old": lambda n: _before(n.version, n.latest_version),
        "prerelease": lambda n: _before(n.latest_version, n.version),
    }
    if value not in checks:
        raise ConfigError(f"unknown version {printable(value)!r}", hint=f"known are: {', '.join(checks)}")
    return graph.where(lambda n: n.resource_type == "model" and checks[value](n))


def _before(first: str | float | None, second: str | float | None) -> bool:
    if first is None or second is None:
        return False
    try:
        return float(first) < float(second)
    except ValueError:
        return str(first) < str(second)


def _state(_: Graph, value: str, __: str) -> set[str]:
    raise ConfigError(
        f"'state:{printable(value)}' compares with another manifest, which is not read here",
        hint="let dbt list the names (dbt ls --select ... --state ...), and select those",
    )


METHODS: Mapping[str, Method] = {
    "access": _access,
    "config": _config,
    "exposure": partial(_named_of_kind, "exposure"),
    "file": _file,
    "fqn": _fqn,
    "group": _group,
    "metric": partial(_named_of_kind, "metric"),
    "package": _package,
    "path": _path,
    "resource_type": _resource_type,
    "saved_query": partial(_named_of_kind, "saved_query"),
    "semantic_model": partial(_named_of_kind, "semantic_model"),
    "source": _source,
    "state": _state,
    "tag": _tag,
    "test_name": _test_name,
    "test_type": _test_type,
    "unit_test": partial(_named_of_kind, "unit_test"),
    "version": _version,
}
"""Method of dbt's syntax -> what it selects. ``result:`` and ``source_status:`` need runs, which we do not read."""


def near_names(method: str, graph: Graph) -> Mapping[str, str]:
    """What could have been meant: a criterion as one would write it -> the value to compare with."""
    nodes = graph.nodes.values()
    sources = {f"{n.source_name}.{n.name}": n.source_name or "" for n in nodes if n.resource_type == "source"}
    if method == "fqn":
        names = {n.name for n in nodes if n.resource_type in ("model", "seed", "snapshot")}
        return {name: name for name in names} | {f"source:{label}": label for label in sources}
    if method == "source":
        values = {*sources, *sources.values()}
    elif method == "tag":
        values = {tag for n in nodes for tag in n.tag_names}
    elif method == "package":
        values = {n.package for n in nodes}
    elif method == "path":
        values = {place for n in nodes for place in _places(n)}
    elif method == "file":
        values = {PurePosixPath(n.file).name for n in nodes}
    else:
        values = {n.name for n in nodes if n.resource_type == method}
    return {f"{method}:{value}": value for value in values}
