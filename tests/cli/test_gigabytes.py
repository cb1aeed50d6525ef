"""Files of a gigabyte where small ones are expected: refused, or looked at in part, without reading them."""

import os
import resource
from pathlib import Path

import pytest

from tests.cli.conftest import Tool

CASES = {
    "target/manifest.json": ("check", 3, "has 1,073,741,824 bytes, more than"),
    "target/catalog.json": ("suggest", 3, "has 1,073,741,824 bytes, more than"),
    "schema_mappings/a.yml": ("check", 1, "it is larger than 8 MiB"),
    "dbt_schema_embed.yml": ("check", 2, "dbt_schema_embed.yml"),
    "dbt_project.yml": ("check", 2, "dbt_project.yml is larger than 1 MB"),
    "baseline.json": ("check --baseline baseline.json", 2, "baseline baseline.json is larger than 64 MiB"),
    "target/schema_embed/profile.json": ("suggest", 0, "has 1,073,741,824 bytes, more than"),
    "a.sql": ("match a.sql a.sql", 3, "has 1,073,741,824 bytes, more than"),
    "a.csv": ("match a.csv a.csv", 3, "a.csv is not text"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_gigabyte(in_shop: Tool, shop: Path, name: str) -> None:
    command, code, message = CASES[name]
    path = shop / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.truncate(path, 2**30)  # a sparse file: it takes no space
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = in_shop(*command.split())
    assert done.code == code, done.err
    assert message in done.out + done.err
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000, "kB"
