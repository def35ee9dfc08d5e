"""Locking an accounting period, and opening it again."""

from __future__ import annotations

from datetime import date

from assets.carrier_file import read_carrier
from assets.closing import ClosingError
from assets.publishing import publish_catalogue
from warehouse.storage import Home, Store


def lock_days(home: Home, first: date, last: date) -> None:
    """Lock the closed days from `first` to `last`: none of them, nor one before them, can be closed again.

    Raises ClosingError when they are not all closed and standing, NoHomeError, StorageError.
    """
    carrier = read_carrier(home).carrier
    store = Store(home)
    with store.writer() as writer:
        records = store.days()
        if first > last:
            msg = f"{first} to {last} is no range: the first date comes after the last"
            raise ClosingError(msg)
        if not records or first < records[0].business_date or last > records[-1].business_date:
            closed = f"{records[0].business_date} to {records[-1].business_date}" if records else "none"
            msg = f"{first} to {last} cannot be locked, closed days are: {closed}; close the days first"
            raise ClosingError(msg)
        stale = [record for record in records if record.is_stale and record.business_date <= last]
        if stale:
            day = stale[0].business_date
            msg = f"{day} is stale: {stale[0].stale_reason}; run `paidthrough backfill {day} {last}` before you lock it"
            raise ClosingError(msg)
        writer.lock(first, last)
        publish_catalogue(home, store, carrier)


def unlock_days(home: Home, first: date, last: date) -> None:
    """Open the days from `first` to `last` again. Raises ClosingError when none of them is locked, NoHomeError."""
    carrier = read_carrier(home).carrier
    store = Store(home)
    with store.writer() as writer:
        if not any(record.is_locked for record in store.days() if first <= record.business_date <= last):
            msg = f"no day from {first} to {last} is locked"
            raise ClosingError(msg)
        writer.unlock(first, last)
        publish_catalogue(home, store, carrier)
