"""Settings of accounts that change while the account lives, beside what its row said when it landed."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ledger.as_landed import keep_landed
from ledger.book import Book

INVOICE_DAYS = (
    "invoice_day_of_month",
    "invoice_day_of_week",
    "invoice_first_day_of_month",
    "invoice_second_day_of_month",
    "invoice_every_other_week_anchor",
    "fix_invoices_on",
)
"""What an account says about the dates of its shared invoices."""
CHANGEABLE = ("invoice_by", "separate_funds_by", *INVOICE_DAYS)
LANDED = "landed_settings"
"""The column that keeps what landed."""


def change_settings(book: Book, rows: pl.Series, values: Mapping[str, pl.Series]) -> Book:
    """Give the accounts in these rows other settings, by name; what landed is kept the first time.

    Rules: R-BL-2, R-ACC-07.
    """
    landed = keep_landed(book["accounts"][rows], CHANGEABLE, LANDED)
    return book.update("accounts", rows, {**values, LANDED: landed})
