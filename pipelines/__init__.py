"""What starts the work: the command line, the Dagster definitions, the synthetic book, importers."""
