"""How long days take: a year closed as one backfill, then single days on top of it, through the command line.

    python -m benchmarks.days POLICIES

The same bytes are then read and written once more by plain Polars: no ledger can be faster than that.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import polars as pl

from benchmarks.measure import PAIDTHROUGH, Measured, measure, table
from carriers import standard
from pipelines.synthetic import synthetic_book
from warehouse.landing import land
from warehouse.storage import Home, Store

FIRST, LAST = date(2024, 1, 1), date(2024, 12, 31)
SINGLE_DAYS = 5
HEAD = [
    "policies",
    "year, s",
    "year, CPU s",
    "peak MiB",
    "journal lines",
    "lines/s",
    "ms a day in the year",
    "single day, s",
    "start-up, s",
    "single day, peak MiB",
    "read + write, s",
    "year / (read + write)",
]


def prepare(home: Home, policies: int) -> None:
    """Land a made-up book of a year and a few days."""
    home.landing.mkdir(parents=True)
    home.carrier_file.write_text(standard())
    book = synthetic_book(policies, FIRST, LAST + timedelta(days=SINGLE_DAYS))
    for name, rows in book.items():
        file = home.root / f"{name}.parquet"
        rows.write_parquet(file)
        land(home, name, file, None)
        file.unlink()


def read_and_write(home: Home) -> float:
    """Seconds to read every stored part and write it again, nothing else."""
    copies = home.root / "copies"
    copies.mkdir()
    began = time.perf_counter()
    for number, part in enumerate(sorted(home.tables.rglob("*.parquet"))):
        pl.read_parquet(part).write_parquet(copies / f"{number}.parquet", compression_level=1)
    seconds = time.perf_counter() - began
    shutil.rmtree(copies)
    return seconds


def row_of(policies: int) -> list[str]:
    """Measure a book of so many policies; one row of the result table."""
    folder = Path(tempfile.mkdtemp(prefix="paidthrough-bench-"))
    home = Home(folder / "home")
    try:
        prepare(home, policies)
        at_home = [PAIDTHROUGH, "--home", str(home.root)]
        year = measure([*at_home, "backfill", str(FIRST), str(LAST)])
        lines = Store(home).read("journal", verify=False).height
        copied = read_and_write(home)
        days: list[Measured] = [
            measure([*at_home, "close", str(LAST + timedelta(days=number + 1))]) for number in range(SINGLE_DAYS)
        ]
        start_up = measure([sys.executable, "-c", "import assets.closing, warehouse.catalogue"])
    finally:
        shutil.rmtree(folder)
    number_of_days = (LAST - FIRST).days + 1
    return [
        f"{policies:,}",
        f"{year.seconds:.1f}",
        f"{year.cpu_seconds:.1f}",
        f"{year.peak_mib:,.0f}",
        f"{lines:,}",
        f"{lines / year.seconds:,.0f}",
        f"{1000 * year.seconds / number_of_days:.0f}",
        f"{median(day.seconds for day in days):.2f}",
        f"{start_up.seconds:.2f}",
        f"{max(day.peak_mib for day in days):,.0f}",
        f"{copied:.1f}",
        f"{year.seconds / copied:.1f}",
    ]


if __name__ == "__main__":
    print(table(HEAD, [row_of(int(argument)) for argument in sys.argv[1:]]))
