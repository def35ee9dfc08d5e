"""Invoice streams: which cadence of invoices an item belongs to (R-CI-10..16, R-INV-01..03).

A stream belongs to a payer. Under policy-level billing it serves one policy; under account-level billing all policies
whose payment interval maps to the same periodicity share it. It is found, or created, before any item is placed. Its
dates are those of the policy period that needed it first, whatever the charge that came first.

The streams of a list bill account are shared by all policies that it pays, at any billing level, for they belong to the
account (R-LB-02). They are created with the account, one per periodicity of its plans (R-LB-04); later only a monthly
one for its account-level charges may follow (R-LB-05, R-LB-06).
"""

from __future__ import annotations

import polars as pl

from ledger.book import Book, number_from
from ledger.calendar import INTERVAL_FRAME, MONDAY, days_of_half_month
from ledger.carrier import Carrier
from ledger.periods import NEW_PERIOD_TYPES
from ledger.terms import with_terms

CADENCE = ("periodicity", "anchor_date", "anchor_day", "second_anchor_day", "fix_invoices_on")
"""What a stream fixes for its invoices."""
_SCOPE = ("payer_account_key", "stream_policy_key", "periodicity")
_OF_STREAM = ("stream_key", "anchor_date", "anchor_day", "second_anchor_day", "fix_invoices_on")


def open_streams(book: Book, periods: pl.DataFrame, carrier: Carrier) -> Book:
    """The streams that new policy periods need for their owners, also while there is no charge (R-CI-02, R-INV-03).

    In: `period_key` and `payer_account_key`, the default payer, of booked periods whose instructions are booked.
    """
    wanted = periods.select("period_key", "payer_account_key").sort("period_key")
    return book if wanted.is_empty() else _create_missing(book, _terms_of_periods(book, wanted, carrier))


def open_list_bill_streams(book: Book, accounts: pl.DataFrame, offered: pl.DataFrame, carrier: Carrier) -> Book:
    """The streams of new list bill accounts, one per periodicity of the plans that they offer (R-LB-02, R-LB-04).

    In: the booked accounts; account_key and payment_plan of what they offer (`ledger.list_bill`).
    """
    intervals = carrier.payment_plan_frame().select("payment_plan", "payment_interval")
    wanted = (
        offered.join(intervals, on="payment_plan", how="left")
        .join(INTERVAL_FRAME, on="payment_interval", how="left")
        .select("account_key", "periodicity")
        .unique()
    )
    days = accounts.drop("fix_invoices_on").with_columns(
        payer_fix_invoices_on=accounts["fix_invoices_on"].cast(pl.String)
    )
    rows = days.join(wanted, on="account_key", how="inner").with_columns(
        payer_account_key="account_key",
        stream_policy_key=pl.lit(0, pl.Int64),
        align_installments=pl.lit(value=True),
        first_periodic_date=pl.lit(None, pl.Date),
        plan_fix_invoices_on=pl.lit(None, pl.String),
    )
    return _create_missing(book, rows)


def find_or_create_streams(book: Book, charges: pl.DataFrame, carrier: Carrier) -> tuple[Book, pl.DataFrame]:
    """Give every charge the stream of its payer, and create the streams that are missing.

    In: one row per charge with its terms (`ledger.terms`). Out: the book with new streams, and the charges with
    `stream_key` and the cadence of their stream. Rules: R-CI-10..14, R-INV-01..03, R-BL-4, R-BL-5.
    """
    charges = _with_scope(charges)
    is_named = (pl.col("period_stream_key") > 0) & (pl.col("payer_account_key") == pl.col("period_payer_account_key"))
    is_named = is_named.fill_null(value=False)
    if not charges.select(is_named.any()).item():
        return _find_by_scope(book, charges, carrier)
    book, others = _find_by_scope(book, charges.filter(~is_named), carrier)
    streams = book["invoice_streams"].select(
        pl.col("stream_key").alias("period_stream_key"), *_OF_STREAM, named_policy_key="policy_key"
    )
    named = charges.filter(is_named).join(streams, on="period_stream_key", how="left", maintain_order="left")
    named = named.with_columns(pl.col("fix_invoices_on").cast(pl.String), stream_policy_key="named_policy_key")
    return book, pl.concat([others, named.select(others.columns)])


def _find_by_scope(book: Book, charges: pl.DataFrame, carrier: Carrier) -> tuple[Book, pl.DataFrame]:
    """The stream of the charge's scope, created when it is missing."""
    known = _matching_streams(book, charges)
    missing = (
        charges.join(known, on=_SCOPE, how="anti", maintain_order="left")
        .sort("charge_key")
        .unique(_SCOPE, keep="first", maintain_order=True)
    )
    if not missing.is_empty():
        is_of_period = pl.col("period_key") > 0
        wanted = missing.filter(is_of_period).select("period_key", "payer_account_key")
        if not wanted.is_empty():
            book = _create_missing(book, _terms_of_periods(book, wanted, carrier))
        is_list_bill = pl.col("payer_account_type") == "list_bill"
        book = _create_missing(book, missing.filter(~is_of_period).with_columns(is_account_level_only=is_list_bill))
        known = _matching_streams(book, charges)
    return book, charges.join(known, on=_SCOPE, how="left", maintain_order="left")


def _with_scope(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the policy that the stream serves, 0 when what the payer pays shares it (R-CI-11..13, R-LB-02).

    What is of no policy period is of the account, also a recapture that refills the fund of a policy (R-CI-28).
    """
    is_policy_level = (
        (pl.col("payer_invoice_by") == "policy")
        & (pl.col("period_key") > 0)
        & (pl.col("payer_account_type") != "list_bill")
    )
    return rows.with_columns(stream_policy_key=pl.when(is_policy_level).then(pl.col("policy_key")).otherwise(0))


def _terms_of_periods(book: Book, wanted: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """The terms of policy periods as they were created, per payer.

    `first_periodic_date` is the date on which the regular installments start of a charge that came with the period
    (R-INV-01, R-INV-03).
    """
    keys = wanted["period_key"].implode()
    created = book["instructions"].filter(
        pl.col("period_key").is_in(keys) & pl.col("instruction_type").is_in(NEW_PERIOD_TYPES)
    )
    periods = (
        book["policy_periods"]
        .filter(pl.col("period_key").is_in(keys))
        .join(created.select("period_key", "instruction_type", "received_date"), on="period_key", how="left")
        .select(
            "period_key",
            "policy_key",
            "effective_date",
            pl.col("payment_plan").alias("plan_name"),
            pl.col("instruction_type").cast(pl.String).alias("plan_context"),
            pl.col("received_date").alias("charge_date"),
            charge_pattern=pl.lit(None, pl.String),
            modified_down_payment_ppm=pl.lit(None, pl.Int64),
            modified_max_installments=pl.lit(None, pl.Int64),
        )
    )
    rows = wanted.join(periods, on="period_key", how="left", maintain_order="left")
    return _with_scope(with_terms(book, rows, carrier))


def _create_missing(book: Book, rows: pl.DataFrame) -> Book:
    """Create the streams of these rows (with terms and scope) that are not there; the first row of a stream counts."""
    missing = (
        rows.join(_matching_streams(book, rows), on=_SCOPE, how="anti", maintain_order="left")
        .unique(_SCOPE, keep="first", maintain_order=True)
        .sort(_SCOPE)
    )
    if missing.is_empty():
        return book
    flags = [name for name in ("is_account_level_only",) if name in missing.columns]
    new = missing.select(*_SCOPE, *flags, *_anchor(), number_from(book.next_key("invoice_streams"), "stream_key"))
    return book.append(
        "invoice_streams", new.rename({"payer_account_key": "account_key", "stream_policy_key": "policy_key"})
    )


def _matching_streams(book: Book, charges: pl.DataFrame) -> pl.DataFrame:
    streams = book["invoice_streams"].filter(
        pl.col("account_key").is_in(charges["payer_account_key"].unique().implode())
    )
    return streams.select(
        pl.col("account_key").alias("payer_account_key"),
        pl.col("policy_key").alias("stream_policy_key"),
        pl.col("periodicity").cast(pl.String),
        *_OF_STREAM,
    ).with_columns(pl.col("fix_invoices_on").cast(pl.String))


def account_cadence() -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Anchor date, day and second day of a stream that follows the invoice days of its payer (R-PP-11, R-ACC-06).

    Reads `periodicity` and the invoice days of the account.
    """
    is_half_month = pl.col("periodicity") == "twice_per_month"
    first = pl.min_horizontal("invoice_first_day_of_month", "invoice_second_day_of_month")
    second = pl.max_horizontal("invoice_first_day_of_month", "invoice_second_day_of_month")
    anchor_date = (
        pl.when(pl.col("periodicity") == "every_other_week")
        .then(pl.col("invoice_every_other_week_anchor"))
        .otherwise(pl.lit(MONDAY) + pl.duration(days=pl.col("invoice_day_of_week").cast(pl.Int64) - 1))
    )
    anchor_day = pl.when(is_half_month).then(first).otherwise(pl.col("invoice_day_of_month"))
    second_anchor_day = pl.when(is_half_month).then(second).otherwise(pl.col("invoice_day_of_month"))
    return anchor_date, anchor_day, second_anchor_day


def _anchor() -> list[pl.Expr]:
    """Anchor of a new stream: the payer's invoice days, or the first periodic date of an aligned policy-level plan."""
    on_account_days = (pl.col("stream_policy_key") == 0) | ~pl.col("align_installments")
    first = pl.col("first_periodic_date")
    half_first, half_second = days_of_half_month(first.dt.day())
    is_half_month = pl.col("periodicity") == "twice_per_month"
    account_date, account_day, account_second_day = account_cadence()
    plan_day = pl.when(is_half_month).then(half_first).otherwise(first.dt.day().cast(pl.Int64))
    plan_second_day = pl.when(is_half_month).then(half_second).otherwise(first.dt.day().cast(pl.Int64))
    return [
        pl.when(on_account_days).then(account_date).otherwise(first).alias("anchor_date"),
        pl.when(on_account_days).then(account_day).otherwise(plan_day).alias("anchor_day"),
        pl.when(on_account_days).then(account_second_day).otherwise(plan_second_day).alias("second_anchor_day"),
        pl.when(pl.col("stream_policy_key") == 0)
        .then(pl.col("payer_fix_invoices_on"))
        .otherwise(pl.col("plan_fix_invoices_on"))
        .alias("fix_invoices_on"),
    ]
