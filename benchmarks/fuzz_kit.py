"""What the targets of benchmarks/fuzz_readers.py share."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
MANIFEST = FIXTURES / "read" / "manifests" / "dbt_1_11.json"
SMALL = FIXTURES / "read" / "manifests" / "v12.json"
CATALOG = ROOT / "example_project" / "target" / "catalog.json"

One = Callable[[bytes], object]


@dataclass(frozen=True)
class Target:
    """A reader: ``opened`` gives the function to feed, with a folder of its own; ``seeds`` are inputs to start from."""

    opened: Callable[[Path], One]
    seeds: Callable[[], Iterable[bytes]]
    instrumented: tuple[str, ...] = ()  # packages besides ours whose coverage leads on


def answers_or_says(action: Callable[[], object]) -> None:
    """Do ``action``; an error of ours must fit on a terminal, any other error is a crash."""
    from dbt_schema_embed.errors import SchemaEmbedError, printable

    try:
        action()
    except SchemaEmbedError as problem:
        if problem.message != printable(problem.message, 10_000):
            raise ValueError(f"unprintable: {problem.message!a}") from None


def texts(*patterns: str) -> Callable[[], Iterable[bytes]]:
    """The files of the repository that ``patterns`` name, cut to what one input may hold."""
    return lambda: [path.read_bytes()[:8000] for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def edits() -> Iterable[bytes]:
    """Inputs for `edited`."""
    return [b"", b"\0" * 16, bytes(range(256)), b"\1" + bytes(range(255, 0, -1)) * 2]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, below in inner for place in ((*path, key), *places(below, (*path, key)))]


class Edited:
    """A JSON document with changes that bytes choose: values from the document itself, atoms, or nothing at all."""

    def __init__(self, document: Any) -> None:
        self._text = json.dumps(document)
        self._places = places(document)

    def __call__(self, data: bytes) -> bytes:
        """The changed document; data that begins with an X is the document itself."""
        import atheris

        if data[:1] == b"X":
            return data[1:]
        document = json.loads(self._text)
        source = atheris.FuzzedDataProvider(data)
        for _ in range(source.ConsumeIntInRange(1, 6)):
            *path, last = self._places[source.ConsumeIntInRange(0, len(self._places) - 1)]
            inner = document
            try:
                for key in path:
                    inner = inner[key]
                inner[last] = self._value(source)
            except (LookupError, TypeError):  # an earlier change took the place away
                continue
        return json.dumps(document).encode()

    def _value(self, source: Any) -> Any:
        kind = source.ConsumeIntInRange(0, 7)
        if kind < 3:
            return source.ConsumeUnicode(source.ConsumeIntInRange(0, 40))
        if kind == 3:
            return source.ConsumeInt(8)
        if kind == 4:
            return source.ConsumeRegularFloat()
        if kind == 5:
            return source.PickValueInList([None, True, False, [], {}, "", 0, -1, [None], {"": None}, "\0", ".."])
        value = json.loads(self._text)
        for key in self._places[source.ConsumeIntInRange(0, len(self._places) - 1)]:
            value = value[key]
        return [value] if kind == 6 else value
