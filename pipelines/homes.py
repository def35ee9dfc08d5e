"""Homes: making one, finding it, and taking files into its landing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from assets.carrier_file import require_home
from carriers import standard
from ledger.carrier import Carrier
from schemas.landing import LANDING_TABLES
from warehouse.landing import dates
from warehouse.storage import Home, Store

_TABLES = {table.name for table in LANDING_TABLES}


class HomeError(Exception):
    """A home cannot be made, found or landed in as asked: one sentence."""


def create_home(path: Path, carrier: Path | None = None) -> Home:
    """Make the directories of a home and put the carrier file into it, the standard one by default.

    A home that is there with the same carrier file is left as it is. Raises HomeError, and CarrierError when the
    carrier file is wrong.
    """
    if carrier is not None and not carrier.is_file():
        msg = f"there is no carrier file {carrier}"
        raise HomeError(msg)
    text = standard() if carrier is None else carrier.read_text(encoding="utf-8")
    Carrier.from_toml(text, "the standard carrier" if carrier is None else str(carrier))
    home = Home(path)
    if home.carrier_file.exists() and home.carrier_file.read_text(encoding="utf-8") != text:
        msg = f"{home.root} is a home already, with another carrier file; edit {home.carrier_file} to change its plans"
        raise HomeError(msg)
    for table in LANDING_TABLES:
        (home.landing / table.name).mkdir(parents=True, exist_ok=True)
    home.warehouse.mkdir(exist_ok=True)
    home.carrier_file.write_text(text, encoding="utf-8")
    return home


def open_home(path: Path) -> Home:
    """The home at a path. Raises NoHomeError when there is none."""
    home = Home(path)
    require_home(home)
    return home


def landing_arguments(arguments: Sequence[str]) -> list[tuple[str, Path]]:
    """Pairs of landing table and file from `TABLE FILE...`, or from files that are named after their table.

    `payments payments-0301.csv`, `payments.csv charges.csv` and `charges.2026-03-01.parquet` are understood. Raises
    HomeError when a table cannot be told.
    """
    if arguments and arguments[0] in _TABLES:
        if len(arguments) == 1:
            msg = f"no file is named for {arguments[0]}: paidthrough land {arguments[0]} FILE"
            raise HomeError(msg)
        return [(arguments[0], Path(file)) for file in arguments[1:]]
    return [(_table_of(Path(argument)), Path(argument)) for argument in arguments]


def closed_days(home: Home, days: Sequence[date]) -> list[date]:
    """Those of some days that are closed already, or lie before the first closed day."""
    closed = [record.business_date for record in Store(home).days()]
    return sorted({day for day in days if closed and day <= closed[-1]})


def first_business_date(home: Home) -> date | None:
    """The first date that a home knows of: the first closed one, or the first for which something has landed."""
    closed = [record.business_date for record in Store(home).days()]
    return min([*closed[:1], *dates(home)], default=None)


def _table_of(file: Path) -> str:
    stem = file.name.split(".")[0]
    if stem in _TABLES:
        return stem
    tables = ", ".join(sorted(_TABLES))
    msg = f"{file.name} is not named after a landing table; say which: paidthrough land TABLE {file} ({tables})"
    raise HomeError(msg)
