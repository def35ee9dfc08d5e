"""Invoices of the book: which may still take items, new ones, those brought back, and those that nothing is left on.

The status of an invoice follows from its dates, the day, and how it ended if it was not billed (R-INV-10..16).
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from ledger.book import Book, day_number_of
from ledger.segments import place_in_run

INVOICES_PER_STREAM_AND_DAY = 2**3
"""An invoice key is its stream's, then the number of its day, then its place among those of the day."""
_KEYS_PER_STREAM = 2**20


def is_planned(first_bill_date: date) -> pl.Expr:
    """Whether an invoice is planned while those with this bill date or a later one are not billed yet."""
    return (pl.col("bill_date") >= first_bill_date) & pl.col("outcome").is_null()


def is_due(day: date, due_lag_days: int) -> pl.Expr:
    """Whether a billed invoice is due at the close of a day (R-INV-14)."""
    return (pl.col("due_date") <= day - timedelta(days=due_lag_days)) & pl.col("outcome").is_null()


def invoice_status(billed_through: date, last_due_date: date) -> pl.Expr:
    """Status in words: how it ended, else Due, Billed or Planned by its dates."""
    return (
        pl.when(pl.col("outcome") == "carried_forward")
        .then(pl.lit("Carried Forward"))
        .when(pl.col("outcome") == "written_off")
        .then(pl.lit("Written Off"))
        .when(pl.col("outcome") == "deleted")
        .then(pl.lit("Deleted"))
        .when(pl.col("bill_date") > billed_through)
        .then(pl.lit("Planned"))
        .when(pl.col("due_date") <= last_due_date)
        .then(pl.lit("Due"))
        .otherwise(pl.lit("Billed"))
    )


def invoice_key_on(stream_key: pl.Expr, cadence_date: str) -> pl.Expr:
    """Key of the invoice of a stream that realises a date of its cadence."""
    return stream_key * _KEYS_PER_STREAM + day_number_of(cadence_date) * INVOICES_PER_STREAM_AND_DAY


def append_invoices(book: Book, invoices: pl.DataFrame) -> Book:
    """Add invoices; one that was deleted before comes back with its new dates.

    In: rows of the book's invoices, one per key.
    """
    if invoices.is_empty():
        return book
    invoices = invoices.sort("invoice_key")
    known = book["invoices"].select("invoice_key").with_row_index("row")
    known = known.filter(pl.col("invoice_key").is_in(invoices["invoice_key"].implode()))
    if known.is_empty():
        return book.append("invoices", invoices)
    back = known.join(invoices, on="invoice_key", how="inner", maintain_order="left")
    none = pl.Series([None], dtype=pl.String).new_from_index(0, back.height)
    dates = {name: back[name] for name in ("cadence_date", "bill_date", "due_date")}
    book = book.update("invoices", back["row"], dates | {"outcome": none})
    return book.append("invoices", invoices.join(known, on="invoice_key", how="anti", maintain_order="left"))


def with_special_keys(book: Book, invoices: pl.DataFrame, dated: str = "bill_date") -> pl.DataFrame:
    """Number invoices outside the cadence: ad hoc ones and those that somebody asked for (R-INV-20, R-INV-30).

    In: `stream_key` and the date of the column `dated`. Out: with `invoice_key`, after those of the stream that are
    there for that day, or null when a stream has no number left on that day.
    """
    first = invoice_key_on(pl.col("stream_key"), dated)
    invoices = invoices.with_columns(first_key=first).sort("first_key", maintain_order=True)
    taken = book["invoices"].filter(pl.col("stream_key").is_in(invoices["stream_key"].unique().implode()))
    place_of_taken = pl.col("invoice_key") % INVOICES_PER_STREAM_AND_DAY
    last = taken.group_by(first_key=pl.col("invoice_key") - place_of_taken).agg(last_place=place_of_taken.max())
    invoices = invoices.join(last, on="first_key", how="left", maintain_order="left")
    place = pl.col("last_place").fill_null(0) + 1 + place_in_run("first_key")
    key = pl.when(place < INVOICES_PER_STREAM_AND_DAY).then(pl.col("first_key") + place)
    return invoices.with_columns(invoice_key=key).drop("first_key", "last_place")


def delete_empty_invoices(book: Book, invoice_keys: pl.Series, first_bill_date: date) -> Book:
    """Planned invoices, of these, that hold no item any more are deleted (R-INV-15, R-ITM-22, R-ITM-47)."""
    keys = invoice_keys.unique()
    held = book["invoice_items"].filter(pl.col("invoice_key").is_in(keys.implode()))["invoice_key"].unique()
    empty = (
        book["invoices"]
        .with_row_index("row")
        .filter(
            pl.col("invoice_key").is_in(keys.implode())
            & ~pl.col("invoice_key").is_in(held.implode())
            & is_planned(first_bill_date)
        )
    )
    return end_invoices(book, empty["row"], "deleted")


def end_invoices(book: Book, rows: pl.Series, outcome: str) -> Book:
    """Invoices end without being billed; `rows` are their places in the book."""
    return book.update("invoices", rows, {"outcome": pl.Series([outcome]).new_from_index(0, len(rows))})
