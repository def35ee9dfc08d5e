"""Invoices in the course of time: billed on their bill date, due after their due date.

An invoice's status follows from its dates, the day and how it ended if it was not billed (`ledger.invoices`). What a
day adds are the transactions of the items on the invoices whose day has come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.charge_holds import carry_held_items
from ledger.effects import Effects
from ledger.invoice_batch import InvoiceBatch, is_billed_on, items_on
from ledger.invoicing_fees import raise_fees
from ledger.low_balance import suppress_low_balances
from ledger.payment_requests import request_payments
from ledger.posting import transaction_frame


@dataclass(frozen=True, slots=True)
class Turned:
    """What turning invoices did, and the payers concerned."""

    effects: Effects
    account_keys: pl.Series

    @classmethod
    def nothing(cls, book: Book) -> Turned:
        """No invoice turned."""
        return cls(Effects(book), pl.Series(dtype=pl.Int64))

    @property
    def book(self) -> Book:
        """The book with these invoices turned."""
        return self.effects.book


def bill_invoices(book: Book, day: date, carrier: Carrier) -> Turned:
    """Bill the planned invoices whose bill date is today, in the order of R-INV-18.

    Items of held charges go to later invoices, then invoices with a low balance are suppressed, then empty ones are
    deleted: these get no fee, no payment request and no document. The others get their fees and are billed: each item
    moves from Unbilled to Billed by its full amount, whether it is paid or not (R-LED-26). Rules: R-INV-11..13,
    R-INV-17, R-INV-18, R-INV-30, R-LIF-09, R-TXN-03.
    """
    batch = InvoiceBatch.of_day(book, day)
    if batch.invoices.is_empty():
        return Turned.nothing(book)
    batch = carry_held_items(batch, day, carrier)
    batch = suppress_low_balances(batch, day, carrier)
    batch = _delete_empty(batch)
    batch = raise_fees(batch, day, carrier)
    invoices = _with_amounts(batch)
    book = request_payments(batch.book, invoices, carrier)
    sent = invoices.select(
        "account_key",
        "invoice_key",
        "amount",
        event_type=pl.lit("InvoiceBilled"),
        command_id=pl.lit(None, pl.String),
    )
    billed = transaction_frame(batch.items, "ChargeBilled", transaction_date=day)
    effects = batch.effects.with_book(book).posting(billed).recording(outbound_events=sent)
    return Turned(effects, invoices["account_key"].unique().sort())


def make_invoices_due(book: Book, day: date, carrier: Carrier) -> Turned:
    """Make due the invoices whose due date, plus the carrier's lag, is today; paid ones as well.

    Rules: R-INV-14, R-LIF-10, R-LIF-11, R-LED-26.
    """
    invoices = book["invoices"].filter(_is_due_on(day, carrier))
    if invoices.is_empty():
        return Turned.nothing(book)
    due = transaction_frame(items_on(book, invoices["invoice_key"]), "ChargeDue", transaction_date=day)
    return Turned(Effects(book, (due,)), invoices["account_key"].unique().sort())


def accounts_with_turning_invoices(book: Book, day: date, carrier: Carrier) -> pl.Series:
    """Keys of the accounts of which an invoice is to be billed or to become due."""
    return book["invoices"].filter(is_billed_on(day) | _is_due_on(day, carrier))["account_key"]


def _is_due_on(day: date, carrier: Carrier) -> pl.Expr:
    """Whether an invoice becomes due on a day (R-INV-14, R-LIF-10)."""
    due_date = day - timedelta(days=carrier.invoice_due_lag_days)
    return (pl.col("due_date") == due_date) & pl.col("outcome").is_null()


def _delete_empty(batch: InvoiceBatch) -> InvoiceBatch:
    """An invoice without items is not billed but deleted (R-INV-30)."""
    empty = batch.invoices.join(batch.items, on="invoice_key", how="anti")["invoice_key"]
    return batch if empty.is_empty() else batch.without(empty, "deleted")


def _with_amounts(batch: InvoiceBatch) -> pl.DataFrame:
    """The invoices of the batch by key, with their amount, fees included, and what of it is due."""
    open_amount = pl.col("amount") - pl.col("paid") - pl.col("written_off")
    sums = batch.items.group_by("invoice_key").agg(pl.col("amount").sum(), amount_due=open_amount.sum())
    return batch.invoices.sort("invoice_key").join(sums, on="invoice_key", how="left", maintain_order="left")
