"""Premium earned: pro rata charges become revenue as the days of cover pass (transaction ProRataChargeEarned).

Two conventions meet here. Posting happens at the close of a business day d, which has then been covered: the charge has
earned the days [effective_date, d], n = d + 1 - effective_date. Equity (`ledger.equity`) asks at the start of a day,
when that day is not yet provided: n = d - effective_date. What is earned by the close of d is thus the service provided
at the start of d + 1.

Nothing is stored: what has been posted before is the closed form at the previous posting day.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from ledger.carrier import Carrier
from ledger.money import part_of

COLUMNS = (
    "charge_key",
    "charge_pattern",
    "owner_type",
    "owner_key",
    "account_key",
    "period_key",
    "currency",
    "amount",
)


def earn_premium(charges: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    """What the pro rata charges earn at the close of a day, at the interval that the carrier sets.

    `charges` is `book["charges"]`. Earned to date is amount * n / T, half up once (away from zero when negative), where
    n of the T days from effective_date to coverage_end have passed; the result is its increase since the previous
    posting day, so that the postings of a charge add up to its amount. A charge booked since then catches up; a charge
    that takes effect at the end of cover or later is earned on the last day of cover, at once when that has passed.

    Returns charge_key, charge_pattern, owner_type, owner_key, account_key, period_key, currency and amount (minor
    units, signed, never zero), sorted by charge_key; no rows on a day that does not post.
    """
    previous = previous_posting_day(day, carrier.earning_interval)
    if previous is None:
        return charges.clear().select(COLUMNS)
    was_booked = pl.col("charge_date") <= previous
    is_open = ~was_booked | (pl.col("coverage_end") > previous + timedelta(days=1))
    earns_now = (pl.col("charge_subtype") == "pro_rata") & (_earns_from() <= day) & is_open
    before = pl.when(was_booked).then(_earned_by(previous)).otherwise(0)
    return (
        charges.filter(earns_now)
        .with_columns(amount=_earned_by(day) - before)
        .filter(pl.col("amount") != 0)
        .select(COLUMNS)
        .sort("charge_key")
    )


def previous_posting_day(day: date, interval: str) -> date | None:
    """The posting day before this one; none when this day does not post."""
    if interval == "daily":
        return day - timedelta(days=1)
    if (day + timedelta(days=1)).day != 1:
        return None
    return day.replace(day=1) - timedelta(days=1)


def _earns_from() -> pl.Expr:
    return pl.min_horizontal("effective_date", pl.col("coverage_end") - pl.duration(days=1))


def _earned_by(day: date) -> pl.Expr:
    """Earned to date at the close of a day, in minor units."""
    length = (pl.col("coverage_end") - _earns_from()).dt.total_days()
    passed = (pl.lit(day + timedelta(days=1)) - _earns_from()).dt.total_days().clip(0, length)
    return part_of(pl.col("amount"), passed, length)
