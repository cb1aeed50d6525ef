"""Room: artifacts, SQL, CSV, Parquet and DDL in; Project and Relation out.

Names are imported on first use: `check` reads a project and needs neither selection nor tables in files.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt_schema_embed.read.info_schema import info_schema_files as info_schema_files
    from dbt_schema_embed.read.project import read_project as read_project
    from dbt_schema_embed.read.project import target_folder as target_folder
    from dbt_schema_embed.read.selection import select as select
    from dbt_schema_embed.read.table_files import read_relation as read_relation
    from dbt_schema_embed.read.table_files import read_relations as read_relations

_HOMES = {
    "info_schema_files": "info_schema",
    "read_project": "project",
    "read_relation": "table_files",
    "read_relations": "table_files",
    "select": "selection",
    "target_folder": "project",
}
__all__ = ["info_schema_files", "read_project", "read_relation", "read_relations", "select", "target_folder"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
