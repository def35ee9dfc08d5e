"""Items that are there already and go on another invoice: which one, by payer and event date (R-CI-46, R-BL-12)."""

from __future__ import annotations

from datetime import date
from typing import Literal

import polars as pl

from ledger.book import Book
from ledger.calendar import BusinessCalendar
from ledger.carrier import Carrier
from ledger.invoices import append_invoices
from ledger.placement import invoices_of_today, next_planned_invoices, place_items
from ledger.streams import find_or_create_streams
from ledger.terms import with_terms

Way = Literal["event_date", "next", "today"]
"""Which invoice of its stream an item goes on: by its event date, the next one to be billed, or one of today."""


def invoices_for_items(  # noqa: PLR0913 -- where items go is a choice of two things
    book: Book, items: pl.DataFrame, day: date, carrier: Carrier, *, keep: bool = True, way: Way = "event_date"
) -> tuple[Book, pl.DataFrame]:
    """Find the invoice on which each of these items would be placed today if its payer were this account.

    In: item_key, charge_key, account_key (the payer meant), event_date, and invoice_key where the item stands. Out: the
    book with the streams and invoices that are missing, and the items with `to_invoice_key`. With `keep`, an item that
    stands on a planned invoice of the right stream stays there. The stream is that of the payer, by its billing level
    as it is now and the plan of the policy period. `way` says which of its invoices is meant when an item moves. Rules:
    R-CI-10..13, R-CI-45..48, R-CI-59, R-CI-60, R-BL-12, R-ITM-18.
    """
    pairs = items.select("charge_key", "account_key").unique().sort("charge_key", "account_key")
    pairs = pairs.with_columns(pair=pl.int_range(pl.len(), dtype=pl.Int64))
    book, terms = find_or_create_streams(book, _terms_of_pairs(book, pairs, carrier), carrier)
    placed = items.join(pairs, on=["charge_key", "account_key"], how="left", maintain_order="left")
    streams = book["invoices"].select("invoice_key", on_stream="stream_key")
    placed = placed.join(streams, on="invoice_key", how="left", maintain_order="left")
    wanted = terms.select(pair="charge_key", wanted_stream="stream_key")
    placed = placed.join(wanted, on="pair", how="left", maintain_order="left")
    stays = (pl.col("on_stream") == pl.col("wanted_stream")).fill_null(value=False) & pl.lit(keep)
    staying = placed.filter(stays).with_columns(to_invoice_key="invoice_key")
    moving = placed.filter(~stays)
    if moving.is_empty():
        return book, staying.select(*items.columns, "to_invoice_key")
    if way == "event_date":
        calendar = BusinessCalendar(carrier.business_days, carrier.holidays)
        found = place_items(book, terms, moving.select("event_date", charge_key="pair"), day, calendar)
    elif way == "next":
        found = _on_streams(moving, next_planned_invoices(book, moving["wanted_stream"], day, carrier))
    else:
        meant = terms.filter(pl.col("stream_key").is_in(moving["wanted_stream"].implode()))
        found = _on_streams(moving, invoices_of_today(book, meant, day, carrier))
    book = _open(book, found, terms)
    moving = moving.with_columns(found["invoice_key"].alias("to_invoice_key"))
    return book, pl.concat([staying, moving]).select(*items.columns, "to_invoice_key").sort("item_key")


def _on_streams(moving: pl.DataFrame, invoices: pl.DataFrame) -> pl.DataFrame:
    """The invoice of its stream for each of these items, in their order."""
    streams = moving.select(stream_key="wanted_stream")
    return streams.join(invoices, on="stream_key", how="left", maintain_order="left")


def _terms_of_pairs(book: Book, pairs: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """The terms of each charge for each payer, with the number of the pair as `charge_key`."""
    charges = book["charges"].filter(pl.col("charge_key").is_in(pairs["charge_key"].unique().implode()))
    periods = book["policy_periods"].filter(pl.col("period_key").is_in(charges["period_key"].unique().implode()))
    charges = charges.join(
        periods.select("period_key", plan_name="payment_plan"), on="period_key", how="left", maintain_order="left"
    )
    rows = pairs.join(charges.drop("account_key"), on="charge_key", how="left", maintain_order="left").with_columns(
        charge_key="pair",
        payer_account_key="account_key",
        plan_context=pl.lit("general"),
        modified_down_payment_ppm=pl.lit(None, pl.Int64),
        modified_max_installments=pl.lit(None, pl.Int64),
    )
    return with_terms(book, rows, carrier)


def _open(book: Book, placed: pl.DataFrame, terms: pl.DataFrame) -> Book:
    """Add the invoices that these items are the first to need (R-CI-14)."""
    payers = terms.select("stream_key", account_key="payer_account_key", policy_key="stream_policy_key")
    payers = payers.unique("stream_key", keep="any")
    new = placed.filter("is_new").unique("invoice_key", keep="first", maintain_order=True)
    if "is_ad_hoc" not in new.columns:
        new = new.with_columns(is_ad_hoc=pl.lit(value=False))
    new = new.select("invoice_key", "stream_key", "cadence_date", "bill_date", "due_date", "is_ad_hoc")
    return append_invoices(book, new.join(payers, on="stream_key", how="left", maintain_order="left"))
