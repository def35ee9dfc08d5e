"""Storage: Parquet parts, manifests, landing files and the published DuckDB file."""
