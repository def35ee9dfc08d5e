"""Placement: on which invoice of its stream an item goes (R-CI-45..48), and the dates of invoices (R-INV-01..07).

A stream has unlimited *potential* invoices, one per date of its cadence; only those that receive an item become rows.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book, day_number_of
from ledger.calendar import BusinessCalendar, slot_date, slot_on_or_after
from ledger.streams import CADENCE

_CANDIDATE = ("stream_key", "invoice_key", "cadence_date", "bill_date", "due_date", "is_new")
_TERMS = ("payer_account_key", "stream_policy_key", "lead_days", "lead_day_unit", "payment_due_day_logic")


def place_items(
    book: Book, charges: pl.DataFrame, items: pl.DataFrame, day: date, calendar: BusinessCalendar
) -> pl.DataFrame:
    """Find the first invoice of each item's stream whose cutoff date is on or after the item's event date.

    In: charges with their stream and lead time; items with `charge_key`, `event_date`. Out: the items, in the same
    order, with `stream_key`, `invoice_key`, `cadence_date`, `bill_date`, `due_date` and `is_new` (the invoice is only
    potential so far). Candidates are planned invoices and potential ones, both billed on `day` or later. The cutoff is
    the bill date, or the due date where a shared stream's plan says so. Rules: R-CI-15, R-CI-45..48, R-INV-09.
    """
    is_due_cutoff = (pl.col("stream_policy_key") == 0) & (pl.col("item_placement_cutoff") == "due_date")
    items = items.join(
        charges.select("charge_key", "stream_key", is_due_cutoff=is_due_cutoff),
        on="charge_key",
        how="left",
        maintain_order="left",
    ).with_row_index("place")
    span = items.group_by("stream_key").agg(
        first_event=pl.col("event_date").min(), last_event=pl.col("event_date").max()
    )
    streams = charges.unique("stream_key", keep="first", maintain_order=True).select("stream_key", *CADENCE, *_TERMS)
    candidates = _candidates(book, streams.join(span, on="stream_key"), day, calendar)
    placed = pl.concat(
        _first_at_cutoff(
            items.filter(pl.col("is_due_cutoff") == by_due), candidates, "due_date" if by_due else "bill_date"
        )
        for by_due in (False, True)
    )
    return placed.sort("place").drop("place", "is_due_cutoff")


def _first_at_cutoff(items: pl.DataFrame, candidates: pl.DataFrame, cutoff: str) -> pl.DataFrame:
    """R-CI-46, with the tie-break of R-CI-47."""
    invoices = (
        candidates.sort("stream_key", cutoff, "bill_date", "due_date", "invoice_key")
        .unique(["stream_key", cutoff], keep="first", maintain_order=True)
        .with_columns(cutoff_date=pl.col(cutoff))
        .sort("cutoff_date")
    )
    joined = items.sort("event_date").join_asof(
        invoices,
        left_on="event_date",
        right_on="cutoff_date",
        by="stream_key",
        strategy="forward",
        coalesce=False,
        check_sortedness=False,
    )
    return joined.select(*items.columns, *(name for name in _CANDIDATE if name != "stream_key"))


def _candidates(book: Book, streams: pl.DataFrame, day: date, calendar: BusinessCalendar) -> pl.DataFrame:
    """Planned invoices and potential ones of these streams, around the event dates of their new items."""
    planned = book["invoices"].filter(
        (pl.col("bill_date") >= day)
        & ~pl.col("is_ad_hoc")
        & pl.col("stream_key").is_in(streams["stream_key"].implode())
    )
    planned = planned.select(*_CANDIDATE[:-1], is_new=pl.lit(value=False))
    potential = _potential_invoices(streams, day, calendar).join(
        planned, on=["stream_key", "cadence_date"], how="anti", maintain_order="left"
    )
    return pl.concat([planned, potential.select(_CANDIDATE)])


def _potential_invoices(streams: pl.DataFrame, day: date, calendar: BusinessCalendar) -> pl.DataFrame:
    """One row per cadence date that can matter: bill and due date per R-INV-04..07, not billed before `day`."""
    slack = pl.duration(
        days=2 * pl.col("lead_days") + 10
    )  # a lead time in business days, holidays included, is shorter
    earliest = pl.max_horizontal(pl.col("first_event") - slack, pl.lit(day))
    latest = pl.max_horizontal(pl.col("last_event"), pl.lit(day)) + slack
    slots = streams.with_columns(slot=pl.int_ranges(slot_on_or_after(earliest), slot_on_or_after(latest) + 2)).explode(
        "slot", empty_as_null=False
    )
    dated = slots.with_columns(cadence_date=slot_date(pl.col("slot")))
    return (
        invoice_dates(dated, calendar)
        .filter(pl.col("bill_date") >= day)
        .with_columns(
            invoice_key=pl.col("stream_key") * 2**20 + day_number_of("cadence_date") * 8, is_new=pl.lit(value=True)
        )
    )


def invoice_dates(invoices: pl.DataFrame, calendar: BusinessCalendar) -> pl.DataFrame:
    """Add `bill_date` and `due_date` to rows with a cadence date.

    Reads `cadence_date`, `fix_invoices_on`, `lead_days`, `lead_day_unit`, `payment_due_day_logic`. When the cadence
    fixes the bill date, the due date is the lead time later; when it fixes the due date, the bill date is the lead time
    before the unadjusted due date. Only the due date moves to a business day. Rules: R-INV-04..07, R-BP-3, R-BP-4.
    """
    fixed = pl.col("cadence_date")
    lead = pl.col("lead_days")
    in_business_days = pl.col("lead_day_unit") == "business_days"
    later = pl.when(in_business_days).then(calendar.add(fixed, lead)).otherwise(fixed + pl.duration(days=lead))
    earlier = pl.when(in_business_days).then(calendar.subtract(fixed, lead)).otherwise(fixed - pl.duration(days=lead))
    fixes_bill_date = pl.col("fix_invoices_on") == "bill_date"
    invoices = invoices.with_columns(
        bill_date=pl.when(fixes_bill_date).then(fixed).otherwise(earlier),
        due_date=pl.when(fixes_bill_date).then(later).otherwise(fixed),
    )
    due = pl.col("due_date")
    adjusted = (
        pl.when(pl.col("payment_due_day_logic") == "next_business_day")
        .then(calendar.next_business_day(due))
        .when(pl.col("payment_due_day_logic") == "previous_business_day")
        .then(calendar.previous_business_day(due))
        .otherwise(due)
    )
    return invoices.with_columns(due_date=pl.max_horizontal(adjusted, "bill_date"))
