"""The sqlglot dialect of a dbt adapter."""

from dbt_schema_embed.errors import ConfigError, near_hint, printable

# Adapters whose name is not sqlglot's word for their SQL. Those that speak PostgreSQL's or MySQL's are set to it.
_ADAPTERS = {
    "alloydb": "postgres",
    "azuresynapse": "tsql",
    "cratedb": "postgres",
    "databend": "mysql",
    "fabricspark": "spark",
    "glue": "spark",
    "greenplum": "postgres",
    "impala": "hive",
    "layer_bigquery": "bigquery",
    "mariadb": "mysql",
    "mysql5": "mysql",
    "netezza": "postgres",
    "postgresql": "postgres",
    "questdb": "postgres",
    "singlestore": "singlestore",
    "spark_livy": "spark",
    "sqlserver": "tsql",
    "synapse": "tsql",
    "tidb": "mysql",
    "vertica": "postgres",
    "watsonx_presto": "presto",
    "yellowbrick": "postgres",
}

# sqlglot's dialects of SQL, listed so that a wrong name is an error before sqlglot (0.3 s) is imported.
DIALECTS = frozenset(
    (
        *("athena", "bigquery", "clickhouse", "databricks", "doris", "dremio", "drill", "druid", "duckdb", "dune"),
        *("exasol", "fabric", "hive", "materialize", "mysql", "oracle", "postgres", "presto", "redshift"),
        *("risingwave", "singlestore", "snowflake", "spark", "spark2", "sqlite", "starrocks", "teradata", "trino"),
        "tsql",
    )
)


def adapter_dialect(adapter: str | None) -> str | None:
    """The sqlglot dialect of dbt's ``adapter_type``; None when it is missing or not known."""
    name = (adapter or "").strip().lower()
    name = _ADAPTERS.get(name, name)
    return name if name in DIALECTS else None


def checked_dialect(dialect: str | None) -> str | None:
    """``dialect`` as a person typed it: sqlglot's name or an adapter's.

    Raises:
        ConfigError: the name is not known.
    """
    if dialect is None:
        return None
    known = adapter_dialect(dialect)
    if known is None:
        hint = near_hint(dialect, sorted(DIALECTS | set(_ADAPTERS)), 0.5) or f"known are: {', '.join(sorted(DIALECTS))}"
        raise ConfigError(f"unknown SQL dialect {printable(dialect)!r}", hint=hint)
    return known
