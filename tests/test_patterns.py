"""Every regular expression of the package takes time in proportion to the text, also to one that is made to hurt it."""

import ast
import importlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubling import assert_linear

ROOT = Path(__file__).parent.parent / "dbt_schema_embed"
SIZE = 16_000
QUICK = 0.03
"""Seconds in which a pattern has read SIZE characters, unless each costs a look at all others."""
ANCHORED = {"match", "fullmatch"}


def sample(item: tuple[Any, Any]) -> str:
    """A text that a piece of a parsed pattern matches, more or less."""
    kind, value = str(item[0]), item[1]
    if kind == "LITERAL":
        return chr(value)
    if kind in ("IN", "ANY", "NOT_LITERAL", "CATEGORY"):
        wanted = re._compiler.compile(parsed([item]))  # type: ignore[attr-defined]
        likely = "x 1_\n-a." + "".join(map(chr, range(32, 0x250)))
        return next((c for c in likely if wanted.match(c)), "x")
    if kind.endswith("REPEAT"):
        return "".join(map(sample, value[2])) * max(1, value[0])
    return "".join(map(sample, next(iter(inside(item)), [])))


def parsed(items: list[tuple[Any, Any]]) -> Any:
    """Items as the compiler takes them."""
    return re._parser.SubPattern(re._parser.State(), items)  # type: ignore[attr-defined]


def inside(item: tuple[Any, Any]) -> list[Any]:
    """The patterns in a piece."""
    kind, value = str(item[0]), item[1]
    if kind.endswith("REPEAT"):
        return [value[2]]
    if kind == "SUBPATTERN":
        return [value[3]]
    if kind == "BRANCH":
        return list(value[1])
    if kind == "ATOMIC_GROUP":
        return [value]
    return [value[1]] if kind in ("ASSERT", "ASSERT_NOT") else []


def pieces(items: Any, head: str = "") -> Iterator[tuple[str, str]]:
    """What stands before each piece, and the piece; and both as one."""
    for item in items:
        for inner in inside(item):
            yield from pieces(inner, head)
        if said := sample(item):
            yield from ((head, said), ("", said), ("", head + said))
            head += said


def texts(pattern: re.Pattern[Any]) -> set[tuple[str, str, str]]:
    """(before, what is repeated, behind) made from the pattern itself."""
    binary = isinstance(pattern.pattern, bytes)
    source = pattern.pattern.decode("latin-1") if binary else pattern.pattern
    items = re._parser.parse(source, pattern.flags & ~re.UNICODE if binary else pattern.flags)  # type: ignore[attr-defined]
    units = {(head, unit + more) for head, unit in pieces(items) for more in ("", " ", "x", "\n") if len(unit) < 1000}
    return {(head, unit, end) for head, unit in units for end in ("", "\0")}


def patterns() -> Iterator[Any]:
    """Every pattern, with the methods that its module calls of it."""
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted(ROOT.rglob("*.py")) if path.stem != "__main__"}
    for path, tree in trees.items():
        try:
            module = importlib.import_module(".".join(path.relative_to(ROOT.parent).with_suffix("").parts))
        except ModuleNotFoundError as gone:
            if (gone.name or "").startswith(ROOT.name):
                raise
            continue  # an extra is not installed; in .venv all are
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                found = (n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == name)
                called = {node.attr for node in found}
                yield pytest.param(value, called, id=f"{path.stem}.{name}")
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.args:
                said, method = node.args[0], ast.unparse(node.func)[3:]
                if isinstance(said, ast.Constant) and method != "compile":
                    flags = [f for f in re.RegexFlag if f"re.{f.name}" in {ast.unparse(a) for a in node.args[1:]}]
                    yield pytest.param(re.compile(said.value, sum(flags)), {method}, id=f"{path.stem}:{node.lineno}")


@pytest.mark.parametrize(("pattern", "methods"), list(patterns()))
def test_a_pattern_is_linear(pattern: re.Pattern[Any], methods: set[str]) -> None:
    search: list[Callable[[Any], object]] = [getattr(pattern, method) for method in methods & ANCHORED]
    if not methods or methods - ANCHORED:
        search = [lambda text: [None for _ in pattern.finditer(text)]]
    for before, unit, behind in texts(pattern):

        def work(size: int, parts: tuple[str, str, str] = (before, unit, behind)) -> None:
            text: Any = parts[0] + parts[1] * (size // len(parts[1]) + 1) + parts[2]
            for look in search:
                look(text.encode() if isinstance(pattern.pattern, bytes) else text)

        start = time.thread_time()
        work(SIZE)
        if time.thread_time() - start > QUICK:
            assert_linear(work, SIZE)


@pytest.mark.parametrize("bad", [r"\{\{config\([^)]*\benabled", rb"- +.*name"])
def test_a_pattern_that_is_not_is_found(bad: Any) -> None:
    with pytest.raises(AssertionError):
        test_a_pattern_is_linear(re.compile(bad), {"search"})
