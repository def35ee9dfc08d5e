"""Worked examples of equity (area 02): E-EQT-01 to 07, E-POL-02 and E-POL-04."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from ledger.equity import equity


def _equity_of(
    *, start: date, end: date, premium: int, paid: int, as_of: date, other: int = 0, other_paid: int = 0
) -> dict[str, object]:
    """Equity of one period with a premium charge, and another charge that does not count in equity."""
    periods = pl.DataFrame(
        {"period_key": [1], "effective_date": [start], "coverage_end": [end], "cancellation_date": [None]},
        schema_overrides={"cancellation_date": pl.Date},
    )
    charges = pl.DataFrame(
        {
            "charge_key": [1, 2],
            "period_key": [1, 1],
            "charge_pattern": ["Premium", "Taxes"],
            "amount": [premium, other],
            "effective_date": [start, start],
            "in_equity": [True, False],
        }
    )
    items = pl.DataFrame({"charge_key": [1, 2], "paid": [paid, other_paid]})
    (row,) = equity(periods, charges, items, as_of, premium_patterns=["Premium"]).to_dicts()
    return row


def test_e_eqt_01_equity_is_paid_less_provided() -> None:
    """Paid 500, service received 300: equity 200."""
    start = date(2025, 1, 1)
    row = _equity_of(
        start=start, end=start + timedelta(days=4), premium=1_200_00, paid=500_00, as_of=start + timedelta(days=1)
    )
    assert (row["service_provided"], row["equity"]) == (300_00, 200_00)


def test_e_eqt_02_equity_percent() -> None:
    """Equity 200 of a premium of 1,200: 16.67 %."""
    start = date(2025, 1, 1)
    row = _equity_of(start=start, end=date(2026, 1, 1), premium=1_200_00, paid=200_00, as_of=start)
    assert (row["equity"], row["equity_percent"]) == (200_00, 16_67)


@pytest.mark.parametrize(
    ("example", "start", "end", "as_of", "paid_through"),
    [
        ("E-EQT-03", date(2025, 7, 1), date(2025, 12, 31), date(2025, 7, 1), date(2025, 7, 31)),
        ("E-EQT-04", date(2025, 7, 1), date(2025, 12, 31), date(2025, 7, 1), date(2025, 7, 31)),
    ],
)
def test_e_eqt_03_and_04_days_paid_and_paid_through(
    example: str, start: date, end: date, as_of: date, paid_through: date
) -> None:
    """183 days for 1,200: equity 200 is 30.5 days, so 30 days; from July 1 cover is paid through July 31."""
    row = _equity_of(start=start, end=end, premium=1_200_00, paid=200_00, as_of=as_of)
    assert (end - start).days == 183, example
    assert (row["days_paid"], row["paid_through_date"]) == (30, paid_through)
    assert row["equity_zero_date"] == paid_through + timedelta(days=1)


def test_e_eqt_07_and_e_pol_02_behind_with_payments() -> None:
    """Premium 6,000.00 and other charges of 325.00, paid 2,307.73: every printed figure, to the cent and the day."""
    row = _equity_of(
        start=date(2015, 11, 1),
        end=date(2016, 11, 1),
        premium=6_000_00,
        paid=2_307_73 - 325_00,
        other=325_00,
        other_paid=325_00,
        as_of=date(2016, 4, 15),
    )
    assert row == {
        "period_key": 1,
        "equity_value": 6_000_00,
        "paid": 1_982_73,
        "service_provided": 2_721_31,
        "equity": -738_58,
        "equity_percent": -12_31,
        "days_paid": -45,
        "paid_through_date": date(2016, 3, 1),
        "equity_zero_date": date(2016, 3, 1),
        "days_till_paid_through": -45,
    }


def test_e_eqt_07_counter_checks() -> None:
    """Money on other charges does not count, and the day itself is not yet provided."""
    term = {"start": date(2015, 11, 1), "end": date(2016, 11, 1), "premium": 6_000_00}
    with_other_money = _equity_of(**term, paid=2_307_73, as_of=date(2016, 4, 15))
    one_day_later = _equity_of(**term, paid=1_982_73, as_of=date(2016, 4, 16))
    assert (with_other_money["equity"], one_day_later["equity"]) == (-413_58, -754_97)


def test_e_pol_04_earned_and_balance_add_up() -> None:
    """Earned 100 of equity charges of 400: 25 % earned, 75 % balance (R-FIG-15)."""
    start = date(2025, 1, 1)
    row = _equity_of(
        start=start, end=start + timedelta(days=4), premium=400_00, paid=0, as_of=start + timedelta(days=1)
    )
    earned, value = row["service_provided"], row["equity_value"]
    assert isinstance(earned, int)
    assert isinstance(value, int)
    assert (100 * earned // value, 100 * (value - earned) // value) == (25, 75)
