"""Equity of policy periods: what is paid for against what is provided (R-EQT-01 to R-EQT-11).

Only charges whose pattern counts in equity dating take part, on both sides (R-EQT-03). A charge is provided evenly from
its own effective date to the end of cover (R-EQT-10). A day is provided when it is over: equity asks at the start of
`as_of`, so on the first day of cover nothing is provided (R-EQT-01). `ledger.earning` posts at the close of a day and
counts that day too.

All numbers are whole. A period whose charges share one effective date is a closed form in 64 bits. Otherwise the daily
costs have different denominators; they are counted in units of 2^-80 of a minor unit in 128 bits. Rounding them down
loses less than a unit per charge and day, so two numbers within `_TOLERANCE` units (2^-48 of a minor unit) are equal.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import polars as pl

_UNIT = pl.lit(2**80, dtype=pl.Int128)
_TOLERANCE = pl.lit(2**32, dtype=pl.Int128)
_COLUMNS = (
    "period_key",
    "equity_value",
    "paid",
    "service_provided",
    "equity",
    "equity_percent",
    "days_paid",
    "paid_through_date",
    "equity_zero_date",
    "days_till_paid_through",
)


def equity(
    periods: pl.DataFrame,
    charges: pl.DataFrame,
    paid: pl.DataFrame,
    as_of: date,
    premium_patterns: Collection[str] | None = None,
) -> pl.DataFrame:
    """Equity and paid-through of policy periods at the start of a day.

    `periods` has period_key, effective_date, coverage_end and cancellation_date (none unless cancelled); `charges` is
    `book["charges"]` or part of it; `paid` has charge_key and paid, such as `book["invoice_items"]`.
    `premium_patterns` are the charge patterns of category premium, the denominator of the percent (R-EQT-04); without
    them the equity charges are.

    Returns one row per period, sorted by period_key: equity_value (V), paid (P), service_provided (S, half up), equity
    (P - S, half up once, away from zero when negative), all in minor units; equity_percent (basis points of that
    equity, half up; none without premium); days_paid (R-EQT-06, at most what is left of the cover); paid_through_date
    (R-EQT-07: the end of cover, or the cancellation, once all is paid); equity_zero_date (R-EQT-08: the first day on
    which service provided reaches what is paid, the end of cover if none does); days_till_paid_through (R-EQT-09).
    The dates and days are none where V is zero.
    """
    slices = provided_from(periods, charges)
    premiums = _premiums(charges, premium_patterns)
    terms = _terms(periods, slices, paid, as_of).join(premiums, on="period_key", how="left")
    starts = slices.group_by("period_key").agg(
        pl.col("starts").min().alias("first_start"), pl.col("starts").max().alias("last_start")
    )
    terms = terms.join(starts, on="period_key", how="left")
    has_one_slope = (
        pl.col("first_start").eq_missing(pl.col("last_start")) & (pl.col("first_start") == pl.col("effective_date"))
    ) | pl.col("first_start").is_null()
    single = _one_slope(terms.filter(has_one_slope))
    several = terms.filter(~has_one_slope)
    if several.height:
        single = pl.concat([single, _several_slopes(several, slices)])
    return _with_dates(single, as_of).select(_COLUMNS).sort("period_key")


def provided_from(periods: pl.DataFrame, charges: pl.DataFrame) -> pl.DataFrame:
    """Equity charges with the day on which they begin to be provided: inside the cover, at the latest its last day."""
    starts = pl.min_horizontal(
        pl.max_horizontal("effective_date", "period_start"), pl.col("coverage_end") - pl.duration(days=1)
    )
    return (
        charges.filter(pl.col("in_equity"))
        .select("charge_key", "period_key", "amount", "effective_date")
        .join(
            periods.select("period_key", "coverage_end", period_start="effective_date"),
            on="period_key",
            maintain_order="left",
        )
        .select("charge_key", "period_key", "amount", starts=starts)
    )


def _premiums(charges: pl.DataFrame, premium_patterns: Collection[str] | None) -> pl.DataFrame:
    """The denominator of the equity percent by period."""
    counts = pl.col("in_equity")
    if premium_patterns is not None:
        counts = pl.col("charge_pattern").is_in(list(premium_patterns))
    return charges.filter(counts).group_by("period_key").agg(pl.col("amount").sum().alias("premium"))


def _terms(periods: pl.DataFrame, slices: pl.DataFrame, paid: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """One row per period: its dates, the day held inside them, V and P."""
    values = slices.group_by("period_key").agg(pl.col("amount").sum().alias("equity_value"))
    receipts = (
        paid.select("charge_key", "paid")
        .join(slices.select("charge_key", "period_key"), on="charge_key", maintain_order="left")
        .group_by("period_key")
        .agg(pl.col("paid").sum())
    )
    end = pl.col("coverage_end")
    return (
        periods.select("period_key", "effective_date", "coverage_end", "cancellation_date")
        .join(values, on="period_key", how="left")
        .join(receipts, on="period_key", how="left")
        .with_columns(
            pl.col("equity_value", "paid").fill_null(0),
            cover_ends=pl.coalesce("cancellation_date", end),
            # The day, held inside the term: nothing is provided before it or after it.
            on_day=pl.max_horizontal("effective_date", pl.min_horizontal(pl.lit(as_of), end)),
        )
    )


def _one_slope(terms: pl.DataFrame) -> pl.DataFrame:
    """Periods provided at one daily cost V / T: service, equity and the days on which the money is used up."""
    value, paid, length = pl.col("equity_value"), pl.col("paid"), pl.col("term_days")
    elapsed = (pl.col("on_day") - pl.col("effective_date")).dt.total_days()
    days_bought = pl.when(value > 0).then(paid * length)
    whole_days = days_bought // value
    started_days = -(-days_bought // value)
    is_spent_at_once = paid <= 0
    used_up = (
        pl.when(is_spent_at_once)
        .then(pl.lit(0, dtype=pl.Int64))
        .when((value <= 0) | (paid >= value))
        .then(length)
        .otherwise(started_days)
    )
    # A term without days is over before it begins: everything is provided.
    exact = pl.when(length > 0).then(value * elapsed).otherwise(value)
    divisor = pl.max_horizontal(length, pl.lit(1, dtype=pl.Int64))
    return terms.with_columns(term_days=(pl.col("coverage_end") - pl.col("effective_date")).dt.total_days()).select(
        pl.exclude("first_start", "last_start", "term_days"),
        service_provided=_half_up(exact, divisor),
        equity=_half_up(paid * divisor - exact, divisor),
        has_equity=paid * divisor >= exact,
        covered_through=pl.col("effective_date") + pl.duration(days=whole_days),
        used_up_on=pl.col("effective_date") + pl.duration(days=used_up),
    )


def _several_slopes(terms: pl.DataFrame, slices: pl.DataFrame) -> pl.DataFrame:
    """The same for periods whose daily cost changes during the term, by the segments between the changes."""
    segments = _segments(terms, slices)
    money = pl.col("paid").cast(pl.Int128) * _UNIT
    days = (pl.col("ends") - pl.col("starts")).dt.total_days()
    last = days - 1
    from_day = (pl.max_horizontal("starts", "on_day") - pl.col("starts")).dt.total_days()
    at_from = pl.col("provided") + pl.col("slope") * from_day
    at_last = pl.col("provided") + pl.col("slope") * last
    rises = pl.col("slope") > 0
    is_ahead = pl.col("ends") > pl.col("on_day")
    holds_day = is_ahead & (pl.col("starts") <= pl.col("on_day"))
    lasting = (
        pl.when(is_ahead & rises & (at_from <= money + _TOLERANCE))
        .then(pl.min_horizontal(last, (from_day + (money + _TOLERANCE - at_from) // _divisor()).cast(pl.Int64)))
        .when(is_ahead & ~rises & (at_last <= money + _TOLERANCE))
        .then(last)
    )
    reached = (
        pl.when(pl.col("provided") >= money - _TOLERANCE)
        .then(pl.lit(0, dtype=pl.Int64))
        .when(rises & (at_last >= money - _TOLERANCE))
        .then(-((pl.col("provided") + _TOLERANCE - money) // _divisor()).cast(pl.Int64))
    )
    found = (
        segments.with_columns(
            service=pl.when(holds_day).then(at_from),
            covered_through=pl.col("starts") + pl.duration(days=lasting),
            used_up_on=pl.col("starts") + pl.duration(days=reached),
        )
        .group_by("period_key")
        .agg(pl.col("service").max(), pl.col("covered_through").max(), pl.col("used_up_on").min())
    )
    # On the end of cover, where no segment holds the day, everything is provided.
    service = pl.coalesce("service", pl.col("equity_value").cast(pl.Int128) * _UNIT)
    return (
        terms.join(found, on="period_key", how="left")
        .with_columns(service=service, money=money)
        .select(
            pl.exclude("first_start", "last_start", "service", "money", "covered_through", "used_up_on"),
            service_provided=_half_up(pl.col("service"), _UNIT, _TOLERANCE),
            equity=_half_up(pl.col("money") - pl.col("service"), _UNIT, _TOLERANCE),
            has_equity=pl.col("service") <= pl.col("money") + _TOLERANCE,
            covered_through=pl.col("covered_through"),
            used_up_on=pl.max_horizontal("effective_date", pl.coalesce("used_up_on", "coverage_end")),
        )
    )


def _segments(terms: pl.DataFrame, slices: pl.DataFrame) -> pl.DataFrame:
    """Stretches of a term with one daily cost: starts, ends, slope (units a day), provided (units at its start)."""
    dates = terms.select("period_key", "effective_date", "coverage_end", "on_day", "paid")
    steps = (
        pl.concat(
            [
                slices.select("period_key", "starts", "amount"),
                dates.select("period_key", starts="effective_date", amount=pl.lit(0, dtype=pl.Int64)),
            ]
        )
        .group_by("period_key", "starts")
        .agg(pl.col("amount").sum())
        .join(dates, on="period_key")
        .sort("period_key", "starts")
    )
    days_left = pl.max_horizontal((pl.col("coverage_end") - pl.col("starts")).dt.total_days(), 1)
    added = pl.col("amount").cast(pl.Int128) * _UNIT // days_left.cast(pl.Int128)
    segments = steps.with_columns(
        slope=added.cum_sum().over("period_key", order_by="starts"),
        ends=pl.col("starts").shift(-1).over("period_key", order_by="starts").fill_null(pl.col("coverage_end")),
    ).filter(pl.col("starts") < pl.col("ends"))
    service = pl.col("slope") * (pl.col("ends") - pl.col("starts")).dt.total_days()
    return segments.with_columns(
        provided=service.cum_sum().over("period_key", order_by="starts") - service,
    )


def _with_dates(terms: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The dates and days that follow from service and money."""
    is_all_paid = pl.col("paid") >= pl.col("equity_value")
    paid_through = (
        pl.when(is_all_paid)
        .then("cover_ends")
        .when("has_equity")
        .then("covered_through")
        .otherwise(pl.max_horizontal("used_up_on", "effective_date"))
    )
    days_paid = (pl.col("paid_through_date") - pl.col("on_day")).dt.total_days()
    has_value = pl.col("equity_value") != 0
    premium = pl.col("premium")
    return terms.with_columns(
        paid_through_date=pl.when(has_value).then(paid_through),
        equity_zero_date=pl.when(has_value).then("used_up_on"),
        equity_percent=pl.when(premium != 0).then(_half_up(10_000 * pl.col("equity") * premium.sign(), premium.abs())),
    ).with_columns(
        # max_horizontal ignores nulls: without equity charges there is no date, and no days either.
        days_paid=pl.when(has_value).then(pl.when(is_all_paid).then(days_paid.clip(0)).otherwise(days_paid)),
        days_till_paid_through=(pl.col("paid_through_date") - pl.lit(as_of)).dt.total_days(),
    )


def _half_up(numerator: pl.Expr, divisor: pl.Expr, tolerance: pl.Expr | int = 0) -> pl.Expr:
    """A fraction as a whole number, halves away from zero; what is short of a half by the tolerance is a half."""
    size = (2 * numerator.abs() + 2 * tolerance + divisor) // (2 * divisor)
    return (size * numerator.sign()).cast(pl.Int64)


def _divisor() -> pl.Expr:
    """The slope where it rises; elsewhere its value is not used, but may not be zero."""
    return pl.max_horizontal("slope", pl.lit(1, dtype=pl.Int128))
