"""Words of errors."""

import pytest

from dbt_schema_embed.errors import listed, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("größe 建物 👩‍👩‍👧", "größe 建物 👩‍👩‍👧"),
        ("a\x00b\x1b[31mc\x9bd\r\n", "ab[31mcd"),
        ("left\u202eright\u2066\u200f\u061c", "leftright"),
        ("line\u2028end", "lineend"),
        ("half\ud800", "half"),
        (7, "7"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "\u2026"),
        ("\x1b" * 5_000 + "x", ""),
    ],
)
def test_printable(text: object, shown: str) -> None:
    assert printable(text) == shown


def test_listed_sorts_and_cuts() -> None:
    assert listed(["b", "a"]) == "a, b"
    assert listed([str(n) for n in range(7)]) == "0, 1, 2, 3, 4 and 2 more"
