"""dbt's graph as node selection sees it: every resource with its properties and edges, from the manifest."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import msgspec

from dbt_schema_embed.read.artifacts import Metadata, Resource, load, root_package, tag_names


class GraphNode(Resource, frozen=True):
    """A resource of any kind. Fields that only few selections need stay undecoded (``msgspec.Raw``)."""

    latest_version: str | int | float | None = None
    access: str | None = None
    config: msgspec.Raw = msgspec.Raw(b"{}")

    @property
    def package(self) -> str:
        """The dbt package it belongs to."""
        return self.package_name or ""

    @property
    def yaml_path(self) -> str:
        """Where its YAML stands, without the package's name."""
        declared = (self.patch_path or "").replace("\\", "/")
        return declared.partition("://")[2] or declared

    @property
    def is_versioned(self) -> bool:
        """Models alone have versions."""
        return self.resource_type == "model" and self.version is not None

    @property
    def tag_names(self) -> list[str]:
        """Its tags."""
        return tag_names(self.tags)


class GraphManifest(msgspec.Struct, frozen=True):
    """manifest.json, as far as selection needs it."""

    metadata: Metadata | None = None
    nodes: dict[str, GraphNode] | msgspec.UnsetType = msgspec.UNSET
    sources: dict[str, GraphNode] | None = None
    exposures: dict[str, GraphNode] | None = None
    metrics: dict[str, GraphNode] | None = None
    semantic_models: dict[str, GraphNode] | None = None
    saved_queries: dict[str, GraphNode] | None = None
    unit_tests: dict[str, GraphNode] | None = None
    functions: dict[str, GraphNode] | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """Enabled resources by unique_id, and the edges between them."""

    nodes: Mapping[str, GraphNode]
    parents: Mapping[str, Collection[str]]
    children: Mapping[str, Collection[str]]
    project: str  # the root project's package

    def where(self, fits: Callable[[GraphNode], bool]) -> set[str]:
        """unique_ids of the nodes that fit."""
        return {unique_id for unique_id, node in self.nodes.items() if fits(node)}

    def ancestors(self, start: Iterable[str], depth: float = inf) -> set[str]:
        """What ``start`` depends on, ``depth`` edges far; members of ``start`` only where another depends on them."""
        return _reached(self.parents, start, depth)

    def descendants(self, start: Iterable[str], depth: float = inf) -> set[str]:
        """What depends on ``start``, as `ancestors`."""
        return _reached(self.children, start, depth)


def load_graph(path: Path) -> Graph:
    """The graph of a manifest.

    Raises:
        ArtifactError: as `load_manifest`.
    """
    manifest = load(path, GraphManifest, "manifest")
    groups = (
        *(manifest.nodes or {}, manifest.sources, manifest.exposures, manifest.metrics, manifest.semantic_models),
        *(manifest.saved_queries, manifest.unit_tests, manifest.functions),
    )
    nodes = {i: node for group in groups for i, node in (group or {}).items() if _enabled(node)}
    parents = {i: [p for p in node.parents if p in nodes] for i, node in nodes.items()}
    children: dict[str, list[str]] = {}
    for unique_id, above in parents.items():
        for parent in above:
            children.setdefault(parent, []).append(unique_id)
    project = root_package(manifest.metadata, (node.package_name for node in nodes.values()))
    return Graph(nodes, parents, children, project)


def mapping(raw: msgspec.Raw) -> dict[str, Any]:
    """The object in ``raw``; empty where it is something else."""
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):  # text is checked only where it is decoded
        return {}


def _enabled(node: GraphNode) -> bool:
    # dbt keeps disabled nodes apart; only sources could stay among the enabled ones, in old versions
    return node.resource_type != "source" or mapping(node.config).get("enabled") is not False


def _reached(edges: Mapping[str, Collection[str]], start: Iterable[str], depth: float) -> set[str]:
    reached: set[str] = set()
    layer = set(start)
    steps = 0
    while layer and steps < depth:
        layer = {there for here in layer for there in edges.get(here, ())} - reached
        reached |= layer
        steps += 1
    return reached
