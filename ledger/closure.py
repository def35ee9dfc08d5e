"""Closure: a policy period whose term is over, with nothing left to bill, collect or earn, leaves the daily business.

It comes back by itself when something happens to it, or when somebody opens it (R-CLS-05, R-CLS-06). Nothing is posted
for either.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.earning import previous_posting_day
from ledger.settlement import Clock

_RECEIVABLES = ("<Charge Pattern> Unbilled", "<Charge Pattern> Billed", "<Charge Pattern> Due")
_OPEN = pl.col("amount") - pl.col("paid") - pl.col("written_off")


def close_and_reopen(book: Book, posted: pl.DataFrame, day: date, carrier: Carrier) -> Book:
    """Reopen the closed periods to which something happened today, and close those that are finished.

    posted: the journal lines of the day. A period reopens when a line is posted to its Unbilled, Billed or Due, when an
    audit instruction for it arrives, or money that names it; it is looked at for closure again from the next day on. A
    period closes when its expiration date is past, its Unbilled, Billed and Due are 0 per charge pattern, and its pro
    rata charges are earned. One that somebody opened stays open until something happens to it. Commission that is not
    paid does not keep it open. Rules: R-CLS-01, R-CLS-02, R-CLS-05, R-CLS-07, R-LIF-19, R-DBP-18.
    """
    periods = book["policy_periods"].select(
        "period_key", "expiration_date", "coverage_end", "closed_date", "opened_date"
    )
    periods = periods.with_row_index("row")
    is_marked = pl.col("closed_date").is_not_null() | pl.col("opened_date").is_not_null()
    marked, over = periods.filter(is_marked), _over(periods.filter(~is_marked), day, carrier)
    if marked.is_empty() and over.is_empty():
        return book
    is_touched = pl.col("period_key").is_in(_touched(book, posted, day).implode())
    book = _reopen(book, marked.filter(is_touched)["row"])
    return _close(book, over.filter(~is_touched), day, carrier)


def open_periods(book: Book, period_keys: pl.Series, day: date) -> Book:
    """Open closed periods because somebody asks for it; they stay open until something happens (R-CLS-06, R-CLS-07)."""
    rows = book["policy_periods"].with_row_index("row").filter(pl.col("period_key").is_in(period_keys.implode()))["row"]
    opened = pl.repeat(day, len(rows), dtype=pl.Date, eager=True)
    return book.update("policy_periods", rows, {"closed_date": _no_dates(len(rows)), "opened_date": opened})


def _touched(book: Book, posted: pl.DataFrame, day: date) -> pl.Series:
    """Keys of the periods to which something happened today that opens them."""
    is_receivable = posted["t_account_pattern"].cast(pl.String).is_in(_RECEIVABLES)
    audits = book["instructions"].filter((pl.col("received_date") == day) & (pl.col("instruction_type") == "audit"))
    paid_for = book["payments"].filter(pl.col("received_date") == day)
    return pl.concat(
        [
            posted.filter(is_receivable & (posted["owner_type"] == "PolicyPeriod"))["owner_key"],
            audits["period_key"],
            paid_for["period_key"],
        ]
    ).unique()


def _reopen(book: Book, rows: pl.Series) -> Book:
    """The book with the periods at these rows neither closed nor held open."""
    none = _no_dates(len(rows))
    return book.update("policy_periods", rows, {"closed_date": none, "opened_date": none})


def _over(periods: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    """Those of these periods that have expired and are earned as far as time goes."""
    earned_through = _last_posting_day(day, carrier.earning_interval)
    return periods.filter(
        (pl.col("expiration_date") < day) & (pl.col("coverage_end") <= earned_through + timedelta(days=1))
    )


def _close(book: Book, over: pl.DataFrame, day: date, carrier: Carrier) -> Book:
    """Close those of these expired periods that nobody owes anything and that have nothing left to earn."""
    if over.is_empty():
        return book
    earned_through = _last_posting_day(day, carrier.earning_interval)
    keys = over["period_key"].implode()
    owing = book["invoice_items"].filter(pl.col("period_key").is_in(keys) & (_OPEN != 0))
    invoices = book["invoices"].select("invoice_key", "bill_date", "due_date")
    owing = owing.join(invoices, on="invoice_key", how="inner").with_columns(
        status=Clock.of(carrier, day, day).status(), open=_OPEN
    )
    owing = owing.group_by("period_key", "charge_pattern", "status").agg(pl.col("open").sum())
    is_unearned = (pl.col("charge_subtype") == "pro_rata") & (pl.col("charge_date") > earned_through)
    unearned = book["charges"].filter(pl.col("period_key").is_in(keys) & is_unearned)
    unfinished = pl.concat([owing.filter(pl.col("open") != 0)["period_key"], unearned["period_key"]])
    rows = over.filter(~pl.col("period_key").is_in(unfinished.implode()))["row"]
    closed = pl.repeat(day, len(rows), dtype=pl.Date, eager=True)
    return book if rows.is_empty() else book.update("policy_periods", rows, {"closed_date": closed})


def _last_posting_day(day: date, interval: str) -> date:
    """The last day, up to this one, on which earned premium was posted."""
    if previous_posting_day(day, interval) is not None:
        return day
    return day.replace(day=1) - timedelta(days=1)


def _no_dates(count: int) -> pl.Series:
    return pl.repeat(None, count, dtype=pl.Date, eager=True)
