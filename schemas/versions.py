"""Versions of rows: a table that keeps the last one of each key, in the place of the one before."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def put_rows(frame: pl.DataFrame, places: pl.Series, rows: pl.DataFrame) -> pl.DataFrame:
    """A frame with these rows in place of those at some positions. Columns of which nothing changes are not copied."""
    old = frame[places]
    changing = [name for name in frame.columns if not old[name].equals(rows[name], null_equal=True)]
    return frame.with_columns(frame[name].clone().scatter(places, rows[name]) for name in changing)


def last_versions(rows: pl.DataFrame, changes: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Rows, each key once, with the last version that `changes` has of a key in its place, and new keys at the end.

    The new ones stand by key. Out: as many rows as there are keys.
    """
    last = changes.unique(key, keep="last", maintain_order=True).sort(key)
    places = rows.select(key).with_row_index("place").join(last.select(key), on=key, how="semi")
    found = last.select(key).with_row_index("version").join(places, on=key, how="left", maintain_order="left")
    known = found.filter(pl.col("place").is_not_null())
    new = found.filter(pl.col("place").is_null())["version"]
    return put_rows(rows, known["place"], last[known["version"]]).vstack(last[new])
