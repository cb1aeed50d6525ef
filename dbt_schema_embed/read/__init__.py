"""Room: artifacts, SQL, CSV, Parquet and DDL in; Project and Relation out."""

from dbt_schema_embed.read.project import read_project, target_folder
from dbt_schema_embed.read.selection import select
from dbt_schema_embed.read.tables import read_relation, read_relations

__all__ = ["read_project", "read_relation", "read_relations", "select", "target_folder"]
