"""Previews against a home: its current book, its plans, and rows from files that never land."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from assets.carrier_file import read_carrier
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.periods import NEW_PERIOD_TYPES
from ledger.preview import available_payment_plans, preview
from pipelines.homes import HomeError, first_business_date, landing_arguments
from schemas.landing import ACCOUNTS, BILLING_INSTRUCTIONS, CHARGES
from warehouse.landing import read_file
from warehouse.storage import Home, Store

_TABLES = {table.name: table for table in (BILLING_INSTRUCTIONS, CHARGES, ACCOUNTS)}
_DAY = timedelta(days=1)


def quote(home: Home, files: Sequence[str], plans: Sequence[str], day: date | None) -> dict[str, pl.DataFrame]:
    """What the rows of these files would bring on a day (see `ledger.preview.preview`).

    The day is by default the one after the last closed day. Raises HomeError when a file is of no table that a quote is
    made of, a plan is not known or the day is closed already; LandingError when a file cannot be read; CarrierError.
    """
    rows = _rows_of(files)
    carrier, _ = read_carrier(home)
    unknown = [plan for plan in plans if plan not in carrier.payment_plans]
    if unknown:
        msg = f"there is no payment plan {unknown[0]!r}; there are {', '.join(carrier.payment_plans)}"
        raise HomeError(msg)
    store = Store(home)
    closed = [record.business_date for record in store.days()]
    if day is not None and closed and day <= closed[-1]:
        msg = f"{day} is closed already; the next open day is {closed[-1] + _DAY}"
        raise HomeError(msg)
    book = Book(store.load_book(closed[-1])) if closed else Book.empty()
    if day is None:
        day = closed[-1] + _DAY if closed else first_business_date(home)
    if day is None:
        msg = "nothing is closed and nothing has landed yet; say when the rows arrive: --date DAY"
        raise HomeError(msg)
    instructions = rows["billing_instructions"]
    quoted = list(plans) or _plans_to_offer(book, instructions, day, carrier)
    return preview(book, instructions, rows["charges"], day, carrier, quoted or None, rows["accounts"])


def _rows_of(files: Sequence[str]) -> dict[str, pl.DataFrame]:
    """The rows of the files by table, as text; tables without a file are empty."""
    found: dict[str, list[pl.DataFrame]] = {name: [] for name in _TABLES}
    for table, path in landing_arguments(files):
        if table not in _TABLES:
            msg = f"{Path(path).name} is of {table}; a preview takes {', '.join(_TABLES)}"
            raise HomeError(msg)
        found[table].append(read_file(path, _TABLES[table]))
    if not found["billing_instructions"]:
        msg = "no file of billing_instructions is named; a preview is of an instruction and its charges"
        raise HomeError(msg)
    texts = dict.fromkeys(("billing_instructions", "charges", "accounts"), pl.DataFrame())
    for name, frames in found.items():
        none = pl.DataFrame(schema=dict.fromkeys(_TABLES[name].required, pl.String))
        texts[name] = pl.concat([none, *frames], how="diagonal")
    return texts


def _plans_to_offer(book: Book, instructions: pl.DataFrame, day: date, carrier: Carrier) -> list[str]:
    """The plans that new policy periods could have, where one of them names none (R-BI-11)."""
    open_ones = instructions.filter(pl.col("instruction_type").is_in(NEW_PERIOD_TYPES))
    if "payment_plan" in instructions.columns:
        open_ones = open_ones.filter(pl.col("payment_plan").is_null())
    payer = pl.coalesce([name for name in ("payer_account_id", "account_id") if name in instructions.columns])
    offered = [
        plan
        for account_id in open_ones.select(payer).to_series().unique(maintain_order=True).drop_nulls()
        for plan in available_payment_plans(book, account_id, day, carrier)
    ]
    return list(dict.fromkeys(offered))
