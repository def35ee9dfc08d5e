"""What an importer returns, and how it reads a file of known columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.homes import HomeError


@dataclass(frozen=True, slots=True)
class Conversion:
    """Landing rows by table, as text with `business_date`, and how many rows of each kind the file had."""

    tables: Mapping[str, pl.DataFrame]
    counts: Mapping[str, int]


def read_columns(file: Path, columns: pl.Schema) -> pl.DataFrame:
    """All columns of a Parquet file, those named here in these types and without empty values.

    Raises HomeError, which says what is missing.
    """
    if not file.is_file():
        msg = f"there is no file {file}"
        raise HomeError(msg)
    try:
        rows = pl.read_parquet(file, glob=False, hive_partitioning=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        msg = f"{file} is no Parquet file that can be read"
        raise HomeError(msg) from error
    missing = [name for name in columns if name not in rows.columns]
    if missing:
        msg = f"{file} has no column {', '.join(missing)}; it has {', '.join(rows.columns)}"
        raise HomeError(msg)
    try:
        rows = rows.cast(columns)
    except pl.exceptions.PolarsError as error:
        msg = f"{file}: {str(error).splitlines()[0]}"
        raise HomeError(msg) from error
    empty = [name for name in columns if rows[name].null_count()]
    if empty or rows.is_empty():
        msg = f"{file} has rows without {', '.join(empty)}" if empty else f"{file} has no rows"
        raise HomeError(msg)
    return rows
