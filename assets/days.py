"""What every Dagster asset of the ledger shares: the daily partitions, the keys and the home.

A partition is a business date. A range of them closes in one run, with the book kept in memory between the days.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import dagster as dg

from warehouse.storage import Home

LANDING = "landing"
LEDGER = "ledger"
REPORTS = "reports"


class LedgerHome(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The home whose days the assets close."""

    path: str

    @property
    def home(self) -> Home:
        """Its paths."""
        return Home(Path(self.path))


def daily(start: date) -> dg.DailyPartitionsDefinition:
    """One partition per business date, from the first day of the home."""
    return dg.DailyPartitionsDefinition(start_date=start.isoformat())


def landing_key(table: str) -> dg.AssetKey:
    """The asset of a landing table."""
    return dg.AssetKey([LANDING, table])


def ledger_key(table: str) -> dg.AssetKey:
    """The asset of a table that closing a day writes."""
    return dg.AssetKey([LEDGER, table])


def business_dates(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> list[date]:
    """The business dates that a run was asked for, in order."""
    return [date.fromisoformat(key) for key in context.partition_keys]
