"""files.py: any name is made into one harmless part of a path."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.files import NAME_BYTES, safe_name


@pytest.mark.parametrize("name", ["stripe__charges", "a.b-c_1", "größe", "x" * 200, "a..b", "日本語"])
def test_ordinary_names_stay(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../a", "..\\a", "a\0b", "a\nb", "con", "CON", "nul.yml", "LPT1", "aux.", ".hidden", "-rf", "a b",
     "x" * 201, "é" * 150, "a.", "a:b", "\u202eexe.yml", "\x1b[31m", "\ud800", "e\u0301", "~a", "COM¹"],
)  # fmt: skip
def test_other_names_are_made_harmless(name: str) -> None:
    assert "~" in safe_name(name)


@given(st.text(st.characters(), max_size=300))
def test_every_name_is_one_harmless_path_part(name: str) -> None:
    made = safe_name(name)
    assert 0 < len(made.encode()) <= NAME_BYTES
    assert Path(made).name == made
    assert made[0] not in ".-~"
    assert all(c.isalnum() or c in "_-.~" for c in made)
    assert not made.endswith(".")
    assert made == name or made[-11] == "~"


@given(st.lists(st.text("ab./\\\0~_", max_size=6), unique=True))
def test_two_names_never_share_a_file(names: list[str]) -> None:
    assert len({safe_name(n) for n in names}) == len(names)
