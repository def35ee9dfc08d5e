"""Charge invoicing: from booked charges to invoice items on invoices, in one readable order (R-CI-02).

How a charge is invoiced is its *way*: by its payment plan; like the original charges of its policy period; or, by
special handling, on an invoice of today or on the next one. Special handling goes before modifiers, these before
overrides, these before the plan (R-BI-14, R-PO-8). There is no hook for code of a site (R-CI-62): what a carrier sets
is data.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import ITEMS_PER_CHARGE, Book
from ledger.calendar import BusinessCalendar
from ledger.carrier import Carrier
from ledger.invoices import append_invoices
from ledger.placement import invoices_of_today, next_planned_invoices, place_items
from ledger.posting import transaction_frame
from ledger.proportional import followed_items, items_like_originals
from ledger.slicing import candidate_items, settle_items
from ledger.streams import find_or_create_streams
from ledger.terms import with_terms

BY_PLAN = "plan"
AS_ORIGINALS = "originals"
IMMEDIATELY = "bill_immediately"
ON_NEXT_INVOICE = "bill_on_next_invoice"
"""The ways in which a charge is invoiced; the last two are special handlings."""


def invoice_charges(book: Book, charges: pl.DataFrame, day: date, carrier: Carrier) -> Book:
    """Cut charges into items and put every item on an invoice of its payer.

    In: rows of the book's charges with `plan_name`, `plan_context`, the instruction's modifiers and `way` (by the plan
    where the column is missing). Out: the book with streams, invoices and items. The items of a charge sum to its
    amount (R-CI-06). Charges that follow their plan go first, then those that follow originals, special handling last:
    where the next planned invoice counts, those that the others made are there. Rules: R-CI-01..61.
    """
    if charges.is_empty():
        return book
    terms = with_terms(book, charges, carrier)
    book, terms = find_or_create_streams(book, terms, carrier)
    if "way" not in terms.columns or (terms["way"] == BY_PLAN).all():
        return _invoice_by_plan(book, terms, day, carrier)
    way = pl.col("way")
    followed = followed_items(book, terms.filter(way == AS_ORIGINALS))
    specially = way.is_in([IMMEDIATELY, ON_NEXT_INVOICE])
    by_plan = terms.filter(~specially & ~pl.col("charge_key").is_in(followed["charge_key"].unique().implode()))
    book = _invoice_by_plan(book, by_plan, day, carrier)
    if not followed.is_empty():
        book = append_items(book, terms, items_like_originals(book, followed, day, carrier))
    return _invoice_specially(book, terms.filter(specially & (pl.col("amount") != 0)), day, carrier)


def _invoice_by_plan(book: Book, terms: pl.DataFrame, day: date, carrier: Carrier) -> Book:
    """Slice charges by their payment plan and place the items (R-CI-25..51)."""
    candidates = candidate_items(terms)
    if candidates.is_empty():
        return book
    placed = place_items(book, terms, candidates, day, BusinessCalendar(carrier.business_days, carrier.holidays))
    items = settle_items(terms, placed, carrier.installment_remainder)
    return append_items(book, terms, items)


def _invoice_specially(book: Book, terms: pl.DataFrame, day: date, carrier: Carrier) -> Book:
    """One down payment item per charge, dated today, on an invoice of today or on the next one (R-CI-59, R-CI-60)."""
    if terms.is_empty():
        return book
    now = terms.filter(pl.col("way") == IMMEDIATELY)
    if not now.is_empty():
        book = _append_whole_items(book, now, invoices_of_today(book, now, day, carrier), day)
    later = terms.filter(pl.col("way") == ON_NEXT_INVOICE)
    if later.is_empty():
        return book
    return _append_whole_items(book, later, next_planned_invoices(book, later["stream_key"], day, carrier), day)


def _append_whole_items(book: Book, terms: pl.DataFrame, invoices: pl.DataFrame, day: date) -> Book:
    """A down payment item of the whole amount of each charge, on the given invoice of its stream."""
    items = terms.select("charge_key", "stream_key", "amount").join(
        invoices, on="stream_key", how="left", maintain_order="left"
    )
    items = items.with_columns(
        item_type=pl.lit("deposit"), installment_number=pl.lit(0), event_date=pl.lit(day), item_no=pl.lit(1)
    )
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
            "is_ad_hoc" if "is_ad_hoc" in items.columns else pl.lit(value=False).alias("is_ad_hoc"),
        )
    )
    items = items.with_columns(
        item_key=pl.col("charge_key") * ITEMS_PER_CHARGE + pl.col("item_no"), paid=pl.lit(0, pl.Int64)
    )
    return append_invoices(book, invoices).append("invoice_items", items)


def initial_transactions(charges: pl.DataFrame) -> pl.DataFrame:
    """The first transaction of every charge, dated when the charge takes effect (R-TXN-01)."""
    return transaction_frame(
        charges.sort("charge_key").with_columns(account_key=pl.col("payer_account_key")),
        "InitialChargeTxn",
        variant=pl.col("charge_subtype").cast(pl.String),
        transaction_date=pl.col("effective_date"),
    )
