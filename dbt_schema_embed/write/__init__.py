"""Room: suggestions in; mapping YAML, JSON, tables and Markdown out, and mapping files back in.

Decisions of people go into mapping files (`decide`), accepted ones into the YAML that declares the source (`apply`) and
into staging models (`stage`). Whatever changes a file hands back a `Rewrite`: nothing is written before its `write`.

Names are resolved on first use: `check` reads mapping files in a hook, and needs no more of this room than that.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt_schema_embed.write.apply import Applied as Applied
    from dbt_schema_embed.write.apply import apply_mappings as apply_mappings
    from dbt_schema_embed.write.decide import Decision as Decision
    from dbt_schema_embed.write.decide import confident as confident
    from dbt_schema_embed.write.mapping import SCHEMA_NAME as SCHEMA_NAME
    from dbt_schema_embed.write.mapping import mapping_path as mapping_path
    from dbt_schema_embed.write.mapping import model_names as model_names
    from dbt_schema_embed.write.mapping import read_mapping as read_mapping
    from dbt_schema_embed.write.mapping import schema_text as schema_text
    from dbt_schema_embed.write.markdown import to_markdown as to_markdown
    from dbt_schema_embed.write.rewrite import Rewrite as Rewrite
    from dbt_schema_embed.write.show import to_json as to_json
    from dbt_schema_embed.write.show import to_table as to_table
    from dbt_schema_embed.write.stage import Staged as Staged
    from dbt_schema_embed.write.stage import StageOptions as StageOptions
    from dbt_schema_embed.write.update import update_mapping as update_mapping

_HOMES = {
    "Applied": "apply",
    "Decision": "decide",
    "Rewrite": "rewrite",
    "SCHEMA_NAME": "mapping",
    "StageOptions": "stage",
    "Staged": "stage",
    "apply_mappings": "apply",
    "confident": "decide",
    "mapping_path": "mapping",
    "model_names": "mapping",
    "read_mapping": "mapping",
    "schema_text": "mapping",
    "to_json": "show",
    "to_markdown": "markdown",
    "to_table": "show",
    "update_mapping": "update",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
