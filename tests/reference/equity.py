"""Whether a schedule keeps the equity that a period should have (R-EQT-10..16)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests.reference.dates import plus_days
from tests.reference.entities import Period
from tests.reference.refusing import refuse

if TYPE_CHECKING:
    from tests.reference.model import Model


def check_equity(model: Model, row: dict[str, Any], periods: Iterable[Period | None], today: date) -> None:
    """Refuse a command after which a period falls short, when the command asks for that (R-EQT-14, R-EQT-16)."""
    if (row.get("params") or {}).get("on_equity_violation") != "reject":
        return
    for period in periods:
        if period is not None and period.has_equity_warnings and first_violation(model, period, today) is not None:
            refuse("the schedule leaves too little equity")


def first_violation(model: Model, period: Period, today: date) -> date | None:
    """The first day on which what is due by then leaves less equity than the period should have (R-EQT-12, 13).

    What costs nothing needs no equity; a period ends when it is cancelled; what is written off is not due (silent).
    """
    charges = [charge for charge in model.all_charges if charge.period is period and charge.in_equity]
    total = sum(charge.amount for charge in charges)
    if total <= 0:
        return None
    end = period.cancelled_on or period.coverage_end
    term = (period.coverage_end - period.start).days

    def provided(day: date) -> Fraction:
        """Service provided by the start of a day (R-EQT-01, R-EQT-10)."""
        result = Fraction(0)
        for charge in charges:
            start = min(max(charge.effective_date, period.start), plus_days(period.coverage_end, -1))
            length = (period.coverage_end - start).days
            result += Fraction(charge.amount * max((day - start).days, 0), length)
        return result

    day = max(period.start, today)
    items = [item for charge in charges for item in charge.items]
    while day < end:
        due = sum(item.amount - item.written_off for item in items if item.invoice.due_date <= day)
        threshold = min(Fraction(period.min_equity_days * total, term), total - provided(day))
        if due - provided(day) < threshold:
            return day
        day = plus_days(day, 1)
    return None
