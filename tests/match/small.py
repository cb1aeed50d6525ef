"""A small dictionary, and what a reader makes of a table's names by it."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import yaml

from dbt_schema_embed.match.knowledge import Knowledge, Listed, Origin, read_entries
from dbt_schema_embed.match.reading import Reader, Reading
from dbt_schema_embed.records import Column, Relation

FIXTURES = Path(__file__).parents[1] / "fixtures/match"


def dictionary(files: dict[str, Any]) -> Knowledge:
    """Of entries by kind, each origin's under its name."""
    known = Knowledge((), Listed(), frozenset(files["plain"].split()))
    for kind, text in files.items():
        for part in text.split("# ")[1:] if kind != "plain" else ():
            name, _, entries = part.partition("\n")
            known = known.with_words(read_entries(entries), Origin(kind, name))  # type: ignore[arg-type]
    return known


DICTIONARY = dictionary(yaml.safe_load((FIXTURES / "small_dictionary.yml").read_text("utf-8")))


def table(names: str, name: str = "t") -> Relation:
    """A source table of columns without types."""
    columns = tuple(Column(c, position=i) for i, c in enumerate(names.split()))
    return Relation(f"source.p.s.{name}", name, "source", columns, source_name="s")


def shown(
    names: str, name: str = "t", vocabulary: Collection[str] = (), beside: Sequence[Relation] = ()
) -> tuple[tuple[str, ...], dict[str, str]]:
    """What a table speaks, and each name's pieces and readings: ``kunden=German nr=German: customer number``."""
    one = table(names, name)
    found = Reader(DICTIONARY, frozenset(vocabulary)).read(one, beside and [one, *beside])
    return found.origins, {c.name: line(r) for c, r in zip(one.columns, found.columns, strict=True)}


def line(reading: Reading) -> str:
    """A reading as text; pieces that are not known have a question mark."""
    parts = [p.text + (f"={p.origin.name}" if p.origin else "" if p.known else "?") for p in reading.parts]
    return f"{' '.join(parts)}: {' | '.join(' '.join(v) for v in reading.variants)}"
