"""Rows that were made or converted here, on their way into the landing of a home: one file per table and day."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from warehouse.landing import Landed, land
from warehouse.landing_files import BUSINESS_DATE
from warehouse.storage import Home


def land_tables(home: Home, tables: Mapping[str, pl.DataFrame], name: str) -> list[Landed]:
    """Land rows by table, each with its `business_date`, by the way that every file takes.

    The same rows again are the same files, so nothing is done then. Raises what `warehouse.landing.land` raises.
    """
    landed = []
    with TemporaryDirectory(prefix="paidthrough-") as directory:
        for table, rows in tables.items():
            file = Path(directory) / f"{name}.parquet"
            rows.write_parquet(file, compression="uncompressed")
            landed += land(home, table, file)
    return landed


def write_made_up(home: Home, tables: Mapping[str, pl.DataFrame], name: str = "made-up") -> int:
    """Write rows straight into the landing; returns how many files that made.

    Only for rows that can be made again: nothing waits until they are safe on disk, which takes longer than all the
    rest for a year of small files.
    """
    files = 0
    for table, rows in tables.items():
        for (day,), dated in rows.partition_by(BUSINESS_DATE, include_key=False, as_dict=True).items():
            directory = home.landing / table / f"{BUSINESS_DATE}={day}"
            directory.mkdir(parents=True, exist_ok=True)
            dated.write_parquet(directory / f"{name}.parquet", compression="zstd", compression_level=1)
            files += 1
    return files
