"""What a row of the book said when it landed, where some of that has been changed since.

A row that comes in again is held against what landed, not against what became of it (R-ACC-03, R-CI-08). A column of
the table keeps it as JSON, from the first change on.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def keep_landed(rows: pl.DataFrame, names: Sequence[str], kept: str) -> pl.Series:
    """For rows that are about to change, what column `kept` is to hold of the columns that may change."""
    now = pl.struct(pl.col(names).cast(pl.String)).struct.json_encode()
    return rows.select(pl.coalesce(kept, now).alias(kept)).to_series()


def as_landed(rows: pl.DataFrame, names: Sequence[str], kept: str) -> pl.DataFrame:
    """These rows with the values with which they landed."""
    if rows[kept].null_count() == rows.height:
        return rows
    landed = pl.col(kept).str.json_decode(pl.Struct(dict.fromkeys(names, pl.String)))
    return rows.with_columns(
        pl.when(pl.col(kept).is_not_null())
        .then(_read(landed.struct.field(name), rows.schema[name]))
        .otherwise(name)
        .alias(name)
        for name in names
    )


def _read(text: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    return text.str.to_date() if dtype == pl.Date else text.cast(dtype)
