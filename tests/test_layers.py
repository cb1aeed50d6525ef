"""The floor plan of DESIGN, read from the imports: data flows one way, and no room knows another."""

import ast
import re
from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = "dbt_schema_embed"
HOME = Path(__file__).resolve().parent.parent / PACKAGE
LEAVES = frozenset(
    {
        "records",
        "errors",
        "files",
        "arrays",
        "types",
        "expressions",
        "casts",
        "lookup",
        "progress",
        "sensitive",
        "extras",
        "deadline",
        "dialects",
        "doors",
        "colors",
        "yaml_values",
        "words",
        "tabular",
    }
)
ROOMS = frozenset({"sql", "tables", "read", "embed", "index", "match", "write", "check", "show"})
ALLOWED = {
    "": frozenset[str](),  # the package itself: dbt imports it at almost every command
    **dict.fromkeys(LEAVES, frozenset({"errors"})),
    "records": frozenset({"tabular"}),
    "arrays": {"errors", "files"},
    "casts": frozenset({"types"}),
    "lookup": frozenset({"records", "errors"}),
    "settings": {"errors", "files", "yaml_values", "records"},
    **dict.fromkeys(ROOMS, LEAVES),
    "read": LEAVES | {"sql", "tables"},
    "observe": LEAVES | ROOMS | {"settings", "decide"},
    "decide": LEAVES | {"write", "show"},
    "pipeline": LEAVES | ROOMS | {"settings", "decide", "observe"},
    "agent": LEAVES | {"pipeline", "settings", "decide", "read", "write"},
    "osmosis": {"records", "settings", "decide"},
    "cli": {"pipeline", "settings", "errors", "extras", "colors", "doors", "agent", "show", "decide"},
}
"""Top-level name -> what it may import of ours, beside itself and the version in the package's `__init__`."""


def top_of(path: Path) -> str:
    """The top-level name a file belongs to: `read` for read/sql/lineage.py, `records` for records.py."""
    first = path.relative_to(HOME).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def package_of(path: Path) -> list[str]:
    """The package a file's relative imports start from: [PACKAGE, "read"] for read/catalog.py."""
    return [PACKAGE, *path.relative_to(HOME).parts[:-1]]


def run_time_children(node: ast.AST) -> Iterable[ast.AST]:
    """The children of ``node`` without those that only type checkers see."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return node.orelse
    return ast.iter_child_nodes(node)


def imports(node: ast.AST, package: list[str]) -> Iterator[tuple[str, int]]:
    """Every name that ``node`` imports at run time, in full, with its line."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, node.lineno) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = package[: len(package) - node.level + 1] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)
    else:
        for child in run_time_children(node):
            yield from imports(child, package)


def forbidden(source: str, top: str, package: list[str]) -> list[str]:
    """The arrows in ``source``, a file under ``top``, that the floor plan does not have."""
    found = []
    for name, line in imports(ast.parse(source), package):
        parts = name.split(".")
        if parts[0] != PACKAGE:
            continue
        target = parts[1] if len(parts) > 1 else ""
        if target in ALLOWED and target not in ALLOWED[top] | {top}:
            found.append(f"line {line}: {top or PACKAGE} imports {name}")
    return found


FILES = sorted(HOME.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOME)))
def test_no_arrow_beside_the_floor_plan(path: Path) -> None:
    assert forbidden(path.read_text("utf-8"), top_of(path), package_of(path)) == []


def test_every_file_and_folder_has_a_place_in_the_floor_plan() -> None:
    assert {top_of(path) for path in FILES} <= set(ALLOWED)


def test_no_room_stands_above_and_below_another() -> None:
    above = {top: set(below) - {top} for top, below in ALLOWED.items()}
    list(TopologicalSorter(above).static_order())  # raises CycleError


def test_no_file_is_imported_in_a_circle() -> None:
    """What files import as they are imported themselves; what a function imports when it is called is no circle."""
    names = {".".join([*package_of(path), path.stem]).removesuffix(".__init__"): path for path in FILES}
    graph: dict[str, set[str]] = {}
    for name, path in names.items():
        found = (imported for node in ast.parse(path.read_text("utf-8")).body for imported, _ in at_once(node, path))
        graph[name] = {n for full in found if (n := full if full in names else full.rpartition(".")[0]) in names}
    for name, wanted in graph.items():  # a package's __init__ imports its files: they do not wait for it
        wanted -= {name, *(parent for parent in names if name.startswith(f"{parent}."))}
    list(TopologicalSorter(graph).static_order())


def at_once(node: ast.stmt, path: Path) -> Iterable[tuple[str, int]]:
    return () if isinstance(node, ast.FunctionDef | ast.ClassDef) else imports(node, package_of(path))


def test_contributing_names_files_that_exist() -> None:
    """Twenty tasks and more, each with the file it is about; the walks; the doors."""
    text = (HOME.parent / "CONTRIBUTING.md").read_text("utf-8")
    table = text[text.index("### Where is") : text.index("### Walks")]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(rows) >= 20
    for row in rows:
        places = re.findall(r"`([\w./]+)`", row.split("|")[2])
        assert places
        assert all((HOME.parent / place).is_file() for place in places), row
    walks = text[text.index("### Walks") : text.index("## Tests\n")]
    places = re.findall(r"`((?:\w+/)+\w*(?:\.py)?)`", walks)
    assert len(places) > 20
    assert [p for p in places if not (HOME / p).exists() and not (HOME.parent / p).exists()] == []


@pytest.mark.parametrize(
    ("source", "top"),
    [
        ("from dbt_schema_embed.index import store", "embed"),
        ("from dbt_schema_embed import index", "embed"),
        ("import dbt_schema_embed.index.store", "embed"),
        ("from ..index import store", "embed"),
        ("from .. import index", "embed"),
        ("def late():\n    from dbt_schema_embed.index import store", "embed"),
        ("from dbt_schema_embed.settings import Settings", "match"),
        ("from dbt_schema_embed.pipeline import SchemaEmbed", "check"),
        ("from dbt_schema_embed.read import read_project", "cli"),
        ("from dbt_schema_embed.records import Column", "cli"),
        ("from dbt_schema_embed.records import Column", "errors"),
        ("from dbt_schema_embed.files import write_text", ""),
        ("if TYPE_CHECKING:\n    import ast\nelse:\n    from dbt_schema_embed.index import store", "embed"),
    ],
)
def test_a_forbidden_arrow_is_seen(source: str, top: str) -> None:
    assert len(forbidden(source, top, [PACKAGE, top])) == 1


@pytest.mark.parametrize(
    ("source", "top"),
    [
        ("from dbt_schema_embed.records import Column", "embed"),
        ("from dbt_schema_embed.embed.text import facets", "embed"),
        ("from .text import facets", "embed"),
        ("from dbt_schema_embed import __version__", "cli"),
        ("from dbt_schema_embed.read import read_project", "pipeline"),
        ("if TYPE_CHECKING:\n    from dbt_schema_embed.pipeline import SchemaEmbed", ""),
        ("import chromadb", "index"),
    ],
)
def test_an_arrow_of_the_plan_is_not_reported(source: str, top: str) -> None:
    assert forbidden(source, top, [PACKAGE, top]) == []
