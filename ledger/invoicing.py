"""Charge invoicing: from booked charges to invoice items on invoices, in one readable order (R-CI-02)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import ITEMS_PER_CHARGE, Book
from ledger.calendar import BusinessCalendar
from ledger.carrier import Carrier
from ledger.placement import place_items
from ledger.posting import transaction_frame
from ledger.slicing import candidate_items, settle_items
from ledger.streams import find_or_create_streams
from ledger.terms import with_terms


def invoice_charges(book: Book, charges: pl.DataFrame, day: date, carrier: Carrier) -> Book:
    """Cut charges into items and put every item on an invoice of its payer.

    In: rows of the book's charges with `plan_name`, `plan_context` and the instruction's modifiers. Out: the book with
    streams, invoices and items. The items of a charge sum to its amount (R-CI-06). Rules: R-CI-01..51.
    """
    if charges.is_empty():
        return book
    calendar = BusinessCalendar(carrier.business_days, carrier.holidays)
    terms = with_terms(book, charges, carrier)
    book, terms = find_or_create_streams(book, terms, carrier)
    candidates = candidate_items(terms)
    if candidates.is_empty():
        return book
    placed = place_items(book, terms, candidates, day, calendar)
    items = settle_items(terms, placed, carrier.installment_remainder)
    return append_items(book, terms, items)


def append_items(book: Book, terms: pl.DataFrame, items: pl.DataFrame) -> Book:
    """Add placed items to the book, and the invoices that they are the first to need (R-CI-14)."""
    owners = terms.select(
        "charge_key",
        pl.col("payer_account_key").alias("account_key"),
        "stream_policy_key",
        "owner_type",
        "owner_key",
        "policy_key",
        "period_key",
        "charge_pattern",
        "priority",
        pl.col("charge_subtype").cast(pl.String).eq("recapture").alias("is_recapture"),
        "currency",
    )
    items = items.join(owners, on="charge_key", how="left", maintain_order="left")
    invoices = (
        items.filter("is_new")
        .unique("invoice_key", keep="first", maintain_order=True)
        .sort("invoice_key")
        .select(
            "invoice_key",
            "stream_key",
            "account_key",
            pl.col("stream_policy_key").alias("policy_key"),
            "cadence_date",
            "bill_date",
            "due_date",
            is_ad_hoc=pl.lit(value=False),
        )
    )
    items = items.with_columns(
        item_key=pl.col("charge_key") * ITEMS_PER_CHARGE + pl.col("item_no"), paid=pl.lit(0, pl.Int64)
    )
    return book.append("invoices", invoices).append("invoice_items", items)


def initial_transactions(charges: pl.DataFrame) -> pl.DataFrame:
    """The first transaction of every charge, dated when the charge takes effect (R-TXN-01)."""
    return transaction_frame(
        charges.sort("charge_key").with_columns(account_key=pl.col("payer_account_key")),
        "InitialChargeTxn",
        variant=pl.col("charge_subtype").cast(pl.String),
        transaction_date=pl.col("effective_date"),
    )
