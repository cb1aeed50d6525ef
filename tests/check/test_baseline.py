"""A baseline silences what was there, wherever it moves, and nothing new."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dbt_schema_embed.check import baseline_text, fingerprint, read_baseline, unknown_only
from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.records import Problem

OLD = Problem("fed-twice", "error", "'a.b' is fed by 'c' already", "m/a.yml", 7, "reject one of the two")
NEW = replace(OLD, message="'a.b' is fed by 'd' already")


def test_known_problems_are_silent_on_any_line(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(baseline_text([OLD, OLD]), encoding="utf-8")
    moved = replace(OLD, line=99, severity="warning", hint="")
    assert unknown_only([moved, NEW], read_baseline(path)) == ([NEW], [])
    assert unknown_only([NEW], read_baseline(path)) == ([NEW], [fingerprint(OLD)])


def test_the_file_is_stable_and_readable() -> None:
    text = baseline_text([NEW, OLD])
    assert text == baseline_text([OLD, NEW, OLD])
    assert list(json.loads(text)["known"].values()) == [
        "m/a.yml: 'a.b' is fed by 'c' already [fed-twice]",
        "m/a.yml: 'a.b' is fed by 'd' already [fed-twice]",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "baseline PATH cannot be read: No such file or directory"),
        (b"{", "baseline PATH is not JSON"),
        (b"\xff", "baseline PATH is not JSON"),
        (b"[" * 100_000, "baseline PATH is not JSON"),
        (b"[]", "PATH is no baseline of version 1"),
        (b'{"version": 2, "known": {}}', "PATH is no baseline of version 1"),
        (b'{"version": 1, "known": []}', "PATH is no baseline of version 1"),
    ],
)
def test_a_baseline_that_is_none(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "baseline.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_baseline(path)
    hint = "write it anew with: dbt-schema-embed check --write-baseline"
    assert str(caught.value) == f"{said}\n  {hint}".replace("PATH", str(path))
