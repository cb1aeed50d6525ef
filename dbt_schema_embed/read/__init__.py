"""Room: a project's artifacts and files in; a Project out, its lineage as `sql` reads it, seeds as `tables` does.

Names are imported on first use: `check` reads a project and needs no selection.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt_schema_embed.read.info_schema import info_schema_files as info_schema_files
    from dbt_schema_embed.read.project import read_project as read_project
    from dbt_schema_embed.read.project import target_folder as target_folder
    from dbt_schema_embed.read.selection import parts as parts
    from dbt_schema_embed.read.selection import select as select

_HOMES = {
    "info_schema_files": "info_schema",
    "parts": "selection",
    "read_project": "project",
    "select": "selection",
    "target_folder": "project",
}
__all__ = ["info_schema_files", "parts", "read_project", "select", "target_folder"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
