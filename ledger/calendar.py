"""Dates of billing: intervals, cadences of invoices and installments, business days.

A date of a series is always computed from its anchor, never from the date before it: the 31st of a month that has no
31st is its last day, and the month after has its 31st again (R-CI-16). A *cadence* numbers its dates with *slots*, so
that "the first date on or after d" and "k intervals later" are arithmetic on whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

MONDAY: Final = date(2001, 1, 1)
"""A Monday: the anchor of weekly cadences that only name a day of the week."""
_HALF_MONTH_DAYS: Final = 15
_IS_TWICE_PER_MONTH: Final = pl.col("periodicity") == "twice_per_month"
_IS_BY_MONTH: Final = _IS_TWICE_PER_MONTH | (pl.col("periodicity") == "monthly")
_DAYS_BETWEEN: Final = pl.when(pl.col("periodicity") == "weekly").then(7).otherwise(14)
"""Days between two dates of a cadence that goes by weeks."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A payment interval: its length, the cadence that carries it, and how many slots of that cadence it spans."""

    months: int
    days: int
    periodicity: str
    slots: int


INTERVALS: Final[dict[str, Interval]] = {
    "every_week": Interval(0, 7, "weekly", 1),
    "every_other_week": Interval(0, 14, "every_other_week", 1),
    "twice_per_month": Interval(0, _HALF_MONTH_DAYS, "twice_per_month", 1),
    "monthly": Interval(1, 0, "monthly", 1),
    "every_other_month": Interval(2, 0, "monthly", 2),
    "quarterly": Interval(3, 0, "monthly", 3),
    "every_four_months": Interval(4, 0, "monthly", 4),
    "every_six_months": Interval(6, 0, "monthly", 6),
    "every_year": Interval(12, 0, "monthly", 12),
    "every_other_year": Interval(24, 0, "monthly", 24),
}
"""Payment intervals by name (R-CI-10, R-CI-22)."""

INTERVAL_FRAME: Final = pl.DataFrame(
    {
        "payment_interval": list(INTERVALS),
        "interval_months": [interval.months for interval in INTERVALS.values()],
        "interval_days": [interval.days for interval in INTERVALS.values()],
        "periodicity": [interval.periodicity for interval in INTERVALS.values()],
        "interval_slots": [interval.slots for interval in INTERVALS.values()],
    }
)
"""The same as a frame, one row per payment interval."""


def month_index(day: pl.Expr) -> pl.Expr:
    """Months since year 0 of a date."""
    return day.dt.year().cast(pl.Int64) * 12 + day.dt.month().cast(pl.Int64) - 1


def day_in_month(month: pl.Expr, day_of_month: pl.Expr) -> pl.Expr:
    """The date of a day of a month (by index), or that month's last day when it is shorter (R-CI-16)."""
    first = pl.date(month // 12, month % 12 + 1, 1)
    last_day = first.dt.month_end().dt.day().cast(pl.Int64)
    return first + pl.duration(days=pl.min_horizontal(day_of_month.cast(pl.Int64), last_day) - 1)


def add_months(day: pl.Expr, months: pl.Expr) -> pl.Expr:
    """A date some months later, clamped to the end of the month."""
    return day_in_month(month_index(day) + months, day.dt.day())


def one_interval_after(day: pl.Expr) -> pl.Expr:
    """A date one payment interval later; reads `interval_months` and `interval_days` (R-CI-22)."""
    return add_months(day, pl.col("interval_months")) + pl.duration(days=pl.col("interval_days"))


def days_of_half_month(first_day: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The two days of a twice-per-month cadence that contains a given day of the month (R-CI-22)."""
    day = first_day.cast(pl.Int64)
    is_first = day <= _HALF_MONTH_DAYS
    return (
        pl.when(is_first).then(day).otherwise(day - _HALF_MONTH_DAYS),
        pl.when(is_first).then(day + _HALF_MONTH_DAYS).otherwise(day),
    )


def slot_on_or_after(day: pl.Expr) -> pl.Expr:
    """Slot of the first cadence date on or after a date.

    Reads the cadence of the row: `periodicity`, `anchor_date`, `anchor_day`, `second_anchor_day`.
    """
    # No day of a month is beyond its last one: what the cadence has beyond it needs no clamping here.
    is_after_first = (day.dt.day() > pl.col("anchor_day")).cast(pl.Int64)
    is_after_second = (day.dt.day() > pl.col("second_anchor_day")).cast(pl.Int64)
    dates_per_month = pl.when(_IS_TWICE_PER_MONTH).then(2).otherwise(1)
    days_on = (day - pl.col("anchor_date")).dt.total_days()
    return (
        pl.when(_IS_BY_MONTH)
        .then(
            dates_per_month * month_index(day)
            + is_after_first
            + pl.when(_IS_TWICE_PER_MONTH).then(is_after_second).otherwise(0)
        )
        .otherwise(-(-days_on // _DAYS_BETWEEN))
    )


def slot_date(slot: pl.Expr) -> pl.Expr:
    """Date of a slot of the row's cadence (the columns of `slot_on_or_after`)."""
    month = pl.when(_IS_TWICE_PER_MONTH).then(slot // 2).otherwise(slot)
    is_second = _IS_TWICE_PER_MONTH & (slot % 2 == 1)
    day = pl.when(is_second).then("second_anchor_day").otherwise("anchor_day")
    return (
        pl.when(_IS_BY_MONTH)
        .then(day_in_month(month, day))
        .otherwise(pl.col("anchor_date") + pl.duration(days=_DAYS_BETWEEN * slot))
    )


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """Which days are business days: days of the week (ISO) and holidays."""

    business_days: tuple[int, ...]
    holidays: tuple[date, ...]

    @property
    def _week_mask(self) -> Sequence[bool]:
        return [weekday in self.business_days for weekday in range(1, 8)]

    def next_business_day(self, day: pl.Expr) -> pl.Expr:
        """The date itself if it is a business day, else the next one."""
        return day.dt.add_business_days(0, week_mask=self._week_mask, holidays=list(self.holidays), roll="forward")

    def previous_business_day(self, day: pl.Expr) -> pl.Expr:
        """The date itself if it is a business day, else the one before."""
        return day.dt.add_business_days(0, week_mask=self._week_mask, holidays=list(self.holidays), roll="backward")

    def add(self, day: pl.Expr, count: pl.Expr) -> pl.Expr:
        """Count forward over business days only; the start day does not count (R-INV-06)."""
        moved = day.dt.add_business_days(
            count, week_mask=self._week_mask, holidays=list(self.holidays), roll="backward"
        )
        return pl.when(count == 0).then(day).otherwise(moved)

    def subtract(self, day: pl.Expr, count: pl.Expr) -> pl.Expr:
        """Count backward over business days only; the start day does not count (R-INV-06)."""
        moved = day.dt.add_business_days(
            -count, week_mask=self._week_mask, holidays=list(self.holidays), roll="forward"
        )
        return pl.when(count == 0).then(day).otherwise(moved)
