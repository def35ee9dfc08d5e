"""Preferred equity by its closed form, against a day-by-day calculation with exact fractions (R-EQT-12, 13, 15)."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from math import ceil
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.equity_violations import first_violations
from tests.small_book import SmallBook

START = date(2026, 1, 1)


def day_of(number: int) -> date:
    return START + timedelta(days=number)


def book_of(terms: dict[str, Any], charges: list[dict[str, Any]]) -> SmallBook:
    """One policy period; every charge has its amount, its start and its items (due day, amount)."""
    small = SmallBook()
    account = small.account("A")
    period = small.period(
        small.policy("P", account),
        effective_date=START,
        coverage_end=day_of(terms["days"]),
        cancellation_date=None if terms["cancelled"] is None else day_of(terms["cancelled"]),
        has_equity_warnings=terms.get("on", True),
        min_equity_days=terms["preferred"],
    )
    for key, charge in enumerate(charges, start=1):
        small.add(
            "charges",
            charge_key=key,
            period_key=period,
            amount=charge["amount"],
            effective_date=day_of(charge["starts"]),
            in_equity=charge["in_equity"],
        )
        for number, (due, amount) in enumerate(charge["items"], start=1):
            invoice = small.invoice(account, day_of(due - 10), day_of(due), stream=key * 10 + number)
            small.item(invoice, amount, period_key=period, charge_key=key, item_key=key * 1024 + number)
    return small


def by_days(terms: dict[str, Any], charges: list[dict[str, Any]], as_of: int) -> list[tuple[Any, ...]]:
    """The same day by day: the first violation, its end, the cure and the day before which it must be due."""
    counted = [charge for charge in charges if charge["in_equity"]]
    value = sum(charge["amount"] for charge in counted)
    length = terms["days"]
    until = length if terms["cancelled"] is None else terms["cancelled"]
    short: dict[int, Fraction] = {}
    for day in range(max(0, as_of), until):
        provided = due = Fraction(0)
        for charge in counted:
            starts = min(max(charge["starts"], 0), length - 1)
            provided += charge["amount"] * Fraction(max(day - starts, 0), max(length - starts, 1))
            due += sum(amount for due_day, amount in charge["items"] if due_day <= day)
        threshold = min(terms["preferred"] * Fraction(value, length), value - provided)
        if due - provided < threshold:
            short[day] = threshold - (due - provided)
    if value <= 0 or not short:
        return []
    first = min(short)
    end = first
    while end in short:
        end += 1
    return [(1, day_of(first), day_of(end), ceil(max(short.values())), day_of(first))]


_charges = st.lists(
    st.fixed_dictionaries(
        {
            "amount": st.integers(-5_000, 50_000).filter(bool),
            "starts": st.integers(-3, 40),
            "in_equity": st.sampled_from([True, True, True, False]),
            "items": st.lists(st.tuples(st.integers(-10, 60), st.integers(-9_000, 30_000)), max_size=5),
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(
    terms=st.fixed_dictionaries(
        {
            "days": st.integers(1, 45),
            "preferred": st.integers(0, 50),
            "cancelled": st.one_of(st.none(), st.integers(0, 45)),
        }
    ),
    charges=_charges,
    as_of=st.integers(-5, 50),
)
def test_the_closed_form_is_the_day_by_day_calculation(
    terms: dict[str, Any], charges: list[dict[str, Any]], as_of: int
) -> None:
    """R-EQT-12, R-EQT-13, R-EQT-15, with charges from their own dates on (R-EQT-10)."""
    if terms["cancelled"] is not None:
        terms["cancelled"] = min(terms["cancelled"], terms["days"])
    book = book_of(terms, charges).book()
    found = first_violations(book, pl.Series([1]), day_of(as_of))
    assert found.rows() == by_days(terms, charges, as_of)


@pytest.mark.parametrize(("due", "is_short"), [(300, False), (299, True)])
def test_r_eqt_13_equal_to_the_threshold_is_no_violation(due: int, *, is_short: bool) -> None:
    """10 days at 100 a day, preferred 2: on day 0, 200 must be due; with 300 on day 1 still, with 299 not."""
    terms = {"days": 10, "preferred": 2, "cancelled": None}
    items = [(0, due), (2, 1_000 - due)]
    book = book_of(terms, [{"amount": 1_000, "starts": 0, "in_equity": True, "items": items}]).book()
    assert first_violations(book, pl.Series([1]), START).is_empty() is not is_short


def test_r_eqt_12_a_fully_paid_period_is_never_short_at_its_end() -> None:
    terms = {"days": 100, "preferred": 30, "cancelled": None}
    charges = [{"amount": 36_500, "starts": 0, "in_equity": True, "items": [(0, 36_500)]}]
    assert first_violations(book_of(terms, charges).book(), pl.Series([1]), START).is_empty()


def test_r_eqt_14_periods_without_equity_warnings_are_not_looked_at() -> None:
    charges = [{"amount": 36_500, "starts": 0, "in_equity": True, "items": [(50, 36_500)]}]
    terms = {"days": 100, "preferred": 0, "cancelled": None}
    assert first_violations(book_of(terms, charges).book(), pl.Series([1]), START).height == 1
    assert first_violations(book_of(terms | {"on": False}, charges).book(), pl.Series([1]), START).is_empty()


def test_violations_of_many_periods_do_not_mix() -> None:
    small = SmallBook()
    account = small.account("A")
    for key in (1, 2):
        period = small.period(
            small.policy(f"P{key}", account),
            effective_date=START,
            coverage_end=day_of(10),
            has_equity_warnings=True,
            min_equity_days=0,
        )
        small.add("charges", charge_key=key, period_key=period, amount=1_000, effective_date=START, in_equity=True)
        invoice = small.invoice(account, START, day_of(4 * key), stream=key)
        small.item(invoice, 1_000, period_key=period, charge_key=key)
    found = first_violations(small.book(), pl.Series([2, 1]), START)
    assert found.rows() == [
        (1, day_of(1), day_of(4), 300, day_of(1)),
        (2, day_of(1), day_of(8), 700, day_of(1)),
    ]
