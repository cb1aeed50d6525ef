"""dbt's node selection syntax over the sources, models, seeds and snapshots of a project."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from dbt_schema_embed.errors import ConfigError, nearest, printable
from dbt_schema_embed.read.graph import Graph, load_graph
from dbt_schema_embed.read.selection_methods import METHODS, near_names
from dbt_schema_embed.records import Project

# dbt's own grammar of one criterion: @ or N+ before, a method, a value, +N behind.
_CRITERION = re.compile(
    r"(?P<at>@)?(?P<up>\d*\+)?(?:(?P<method>[\w.]+):)?(?P<value>.*?)(?P<down>\+\d*)?\Z",
    re.DOTALL,
)
_FILE_ENDINGS = (".sql", ".py", ".csv")
_NEAREST = 3
_SPACE = "\0"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion, e.g. ``2+tag:nightly+``."""

    method: str  # "fqn", "tag", "config" ...
    argument: str  # "materialized" in config.materialized:view
    value: str
    at: bool
    up: float  # steps to what it depends on; inf: without end
    down: float  # steps to what depends on it


def select(project: Project, select: Sequence[str], exclude: Sequence[str]) -> frozenset[str]:
    """unique_ids of the sources, models, seeds and snapshots that ``dbt ls`` would list.

    Args:
        project: Its manifest is read again for dbt's graph, for tests and exposures take part in it.
        select: dbt's syntax: names and dotted paths with wildcards, ``source:``, ``tag:``, ``path:``, ``package:``,
            and so on, with ``+``, ``N+`` and ``@``; spaces and items unite, commas intersect. Empty: everything.
        exclude: The same; taken away.

    Raises:
        ConfigError: a criterion dbt would not understand, ``state:``, or nothing is selected; the
            message says which near names exist.
        ArtifactError: the manifest can no longer be read.
    """
    known = frozenset(relation.id for relation in project.relations)
    if not any(map(str.split, (*select, *exclude))):
        return known
    graph = load_graph(Path(project.manifest))
    wanted = list(_criteria(parts(project, select)))
    chosen = _united(wanted, graph) & known if wanted else known
    if not chosen:
        raise _nothing(wanted, " ".join(select), graph)
    left = chosen - _united(list(_criteria(parts(project, exclude))), graph)
    if not left:
        raise ConfigError(f"--exclude {printable(' '.join(exclude))} takes away all that is selected")
    return left


def parts(project: Project, items: Sequence[str]) -> Iterator[str]:
    """The parts of a union. Spaces part them, but for those in the name of a source or of its table."""
    said = (name for r in project.relations if r.kind == "source" for name in (r.source_name, r.label))
    names = sorted({name for name in said if " " in name}, key=len, reverse=True)
    held = re.compile("|".join(map(re.escape, names)) or r"(?!)", re.IGNORECASE)
    for item in items:
        for part in held.sub(lambda found: found[0].replace(" ", _SPACE), item).split():
            yield part.replace(_SPACE, " ")


def _criteria(items: Iterable[str]) -> Iterator[list[Criterion]]:
    """Every part of the union, as its intersection."""
    for part in items:
        yield [_criterion(text) for text in part.split(",")]


def _criterion(text: str) -> Criterion:
    found = _CRITERION.match(text)
    if found is None or not found["value"]:
        raise ConfigError(
            f"{printable(text)!r} selects by no name", hint="write a name, or method:value, e.g. tag:daily"
        )
    if found["at"] and found["down"]:
        raise ConfigError(f"{printable(text)!r}: @ before and + behind do not go together")
    method, _, argument = (found["method"] or _default_method(found["value"])).partition(".")
    if method not in METHODS:
        close = nearest(method, METHODS, cutoff=0.5)
        hint = f"did you mean {close[0]}:?" if close else f"known are: {', '.join(sorted(METHODS))}"
        raise ConfigError(f"unknown method {printable(method)!r} in the selection {printable(text)!r}", hint=hint)
    up, down = _steps(found["up"]), _steps(found["down"])
    return Criterion(method, argument, found["value"], bool(found["at"]), up, down)


def _default_method(value: str) -> str:
    if "/" in value or "\\" in value:
        return "path"
    return "file" if value.lower().endswith(_FILE_ENDINGS) else "fqn"


def _steps(sign: str | None) -> float:
    """How far ``+`` or ``3+`` leads."""
    digits = (sign or "0").strip("+")
    return int(digits[:9]) if digits else inf


def _united(parts: list[list[Criterion]], graph: Graph) -> frozenset[str]:
    return frozenset[str]().union(*(_intersected(part, graph) for part in parts))


def _intersected(part: list[Criterion], graph: Graph) -> set[str]:
    return set.intersection(*(_with_neighbours(criterion, graph) for criterion in part))


def _with_neighbours(criterion: Criterion, graph: Graph) -> set[str]:
    named = METHODS[criterion.method](graph, criterion.value, criterion.argument)
    reached = set(named)
    if criterion.at:
        below = graph.descendants(named) | named
        reached |= below | graph.ancestors(below)
    return reached | graph.ancestors(named, criterion.up) | graph.descendants(named, criterion.down)


def _nothing(parts: list[list[Criterion]], said: str, graph: Graph) -> ConfigError:
    near: dict[str, None] = {}
    for criterion in (c for part in parts for c in part):
        names = near_names(criterion.method, graph)
        value = criterion.value.lower().strip("*")
        holding = sorted((n for n in names if value and value in names[n].lower()), key=lambda n: (len(n), n))
        alike = {names[n]: n for n in sorted(names, reverse=True)}
        close = nearest(criterion.value, alike, _NEAREST, 0.5)
        near |= dict.fromkeys([*holding[:_NEAREST], *(alike[v] for v in close)])
    shown = ", ".join(printable(name) for name in list(near)[: 2 * _NEAREST])
    hint = f"near names: {shown}" if near else "`dbt ls` lists what there is to select"
    return ConfigError(f"the selection {printable(said)!r} selects nothing", hint=hint)
