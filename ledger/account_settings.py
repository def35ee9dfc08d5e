"""Settings of accounts that change while the account lives, beside what its row said when it landed.

An account row that comes in again is held against what landed, not against what became of it since (R-ACC-03).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ledger.book import Book
from schemas.book import ACCOUNTS

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
_AS_TEXT = pl.Struct(dict.fromkeys(CHANGEABLE, pl.String))


def change_settings(book: Book, rows: pl.Series, values: Mapping[str, pl.Series]) -> Book:
    """Give the accounts in these rows other settings, by name; what landed is kept the first time.

    Rules: R-BL-2, R-ACC-07.
    """
    landed = book["accounts"][rows].select(
        pl.coalesce("landed_settings", pl.struct(pl.col(CHANGEABLE).cast(pl.String)).struct.json_encode())
    )
    return book.update("accounts", rows, {**values, "landed_settings": landed.to_series()})


def as_landed(accounts: pl.DataFrame) -> pl.DataFrame:
    """These rows of the book's accounts with the settings with which they landed."""
    if accounts["landed_settings"].null_count() == accounts.height:
        return accounts
    landed = pl.col("landed_settings").str.json_decode(_AS_TEXT)
    types = {column.name: column.dtype for column in ACCOUNTS.columns}
    return accounts.with_columns(
        pl.coalesce(_read(landed.struct.field(name), types[name]), name).alias(name) for name in CHANGEABLE
    )


def _read(text: pl.Expr, dtype: pl.DataType | type[pl.DataType]) -> pl.Expr:
    return text.str.to_date() if dtype == pl.Date else text.cast(dtype)
