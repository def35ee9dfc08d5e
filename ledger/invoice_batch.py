"""The invoice batch of a day: the planned invoices whose bill date has come, and what is done before they are billed.

Each step of billing takes a batch and returns another: some items are carried forward, some invoices end without being
billed, fees are added. What is left at the end is billed (R-INV-18).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.invoices import append_invoices, end_invoices, is_planned
from ledger.placement import next_cadence_invoices


@dataclass(frozen=True, slots=True)
class InvoiceBatch:
    """Invoices that are still to be billed today, the items on them by key, and the effects of what was done so far."""

    effects: Effects
    invoices: pl.DataFrame
    items: pl.DataFrame

    @classmethod
    def of_day(cls, book: Book, day: date) -> InvoiceBatch:
        """The planned invoices whose bill date is today, with their items."""
        invoices = book["invoices"].filter(is_billed_on(day))
        return cls(Effects(book), invoices, items_on(book, invoices["invoice_key"]))

    @property
    def book(self) -> Book:
        """The book after what was done so far."""
        return self.effects.book

    def without(self, invoice_keys: pl.Series, outcome: str, effects: Effects | None = None) -> InvoiceBatch:
        """The batch when these invoices have ended in another way, after more effects."""
        effects = effects or Effects(self.book)
        is_ending = pl.col("invoice_key").is_in(invoice_keys.implode())
        rows = effects.book["invoices"].with_row_index("row").filter(is_ending)["row"]
        effects = effects.with_book(end_invoices(effects.book, rows, outcome))
        return InvoiceBatch(self.effects.then(effects), self.invoices.filter(~is_ending), self.items.filter(~is_ending))


def is_billed_on(day: date) -> pl.Expr:
    """Whether an invoice comes to be billed on a day (R-INV-13)."""
    return (pl.col("bill_date") == day) & pl.col("outcome").is_null()


def items_on(book: Book, invoice_keys: pl.Series) -> pl.DataFrame:
    """The items on these invoices, by key."""
    if invoice_keys.is_empty():
        return book["invoice_items"].clear()
    keys = invoice_keys.implode()
    return book["invoice_items"].filter(pl.col("invoice_key").is_in(keys)).sort("item_key")


def next_planned_invoices(book: Book, stream_keys: pl.Series, day: date) -> pl.DataFrame:
    """The next planned invoice, not ad hoc, of each stream that is billed after `day`: stream_key, invoice_key.

    Streams without one are left out. Rules: R-INV-23, R-CHD-6, R-BP-11.
    """
    is_of_stream = pl.col("stream_key").is_in(stream_keys.unique().implode())
    later = book["invoices"].filter(is_of_stream & is_planned(day + timedelta(days=1)) & ~pl.col("is_ad_hoc"))
    later = later.sort("stream_key", "bill_date", "due_date", "invoice_key")
    return later.unique("stream_key", keep="first", maintain_order=True).select("stream_key", "invoice_key")


def open_next_invoices(book: Book, stream_keys: pl.Series, day: date, carrier: Carrier) -> tuple[Book, pl.DataFrame]:
    """The same for every stream: one without a later planned invoice gets the next of its cadence (R-CHD-7).

    Out: the book with the new invoices, and stream_key, invoice_key.
    """
    known = next_planned_invoices(book, stream_keys, day)
    missing = stream_keys.unique().sort().to_frame("stream_key").join(known, on="stream_key", how="anti")
    if missing.is_empty():
        return book, known
    streams = book["invoice_streams"].select("stream_key", "account_key", "policy_key")
    new = next_cadence_invoices(book, missing["stream_key"], day + timedelta(days=1), carrier)
    new = new.join(streams, on="stream_key", how="left", maintain_order="left")
    book = append_invoices(book, new.with_columns(is_ad_hoc=pl.lit(value=False)))
    return book, pl.concat([known, new.select(known.columns)])


def carry_forward(book: Book, items: pl.DataFrame, targets: pl.DataFrame, command_id: str | None = None) -> Effects:
    """Put planned items on another invoice of their stream; nothing is posted, they stay unbilled.

    items: rows of the book's invoice items. targets: invoice_key (where they are), to_invoice_key. Records an item
    event each. Rules: R-INV-12, R-INV-23, R-CHD-6.
    """
    moved = items.join(targets, on="invoice_key", how="inner", maintain_order="left").sort("item_key")
    if moved.is_empty():
        return Effects(book)
    is_moved = pl.col("item_key").is_in(moved["item_key"].implode())
    rows = book["invoice_items"].select("item_key").with_row_index("row").filter(is_moved)
    rows = rows.join(moved.select("item_key", "to_invoice_key"), on="item_key", how="left", maintain_order="left")
    events = moved.select(
        "item_key",
        "account_key",
        event_type=pl.lit("Item Moved to a New Instance"),
        gross="amount",
        related_item_key=pl.lit(0, pl.Int64),
        invoice_key="to_invoice_key",
        command_id=pl.lit(command_id, pl.String),
    )
    book = book.update("invoice_items", rows["row"], {"invoice_key": rows["to_invoice_key"]})
    return Effects(book).recording(item_events=events)
