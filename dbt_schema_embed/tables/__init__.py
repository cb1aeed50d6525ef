"""Room: a table in a CSV, Parquet or DDL file, or in memory; out comes a Relation with samples of its values."""

from dbt_schema_embed.tables.table_files import read_relation as read_relation
from dbt_schema_embed.tables.table_files import read_relations as read_relations
