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
from ledger.invoices import invoice_status

_RECEIVABLES = ("<Charge Pattern> Unbilled", "<Charge Pattern> Billed", "<Charge Pattern> Due")


def close_and_reopen(book: Book, posted: pl.DataFrame, day: date, carrier: Carrier) -> Book:
    """Reopen the closed periods to which something happened today, and close those that are finished.

    posted: the journal lines of the day. A period reopens when a line is posted to its Unbilled, Billed or Due, when an
    audit instruction for it arrives, or money that names it; it is looked at for closure again from the next day on. A
    period closes when its expiration date is past, its Unbilled, Billed and Due are 0 per charge pattern (so that what
    is paid has also fallen due), and its pro rata charges are earned. One that somebody opened stays open until
    something happens to it. Commission that is not paid does not keep it open. Rules: R-CLS-01, R-CLS-02, R-CLS-05,
    R-CLS-07, R-LIF-19, R-DBP-18.
    """
    periods = book["policy_periods"].select("period_key", "expiration_date", "closed_date", "opened_date")
    periods = periods.with_row_index("row")
    marked, over = periods.filter(_is_marked()), periods.filter(_is_expired(day))
    if marked.is_empty() and over.is_empty():
        return book
    is_touched = pl.col("period_key").is_in(_touched(book, posted).implode())
    book = _reopen(book, marked.filter(is_touched)["row"])
    return _close(book, over.filter(~is_touched), day, carrier)


def accounts_with_expired_periods(book: Book, day: date, carrier: Carrier) -> pl.Series:
    """Keys of the accounts with a period whose term is over and that is not closed although all of it is earned."""
    return _earned(book, book["policy_periods"].filter(_is_expired(day)), day, carrier)["account_key"]


def _is_marked() -> pl.Expr:
    """Whether a period is closed, or kept open because somebody asked for it."""
    return pl.col("closed_date").is_not_null() | pl.col("opened_date").is_not_null()


def _is_expired(day: date) -> pl.Expr:
    """Whether a period is to be looked at for closure: its term is over."""
    return ~_is_marked() & (pl.col("expiration_date") < day)


def open_periods(book: Book, period_keys: pl.Series, day: date) -> Book:
    """Open closed periods because somebody asks for it; they stay open until something happens (R-CLS-06, R-CLS-07)."""
    rows = book["policy_periods"].with_row_index("row").filter(pl.col("period_key").is_in(period_keys.implode()))["row"]
    opened = pl.repeat(day, len(rows), dtype=pl.Date, eager=True)
    return book.update("policy_periods", rows, {"closed_date": _no_dates(len(rows)), "opened_date": opened})


def _touched(book: Book, posted: pl.DataFrame) -> pl.Series:
    """Keys of the periods to which something happened today that opens them."""
    is_receivable = posted["t_account_pattern"].cast(pl.String).is_in(_RECEIVABLES)
    audits = book.added("instructions").filter(pl.col("instruction_type") == "audit")
    paid_for = book.added("payments")
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


def _close(book: Book, over: pl.DataFrame, day: date, carrier: Carrier) -> Book:
    """Close those of these expired periods that nobody owes anything and that have nothing left to earn."""
    earned = _earned(book, over, day, carrier)
    if earned.is_empty():
        return book
    owing = _owing(book, earned["period_key"], day, carrier)
    rows = earned.filter(~pl.col("period_key").is_in(owing.implode()))["row"]
    closed = pl.repeat(day, len(rows), dtype=pl.Date, eager=True)
    return book.update("policy_periods", rows, {"closed_date": closed})


def _earned(book: Book, periods: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    """Those of these periods of which all pro rata charges are earned at the close of a day."""
    if periods.is_empty():
        return periods
    earned_through = _last_posting_day(day, carrier.earning_interval)
    is_earned_later = (pl.col("charge_date") > earned_through) | (
        pl.col("coverage_end") > earned_through + timedelta(days=1)
    )
    is_unearned = (pl.col("charge_subtype") == "pro_rata") & (pl.col("amount") != 0) & is_earned_later
    of_periods = pl.col("period_key").is_in(periods["period_key"].implode())
    unearned = book["charges"].filter(is_unearned & of_periods)["period_key"]
    return periods.filter(~pl.col("period_key").is_in(unearned.implode()))


def _owing(book: Book, period_keys: pl.Series, day: date, carrier: Carrier) -> pl.Series:
    """Those of these periods of which Unbilled, Billed or Due is not 0 for some charge pattern (R-LED-26)."""
    items = book["invoice_items"].filter(pl.col("period_key").is_in(period_keys.implode()))
    status = invoice_status(day, day - timedelta(days=carrier.invoice_due_lag_days))
    dates = book["invoices"].filter(pl.col("invoice_key").is_in(items["invoice_key"].unique().implode()))
    items = items.join(dates.select("invoice_key", status=status), on="invoice_key", how="inner")
    items = items.with_columns(t_account=pl.col("status").replace({"Written Off": "Due"}))
    gone = items.with_columns(t_account=pl.lit("Due"), amount=-(pl.col("paid") + pl.col("written_off")))
    columns = ("period_key", "charge_pattern", "t_account", "amount")
    sums = pl.concat([items.select(columns), gone.select(columns)]).group_by(columns[:-1]).agg(pl.col("amount").sum())
    return sums.filter(pl.col("amount") != 0)["period_key"].unique()


def _last_posting_day(day: date, interval: str) -> date:
    """The last day, up to this one, on which earned premium was posted."""
    if previous_posting_day(day, interval) is not None:
        return day
    return day.replace(day=1) - timedelta(days=1)


def _no_dates(count: int) -> pl.Series:
    return pl.repeat(None, count, dtype=pl.Date, eager=True)
