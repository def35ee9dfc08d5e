"""Equity against a model that looks at every day of the term with fractions."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.equity import equity

START = date(2025, 1, 31)

PERIOD = st.fixed_dictionaries(
    {
        "days": st.integers(0, 80),
        "charges": st.lists(st.tuples(st.integers(-5, 90), st.integers(-9_999, 20_000)), max_size=5),
        "paid": st.integers(-3_000, 30_000),
        "cancelled_after": st.none() | st.integers(0, 80),
        "premium": st.integers(-500, 20_000),
    }
)


def _frames(books: list[dict]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Periods, charges and paid items of some drawn periods; the money is on the first charge of each."""
    periods, charges, items = [], [], []
    for key, period in enumerate(books, 1):
        cancelled = period["cancelled_after"]
        periods.append(
            {
                "period_key": key,
                "effective_date": START,
                "coverage_end": START + timedelta(days=period["days"]),
                "cancellation_date": None if cancelled is None else START + timedelta(days=cancelled),
            }
        )
        for offset, amount in period["charges"]:
            charges.append((len(charges) + 1, key, "Fee", amount, START + timedelta(days=offset), True))
            if charges[-1][1] != (charges[-2][1] if len(charges) > 1 else 0):
                items.append((len(charges), period["paid"]))
        charges.append((len(charges) + 1, key, "Premium", period["premium"], START, False))
        items.append((len(charges), 777))
    schema = {"charge_key": pl.Int64, "period_key": pl.Int64, "charge_pattern": pl.String, "amount": pl.Int64}
    return (
        pl.DataFrame(periods, schema_overrides={"cancellation_date": pl.Date}),
        pl.DataFrame(charges, schema={**schema, "effective_date": pl.Date, "in_equity": pl.Boolean}, orient="row"),
        pl.DataFrame(items, schema={"charge_key": pl.Int64, "paid": pl.Int64}, orient="row"),
    )


def _half_up(value: Fraction) -> int:
    size = (2 * abs(value) + 1) // 2
    return int(size if value >= 0 else -size)


def _model(period: dict, as_of: date) -> dict[str, object]:
    """What the rules say, day by day."""
    end = START + timedelta(days=period["days"])
    term = [START + timedelta(days=n) for n in range(period["days"] + 1)]
    value = sum(amount for _, amount in period["charges"])
    paid = period["paid"] if period["charges"] else 0

    def provided(day: date) -> Fraction:
        total = Fraction(0)
        for offset, amount in period["charges"]:
            starts = min(START + timedelta(days=max(offset, 0)), end - timedelta(days=1))
            length = (end - starts).days
            total += Fraction(amount * min(max((day - starts).days, 0), length), length)
        return total

    on_day = max(START, min(as_of, end))
    cover_ends = end if period["cancelled_after"] is None else START + timedelta(days=period["cancelled_after"])
    zero = next((day for day in term if provided(day) >= paid), end)
    left = paid - provided(on_day)
    if paid >= value:
        paid_through, days_paid = cover_ends, max((cover_ends - on_day).days, 0)
    else:
        ahead = [day for day in term if day >= on_day and provided(day) <= paid]
        paid_through = ahead[-1] if left >= 0 else zero
        days_paid = (paid_through - on_day).days
    rounded, premium = _half_up(left), period["premium"]
    return {
        "equity_value": value,
        "paid": paid,
        "service_provided": _half_up(provided(on_day)),
        "equity": rounded,
        "equity_percent": _half_up(Fraction(10_000 * rounded, premium)) if premium else None,
        "days_paid": days_paid if value else None,
        "paid_through_date": paid_through if value else None,
        "equity_zero_date": zero if value else None,
        "days_till_paid_through": (paid_through - as_of).days if value else None,
    }


@settings(deadline=None, max_examples=120)
@given(books=st.lists(PERIOD, min_size=1, max_size=6), offset=st.integers(-10, 95))
def test_equity_follows_the_rules_day_by_day(books: list[dict], offset: int) -> None:
    """R-EQT-01 to R-EQT-07, R-EQT-09 to R-EQT-11."""
    as_of = START + timedelta(days=offset)
    found = equity(*_frames(books), as_of, premium_patterns=["Premium"]).drop("period_key").to_dicts()
    assert found == [_model(period, as_of) for period in books]


@settings(deadline=None, max_examples=60)
@given(period=PERIOD, offset=st.integers(-10, 95), more=st.integers(1, 5_000))
def test_more_money_never_moves_the_paid_through_date_back(period: dict, offset: int, more: int) -> None:
    """I-38, for terms that are not cancelled: there the end is the cancellation."""
    as_of = START + timedelta(days=offset)
    books = [{**period, "cancelled_after": None, "paid": period["paid"] + extra} for extra in (0, more, 2 * more)]
    frame = equity(*_frames(books), as_of)
    dates = frame["paid_through_date"].drop_nulls().to_list()
    assert dates == sorted(dates)
    assert (frame["equity"].diff().drop_nulls() >= 0).all()


def test_the_zero_date_stands_still_while_days_pass() -> None:
    """R-EQT-08: the paid-through date moves a day when equity crosses zero, the zero date never does."""
    books = [{"days": 100, "charges": [(0, 1_000)], "paid": 305, "cancelled_after": None, "premium": 1}]
    found = [
        equity(*_frames(books), START + timedelta(days=n)).select("paid_through_date", "equity_zero_date").row(0)
        for n in (0, 30, 31, 60)
    ]
    day_30, day_31 = START + timedelta(days=30), START + timedelta(days=31)
    assert found == [(day_30, day_31), (day_30, day_31), (day_31, day_31), (day_31, day_31)]


def test_a_cancellation_credit_stops_the_service() -> None:
    """After the cancellation nothing more is provided; a fully paid cancelled period is paid through that date."""
    half = {"days": 100, "charges": [(0, 1_000), (40, -600)], "cancelled_after": 40, "premium": 1_000}
    found = equity(*_frames([{**half, "paid": 400}, {**half, "paid": 390}]), START + timedelta(days=70))
    assert found["service_provided"].to_list() == [400, 400]
    assert found["equity"].to_list() == [0, -10]
    assert found["paid_through_date"].to_list() == [START + timedelta(days=40), START + timedelta(days=39)]


def test_many_changes_of_slope_stay_exact() -> None:
    """Forty charges with forty denominators on a three-year term, in large amounts."""
    charges = [(17 * n, 9_999_999_000 + 7 * n) for n in range(40)]
    period = {"days": 1_096, "charges": charges, "paid": 123_456_789_012, "cancelled_after": None, "premium": 5}
    as_of = START + timedelta(days=611)
    found = equity(*_frames([period]), as_of).drop("period_key", "equity_percent").to_dicts()
    expected = _model(period, as_of)
    del expected["equity_percent"]
    assert found == [expected]


def test_a_period_without_equity_charges_has_no_dates() -> None:
    books = [{"days": 10, "charges": [], "paid": 0, "cancelled_after": None, "premium": 0}]
    (row,) = equity(*_frames(books), START).to_dicts()
    assert (row["equity"], row["paid_through_date"], row["days_paid"], row["equity_percent"]) == (0, None, None, None)
