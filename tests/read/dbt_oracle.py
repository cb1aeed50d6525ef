"""What dbt itself selects. Run in a process of its own: questions to stdin, answers from stdout, one JSON a line.

A question is {"project": where, "select": [...], "exclude": [...]}; where is a manifest, or the folder of a project,
which is then parsed (its manifest is written) and is the current folder of what is asked about it.
An answer is the sorted list of the sources, models, seeds and snapshots that `dbt ls` would list.
"""

import json
import os
import sys
from argparse import Namespace
from functools import cache
from pathlib import Path
from typing import Any

import dbt.flags
from dbt.cli.main import dbtRunner
from dbt.compilation import Linker
from dbt.contracts.graph.manifest import Manifest, WritableManifest
from dbt.graph.cli import parse_difference
from dbt.graph.graph import Graph
from dbt.graph.selector import NodeSelector

KINDS = ("source", "model", "seed", "snapshot")


class TolerantLinker(Linker):  # type: ignore[misc]
    """Links manifests that were trimmed: an edge to a node that is not there is no edge."""

    def dependency(self, node1: str, node2: str) -> None:
        self.graph.add_edge(node2, node1, edge_type="parent")

    def link_node(self, node: Any, manifest: Manifest) -> None:
        self.add_node(node.unique_id)
        for needed in node.depends_on_nodes:
            if needed in manifest.nodes or needed in manifest.sources or needed in manifest.metrics:
                self.dependency(node.unique_id, needed)


@cache
def read(manifest: str) -> Manifest:
    return Manifest.from_writable_manifest(WritableManifest.read_and_check_versions(manifest))


@cache
def parsed(project: str) -> Manifest:
    result = dbtRunner().invoke(["-q", "parse", "--project-dir", project, "--profiles-dir", project])
    if not result.success:
        raise result.exception or RuntimeError("dbt parse failed")
    return result.result


@cache
def graph_of(where: str) -> Graph:
    linker = TolerantLinker()
    linker.link_graph(parsed(where) if Path(where).is_dir() else read(where))
    return Graph(linker.graph)


def answer(question: dict[str, Any]) -> list[str]:
    where = question["project"]
    if Path(where).is_dir():
        os.chdir(where)
        manifest = parsed(where)
    else:
        manifest = read(where)
    set_flags()
    spec = parse_difference(tuple(question["select"]), tuple(question["exclude"]))
    selector = NodeSelector(graph_of(where), manifest, None, include_empty_nodes=True)
    return sorted(i for i in selector.get_selected(spec, warn_on_no_nodes=False) if i.split(".")[0] in KINDS)


def set_flags() -> None:
    """The defaults that `dbt ls` selects with."""
    dbt.flags.set_from_args(Namespace(), None)
    flags = dbt.flags.get_flags()
    object.__setattr__(flags, "INDIRECT_SELECTION", "eager")


if __name__ == "__main__":
    for line in sys.stdin:
        print("answer:" + json.dumps(answer(json.loads(line))), flush=True)
