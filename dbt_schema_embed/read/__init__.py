"""Room: artifacts, SQL, CSV, Parquet and DDL in; Project and Relation out."""
