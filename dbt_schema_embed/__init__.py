"""Match raw source columns to dbt model columns, with a confidence and a reason.

dbt 1.x imports every top-level module named ``dbt_*`` at almost every command, asks it for ``plugins`` and dies when
the import raises. So this file imports nothing of weight, and names are resolved on first use from a fixed list.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed as SchemaEmbed
    from dbt_schema_embed.settings import Settings as Settings
    from dbt_schema_embed.tables import read_relation as read_relation

__version__ = "0.2.0"
__all__ = ["SchemaEmbed", "Settings", "__version__", "plugins", "read_relation"]

plugins: list[Any] = []
"""What dbt's plugin manager asks for: we hook into nothing."""

_HOMES = {
    "SchemaEmbed": "dbt_schema_embed.pipeline",
    "Settings": "dbt_schema_embed.settings",
    "read_relation": "dbt_schema_embed.tables",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
