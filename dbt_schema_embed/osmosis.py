"""dbt-osmosis: source columns that mapping files name, as further names for the columns of a model.

dbt-osmosis finds this module by its entry point and asks, column by column, which other names it may have in ancestors.
So descriptions pass through the renames of a staging model. Only dbt-osmosis imports this: pluggy is its dependency.
"""

from functools import cache
from pathlib import Path
from typing import Any

from pluggy import HookimplMarker

from dbt_schema_embed.decide.mappings import load_mappings
from dbt_schema_embed.records import CERTAIN, MappingRow
from dbt_schema_embed.settings import Settings

hookimpl = HookimplMarker("dbt-osmosis")


@hookimpl
def get_candidates(name: str, node: Any, context: Any) -> list[str]:
    """Source columns that feed column ``name`` of ``node``, as the mapping files spell them; none is no error.

    Rows count that are accepted or existing, or suggested with certainty. Files that cannot be read are passed over:
    `check` reports them.
    """
    names = _names(Path(context.project.runtime_cfg.project_root))
    bare = names.get((node.name.lower(), name.lower()), [])
    return bare + names.get((f"{node.package_name}.{node.name}".lower(), name.lower()), [])


@cache
def _names(root: Path) -> dict[tuple[str, str], list[str]]:
    """Model as mapping files name it and its column, in lower case -> source columns."""
    found: dict[tuple[str, str], list[str]] = {}
    for _, file in load_mappings(root, Settings.load(root).mappings_dir).files:
        for row in file.columns:
            if row.model and row.model_column and _counts(row):
                found.setdefault((row.model.lower(), row.model_column.lower()), []).append(row.source_column)
    return found


def _counts(row: MappingRow) -> bool:
    return row.status in ("accepted", "existing") or (row.status == "suggested" and (row.confidence or 0) >= CERTAIN)
