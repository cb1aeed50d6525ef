"""Room: artifacts, SQL, CSV, Parquet and DDL in; Project and Relation out."""

from dbt_schema_embed.read.project import read_project

__all__ = ["read_project"]
