"""Rows that were made or converted here, on their way into the landing of a home: one file per table and day."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from warehouse.durable import Staging
from warehouse.landing import Landed, land_all
from warehouse.landing_files import BUSINESS_DATE
from warehouse.storage import Home


def land_tables(home: Home, tables: Mapping[str, pl.DataFrame], name: str) -> list[Landed]:
    """Land rows by table, each with its `business_date`, by the way that every file takes.

    The same rows again are the same files, so nothing is done then. Raises what `warehouse.landing.land_all` raises.
    """
    with TemporaryDirectory(prefix="paidthrough-") as directory:
        files = []
        for table, rows in tables.items():
            file = Path(directory) / table / f"{name}.parquet"
            file.parent.mkdir()
            rows.write_parquet(file, compression="uncompressed")
            files.append((table, file))
        return land_all(home, files)


def write_made_up(home: Home, tables: Mapping[str, pl.DataFrame], name: str = "made-up") -> int:
    """Write rows straight into the landing; returns how many files that made.

    Only for rows that were made here, as text: nothing is checked, and a file of that name is replaced.
    """
    files = 0
    with Staging(home.root, "landing") as staging:
        for table, rows in tables.items():
            for (day,), dated in rows.partition_by(BUSINESS_DATE, include_key=False, as_dict=True).items():
                path = home.landing / table / f"{BUSINESS_DATE}={day}" / f"{name}.parquet"
                staging.write(path, partial(dated.write_parquet, compression="zstd", compression_level=1))
                files += 1
    return files
