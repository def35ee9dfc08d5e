"""Importers: from a file that somebody has to landing rows, so that a real book can be tried.

An importer is a function that takes a file and the carrier and returns a `Conversion`: landing rows by table as text,
each with the `business_date` on which it would have come in, and how many rows of each kind there were. It reads, maps
and counts; it does not decide what can be billed. What it cannot make sense of it lands all the same, so that the
ledger puts it in quarantine with a reason and nothing disappears on the way.

To add one, write such a function in a module of this package and name it in `IMPORTERS`; `docs/how-to/import.md` shows
how. Landing the rows, once, is done here for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from assets.carrier_file import read_carrier
from ledger.carrier import Carrier
from pipelines.homes import HomeError
from pipelines.importers.conversion import Conversion
from pipelines.importers.motor_terms import convert_motor_terms
from pipelines.landing import land_tables
from warehouse.storage import Home

Importer = Callable[[Path, Carrier], Conversion]
IMPORTERS: Mapping[str, Importer] = {
    "motor-terms": convert_motor_terms,
}
"""Importers by the name that the command line knows them by."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: rows by kind, landing rows by table, files and how many are new, first and last day."""

    counts: Mapping[str, int]
    rows: Mapping[str, int]
    files: int
    new_files: int
    first_day: date
    last_day: date


def import_file(name: str, file: Path, home: Home) -> Imported:
    """Convert a file and land its rows in a home: one file per table and day. The same file again lands nothing new.

    Raises HomeError when there is no such importer or it cannot read the file, NoHomeError, CarrierError, and what
    `warehouse.landing.land` raises.
    """
    if name not in IMPORTERS:
        msg = f"there is no importer {name}; there are {', '.join(IMPORTERS)}"
        raise HomeError(msg)
    carrier, _ = read_carrier(home)
    converted = IMPORTERS[name](file, carrier)
    landed = land_tables(home, converted.tables, name)
    return Imported(
        counts=converted.counts,
        rows={table: rows.height for table, rows in converted.tables.items()},
        files=len(landed),
        new_files=sum(one.is_new for one in landed),
        first_day=min(one.business_date for one in landed),
        last_day=max(one.business_date for one in landed),
    )
