"""Premium earned: the postings of a charge against a model that counts the covered days."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.earning import COLUMNS, earn_premium, previous_posting_day

FIRST = date(2025, 1, 1)

CHARGE = st.fixed_dictionaries(
    {
        "booked": st.integers(0, 120),
        "starts": st.integers(-40, 140),
        "ends": st.integers(1, 150),
        "amount": st.integers(-10_000, 10_000).filter(bool),
        "subtype": st.sampled_from(["pro_rata", "pro_rata", "immediate"]),
    }
)


def _frame(charges: list[dict]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "charge_key": key,
                "charge_pattern": "Premium",
                "charge_subtype": charge["subtype"],
                "owner_type": "PolicyPeriod",
                "owner_key": key,
                "account_key": 1,
                "period_key": key,
                "currency": "USD",
                "amount": charge["amount"],
                "charge_date": FIRST + timedelta(days=charge["booked"]),
                "effective_date": FIRST + timedelta(days=charge["starts"]),
                "coverage_end": FIRST + timedelta(days=charge["ends"]),
            }
            for key, charge in enumerate(charges, 1)
        ]
    )


def _earned(charge: dict, day: int) -> int:
    """Half up, of the days covered by the close of a day."""
    starts = min(charge["starts"], charge["ends"] - 1)
    length = charge["ends"] - starts
    covered = len([n for n in range(starts, charge["ends"]) if n <= day])
    size = (2 * abs(charge["amount"]) * covered + length) // (2 * length)
    return size if charge["amount"] > 0 else -size


@settings(deadline=None, max_examples=25)
@given(charges=st.lists(CHARGE, min_size=1, max_size=6), interval=st.sampled_from(["daily", "month_end"]))
def test_postings_follow_the_covered_days_and_add_up_to_the_charge(charges: list[dict], interval: str) -> None:
    frame, carrier = _frame(charges), SimpleNamespace(earning_interval=interval)
    posted = dict.fromkeys(range(1, len(charges) + 1), 0)
    for n in range(182):
        day = FIRST + timedelta(days=n)
        booked = frame.filter(pl.col("charge_date") <= day)
        for row in earn_premium(booked, day, carrier).to_dicts():
            posted[row["charge_key"]] += row["amount"]
        if interval == "daily" or (day + timedelta(days=1)).day == 1:
            expected = {
                key: _earned(charge, n) if charge["subtype"] == "pro_rata" and charge["booked"] <= n else 0
                for key, charge in enumerate(charges, 1)
            }
            assert posted == expected
    assert all(
        posted[key] == charge["amount"] for key, charge in enumerate(charges, 1) if charge["subtype"] == "pro_rata"
    )


def test_nothing_is_posted_between_month_ends() -> None:
    frame = _frame([{"booked": 0, "starts": 0, "ends": 365, "amount": 365_00, "subtype": "pro_rata"}])
    carrier = SimpleNamespace(earning_interval="month_end")
    assert earn_premium(frame, date(2025, 1, 30), carrier).is_empty()
    january = earn_premium(frame, date(2025, 1, 31), carrier)
    february = earn_premium(frame, date(2025, 2, 28), carrier)
    assert january.columns == list(COLUMNS)
    assert (january["amount"].to_list(), february["amount"].to_list()) == ([31_00], [28_00])


def test_a_charge_booked_after_its_cover_earns_everything_at_the_next_posting() -> None:
    frame = _frame([{"booked": 100, "starts": 0, "ends": 30, "amount": -77, "subtype": "pro_rata"}])
    carrier = SimpleNamespace(earning_interval="month_end")
    assert earn_premium(frame, date(2025, 4, 30), carrier)["amount"].to_list() == [-77]
    assert earn_premium(frame, date(2025, 5, 31), carrier).is_empty()


@pytest.mark.parametrize(
    ("day", "interval", "previous"),
    [
        (date(2024, 2, 29), "month_end", date(2024, 1, 31)),
        (date(2024, 2, 28), "month_end", None),
        (date(2025, 1, 31), "month_end", date(2024, 12, 31)),
        (date(2024, 3, 1), "daily", date(2024, 2, 29)),
    ],
)
def test_posting_days(day: date, interval: str, previous: date | None) -> None:
    assert previous_posting_day(day, interval) == previous
