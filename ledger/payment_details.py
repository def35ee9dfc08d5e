"""Details of a payment that people correct in place, beside what its row said when it landed."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ledger.as_landed import keep_landed
from ledger.book import Book

CHANGEABLE = ("account_id", "policy_id", "method", "reference")
"""What may be noted anew of a payment, of what its row says."""
LANDED = "landed_details"
"""The column that keeps what landed."""


def change_details(book: Book, rows: pl.Series, values: Mapping[str, pl.Series]) -> Book:
    """Note other details of the payments in these rows, by name; what landed is kept the first time.

    Rules: R-SUS-03, R-SUS-07, R-PMV-11.
    """
    landed = keep_landed(book["payments"][rows], CHANGEABLE, LANDED)
    return book.update("payments", rows, {**values, LANDED: landed})
