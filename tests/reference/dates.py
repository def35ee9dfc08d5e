"""Dates of the reference model: months, intervals, cadences, business days, dates of an invoice.

Rules: R-CI-10, 15, 16, 20..22 (cadence and references), R-INV-04..07 (dates of an invoice), R-BP-4.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

PERIODICITY_OF_INTERVAL = {
    "every_week": "weekly",
    "every_other_week": "every_other_week",
    "twice_per_month": "twice_per_month",
    "monthly": "monthly",
    "every_other_month": "monthly",
    "quarterly": "monthly",
    "every_four_months": "monthly",
    "every_six_months": "monthly",
    "every_year": "monthly",
    "every_other_year": "monthly",
}
"""R-CI-10."""

MONTHS_OF_INTERVAL = {
    "monthly": 1,
    "every_other_month": 2,
    "quarterly": 3,
    "every_four_months": 4,
    "every_six_months": 6,
    "every_year": 12,
    "every_other_year": 24,
}
"""R-CI-22: lengths of the intervals that are counted in months."""

DAYS_OF_INTERVAL = {"every_week": 7, "every_other_week": 14, "twice_per_month": 15}
"""R-CI-22: the others; 'one interval after' for twice per month is + 15 days (our choice)."""


def plus_days(day: date, days: int) -> date:
    """A number of calendar days later (earlier when negative)."""
    return day + timedelta(days=days)


def day_of_month(year: int, month: int, day: int) -> date:
    """That day of that month, or the last day of the month when it does not exist (R-CI-16)."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def add_months(day: date, months: int) -> date:
    """The same day of the month some months later, clamped to the end of the month (R-CI-16)."""
    index = day.year * 12 + (day.month - 1) + months
    return day_of_month(index // 12, index % 12 + 1, day.day)


def add_interval(day: date, interval: str) -> date:
    """One payment interval later (R-CI-22)."""
    if interval in MONTHS_OF_INTERVAL:
        return add_months(day, MONTHS_OF_INTERVAL[interval])
    return plus_days(day, DAYS_OF_INTERVAL[interval])


def is_last_day_of_month(day: date) -> bool:
    """Whether tomorrow is another month."""
    return plus_days(day, 1).month != day.month


@dataclass(frozen=True)
class Cadence:
    """An endless series of dates, without beginning (R-CI-14, R-CI-15).

    Either days of the month (one, or two when twice per month), or every so many days through an anchor.
    """

    days_of_month: tuple[int, ...] = ()
    every_days: int = 0
    anchor: date = date(2000, 1, 1)

    def dates_from(self, start: date) -> Iterator[date]:
        """The dates of the cadence on or after a date, in order."""
        if self.every_days:
            day = plus_days(start, (self.anchor - start).days % self.every_days)
            while True:
                yield day
                day = plus_days(day, self.every_days)
        month = date(start.year, start.month, 1)
        last = None
        while True:
            for wanted in self.days_of_month:
                day = day_of_month(month.year, month.month, wanted)
                if day >= start and day != last:
                    yield day
                    last = day
            month = add_months(month, 1)

    def series(self, start: date, interval: str) -> Iterator[date]:
        """The first date on or after ``start``, then one date every interval (R-CI-38, R-CI-39).

        Months are counted from the anchor day, so every third date of a monthly cadence is a quarter apart.
        """
        return islice(self.dates_from(start), 0, None, MONTHS_OF_INTERVAL.get(interval, 1))


def cadence_through(first: date, periodicity: str) -> Cadence:
    """The cadence that a first periodic date anchors (R-CI-22, R-CI-38, R-INV-01)."""
    if periodicity == "monthly":
        return Cadence(days_of_month=(first.day,))
    if periodicity == "twice_per_month":
        other = first.day + 15 if first.day <= 15 else first.day - 15
        return Cadence(days_of_month=tuple(sorted((first.day, other))))
    return Cadence(every_days=7 if periodicity == "weekly" else 14, anchor=first)


def cadence_of_account(row: dict[str, Any], periodicity: str) -> Cadence:
    """The cadence of an account's Invoices Fixed On fields (2.6, R-CI-39, R-INV-02)."""
    if periodicity == "monthly":
        return Cadence(days_of_month=(row["invoice_day_of_month"],))
    if periodicity == "twice_per_month":
        days = (row["invoice_first_day_of_month"], row["invoice_second_day_of_month"])
        return Cadence(days_of_month=tuple(sorted(days)))
    if periodicity == "weekly":
        return Cadence(every_days=7, anchor=date(2024, 1, row["invoice_day_of_week"]))  # 2024-01-01 was a Monday
    return Cadence(every_days=14, anchor=row["invoice_every_other_week_anchor"])


def resolve_timing(
    timing: tuple[int, str], interval: str, charge_date: date, charge_effective: date, policy_effective: date
) -> date:
    """An event date: a reference date, plus a signed number of calendar days (R-CI-20, R-CI-21)."""
    days, reference = timing
    reference_dates = {
        "charge_date": charge_date,
        "charge_effective_date": charge_effective,
        "policy_effective_date": policy_effective,
        "one_interval_after_charge_effective_date": add_interval(charge_effective, interval),
        "one_interval_after_policy_effective_date": add_interval(policy_effective, interval),
    }
    return plus_days(reference_dates[reference], days)


class BusinessCalendar:
    """Which days are business days (R-INV-06, R-BP-4)."""

    def __init__(self, weekdays: list[int], holidays: list[date]) -> None:
        self.weekdays = set(weekdays)
        self.holidays = set(holidays)

    def is_business_day(self, day: date) -> bool:
        """Whether the carrier works on that day."""
        return day.isoweekday() in self.weekdays and day not in self.holidays

    def add_business_days(self, day: date, count: int) -> date:
        """That many business days later (earlier when negative); the start day is not counted (R-INV-06)."""
        step = 1 if count >= 0 else -1
        while count != 0:
            day = plus_days(day, step)
            if self.is_business_day(day):
                count -= step
        return day

    def add_lead(self, day: date, lead: int, unit: str) -> date:
        """A lead time later, in calendar or business days."""
        return self.add_business_days(day, lead) if unit == "business_days" else plus_days(day, lead)

    def adjust(self, day: date, logic: str) -> date:
        """A due date moved to a business day, or not (R-INV-07, R-BP-4)."""
        if logic == "exact_day":
            return day
        while not self.is_business_day(day):
            day = plus_days(day, 1 if logic == "next_business_day" else -1)
        return day


def invoice_dates(
    slot: date, fix: str, billing_plan: dict[str, Any], responsive: bool, business: BusinessCalendar
) -> tuple[date, date]:
    """Bill date and due date of the invoice on a date of the cadence (R-INV-04..07).

    The due date is never before the bill date (2.9, R-BP-4).
    """
    lead = billing_plan["lead_time_days" if responsive else "non_responsive_lead_time_days"]
    unit = billing_plan["lead_time_unit"]
    if fix == "bill_date":
        bill = slot
        due = business.add_lead(bill, lead, unit)
    else:
        due = slot
        bill = business.add_lead(due, -lead, unit)
    due = business.adjust(due, billing_plan["payment_due_day_logic"])
    return bill, max(bill, due)
