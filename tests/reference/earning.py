"""Premium earned, straight line (R-TXN-30)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tests.reference.dates import is_last_day_of_month, plus_days
from tests.reference.entities import Charge

if TYPE_CHECKING:
    from tests.reference.model import Model


def earn(model: Model, today: date) -> None:
    """Post what pro rata charges have earned since the last posting (R-TXN-30)."""
    interval = model.carrier["earning_interval"]
    if interval == "none" or (interval == "month_end" and not is_last_day_of_month(today)):
        return
    for charge in model.all_charges:
        if charge.pattern_data["subtype"] == "pro_rata":
            earned = earned_by_close_of(charge, today)
            model.posted.earned(charge, earned - charge.earned, today)
            charge.earned = earned


def earned_by_close_of(charge: Charge, today: date) -> int:
    """Straight line from the charge's effective date to the end of cover, rounded half away from zero."""
    assert charge.period is not None
    # A charge that takes effect when cover has ended, or later, is earned on the last day of cover (silent).
    start = min(charge.effective_date, plus_days(charge.period.coverage_end, -1))
    total_days = (charge.period.coverage_end - start).days
    days = min(max((today - start).days + 1, 0), total_days)
    magnitude = (2 * abs(charge.amount) * days + total_days) // (2 * total_days)
    return magnitude if charge.amount >= 0 else -magnitude
