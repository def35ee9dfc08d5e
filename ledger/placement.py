"""Placement: on which invoice of its stream an item goes (R-CI-45..48), and the dates of invoices (R-INV-01..07).

A stream has unlimited *potential* invoices, one per date of its cadence; only those that receive an item become rows.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.calendar import BusinessCalendar, slot_date, slot_on_or_after
from ledger.carrier import Carrier
from ledger.invoices import invoice_key_on, is_planned, with_special_keys
from ledger.segments import starts_run
from ledger.streams import CADENCE
from ledger.terms import lead_times

_DAYS_PER_STREAM = 2**20
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


def next_cadence_invoices(book: Book, stream_keys: pl.Series, day: date, carrier: Carrier) -> pl.DataFrame:
    """The next date of each stream's cadence, billed on `day` or later, that no invoice realises yet.

    Out: stream_key, invoice_key, cadence_date, bill_date, due_date; one row per stream. Rules: R-INV-04..07, R-INV-30.
    """
    streams = book["invoice_streams"].filter(pl.col("stream_key").is_in(stream_keys.unique().implode()))
    payers = lead_times(book, streams["account_key"], carrier)
    streams = streams.join(payers, on="account_key", how="left", maintain_order="left")
    known = book["invoices"].filter(pl.col("stream_key").is_in(streams["stream_key"].implode()))
    last = known.group_by("stream_key").agg(last_event=pl.col("cadence_date").max())
    rows = streams.join(last, on="stream_key", how="left", maintain_order="left").with_columns(
        pl.col("periodicity", "fix_invoices_on").cast(pl.String),
        first_event=pl.lit(day),
        last_event=pl.max_horizontal("last_event", pl.lit(day)),
    )
    calendar = BusinessCalendar(carrier.business_days, carrier.holidays)
    potential = _potential_invoices(rows, day, calendar)
    taken = known.filter((pl.col("outcome") != "deleted").fill_null(value=True))
    free = _unused(book, potential, taken)
    following = free.sort("stream_key", "bill_date", "invoice_key").unique("stream_key", keep="first")
    return following.select(_CANDIDATE[:-1])


def next_planned_invoices(book: Book, stream_keys: pl.Series, day: date, carrier: Carrier) -> pl.DataFrame:
    """The next invoice to be billed of each stream: its earliest planned one, else the next date of its cadence.

    Ad hoc invoices do not count; event dates and cutoffs play no part. Out: stream_key, invoice_key, cadence_date,
    bill_date, due_date, is_new (it is only potential so far); one row per stream. Rules: R-CI-60, R-PO-6.
    """
    keys = stream_keys.unique()
    planned = (
        book["invoices"]
        .filter(pl.col("stream_key").is_in(keys.implode()) & is_planned(day) & ~pl.col("is_ad_hoc"))
        .sort("stream_key", "bill_date", "due_date", "invoice_key")
        .unique("stream_key", keep="first", maintain_order=True)
        .select(*_CANDIDATE[:-1], is_new=pl.lit(value=False))
    )
    without = keys.filter(~keys.is_in(planned["stream_key"].implode()))
    if without.is_empty():
        return planned
    following = next_cadence_invoices(book, without, day, carrier).with_columns(is_new=pl.lit(value=True))
    return pl.concat([planned, following])


def invoices_of_today(book: Book, terms: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    """An invoice of each stream that is billed today: a planned one, ad hoc or not, else a new ad hoc one.

    In: charges with their stream and the lead time of its payer. A new invoice is due the lead time later. Out: as
    `next_planned_invoices`, with `is_ad_hoc`. A stream that has no number left for one more invoice of the day gives
    its next planned invoice. Rules: R-CI-59, R-INV-20.
    """
    streams = terms.unique("stream_key", keep="first", maintain_order=True)
    facts = (*_CANDIDATE[:-1], "is_ad_hoc")
    billed_today = (
        book["invoices"]
        .filter(pl.col("stream_key").is_in(streams["stream_key"].implode()) & is_planned(day))
        .filter(pl.col("bill_date") == day)
        .sort("stream_key", "due_date", "invoice_key")
        .unique("stream_key", keep="first", maintain_order=True)
        .select(*facts, is_new=pl.lit(value=False))
    )
    without = streams.join(billed_today, on="stream_key", how="anti", maintain_order="left")
    if without.is_empty():
        return billed_today
    dated = invoice_dates(
        without.with_columns(cadence_date=pl.lit(day), fix_invoices_on=pl.lit("bill_date")),
        BusinessCalendar(carrier.business_days, carrier.holidays),
    )
    new = with_special_keys(book, dated.sort("stream_key")).with_columns(
        cadence_date=pl.lit(None, pl.Date), is_ad_hoc=pl.lit(value=True), is_new=pl.lit(value=True)
    )
    numbered = pl.concat([billed_today, new.filter(pl.col("invoice_key").is_not_null()).select(billed_today.columns)])
    full = new.filter(pl.col("invoice_key").is_null())["stream_key"]
    if full.is_empty():
        return numbered
    later = next_planned_invoices(book, full, day, carrier).with_columns(is_ad_hoc=pl.lit(value=False))
    return pl.concat([numbered, later.select(numbered.columns)])


def _first_at_cutoff(items: pl.DataFrame, candidates: pl.DataFrame, cutoff: str) -> pl.DataFrame:
    """R-CI-46, with the tie-break of R-CI-47: all streams lie end to end on one axis of days."""
    if items.is_empty():
        return items.clear().join(candidates.clear().drop("stream_key"), how="cross")
    invoices = candidates.with_columns(axis=_on_axis(cutoff)).sort("axis", "bill_date", "due_date", "invoice_key")
    invoices = invoices.filter(starts_run("axis"))
    axis = items.select(_on_axis("event_date")).to_series()
    at = invoices["axis"].search_sorted(axis, side="left").clip(upper_bound=invoices.height - 1)
    found = invoices.select("axis", *_CANDIDATE)[at]
    fits = (found["axis"] >= axis) & (found["stream_key"] == items["stream_key"])
    names = [name for name in _CANDIDATE if name != "stream_key"]
    return items.hstack(found.select(pl.when(fits).then(pl.col(name)).alias(name) for name in names))


def _on_axis(column: str) -> pl.Expr:
    """Place of a date of a stream among all dates of all streams, in their order."""
    return pl.col("stream_key") * _DAYS_PER_STREAM + _DAYS_PER_STREAM // 2 + pl.col(column).to_physical().cast(pl.Int64)


def _candidates(book: Book, streams: pl.DataFrame, day: date, calendar: BusinessCalendar) -> pl.DataFrame:
    """Planned invoices and potential ones of these streams, around the event dates of their new items."""
    known = book["invoices"].filter(pl.col("stream_key").is_in(streams["stream_key"].implode()))
    planned = known.filter(is_planned(day) & ~pl.col("is_ad_hoc"))
    planned = planned.select(*_CANDIDATE[:-1], is_new=pl.lit(value=False))
    # A cadence date has one invoice for ever, whatever became of its dates; only a deleted one may come back.
    taken = known.filter((pl.col("outcome") != "deleted").fill_null(value=True))
    potential = _unused(book, _potential_invoices(streams, day, calendar), taken)
    return pl.concat([planned, potential])


def _unused(book: Book, potential: pl.DataFrame, taken: pl.DataFrame) -> pl.DataFrame:
    """Potential invoices of the dates that none of these invoices realises, as candidates.

    An invoice that got another date keeps its key (R-INV-08), so that the key of a free date may be in use: then it
    takes the next one of that day.
    """
    free = potential.join(taken, on=["stream_key", "cadence_date"], how="anti", maintain_order="left")
    free = free.select(_CANDIDATE)
    is_in_use = pl.col("invoice_key").is_in(taken["invoice_key"].implode())
    in_use = free.filter(is_in_use)
    if in_use.is_empty():
        return free
    renumbered = with_special_keys(book, in_use.drop("invoice_key"), "cadence_date").select(_CANDIDATE)
    return pl.concat([free.filter(~is_in_use), renumbered.filter(pl.col("invoice_key").is_not_null())])


def _potential_invoices(streams: pl.DataFrame, day: date, calendar: BusinessCalendar) -> pl.DataFrame:
    """One row per cadence date that can matter: bill and due date per R-INV-04..07, not billed before `day`."""
    slack = pl.duration(
        days=2 * pl.col("lead_days") + 10
    )  # a lead time in business days, holidays included, is shorter
    earliest = pl.max_horizontal(pl.col("first_event") - slack, pl.lit(day))
    latest = pl.max_horizontal(pl.col("last_event"), pl.lit(day)) + slack
    spans = streams.with_columns(earliest=earliest, latest=latest)
    first, last = slot_on_or_after(pl.col("earliest")), slot_on_or_after(pl.col("latest"))
    slots = spans.with_columns(slot=pl.int_ranges(first, last + 2)).explode("slot", empty_as_null=False)
    dated = slots.with_columns(cadence_date=slot_date(pl.col("slot")))
    return (
        invoice_dates(dated, calendar)
        .filter(pl.col("bill_date") >= day)
        .with_columns(invoice_key=invoice_key_on(pl.col("stream_key"), "cadence_date"), is_new=pl.lit(value=True))
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
