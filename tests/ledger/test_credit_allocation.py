"""The allocation of credits beside a slow one that follows the words of R-RPP-16..21 with fractions."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from math import floor

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.credit_allocation import allocate_slices

METHODS = ("first_to_last", "last_to_first", "proportional")
Slice = tuple[int, int]
Item = tuple[int, int, int]

SLICES = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 5000)), min_size=1, max_size=5)
ITEMS = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 3), st.integers(1, 5000)), max_size=7)
UNITS = st.lists(st.tuples(st.sampled_from(METHODS), SLICES, ITEMS), min_size=1, max_size=4)


def day(number: int) -> date:
    return date(2025, 1, 1) + timedelta(days=number)


def spread(money: int, items: list[tuple[int, Item]]) -> dict[int, int]:
    """Money over items in proportion to their balances, the running total rounded down."""
    whole = sum(balance for _, (_, _, balance) in items)
    shares, served, weight = {}, 0, 0
    for key, (_, _, balance) in items:
        weight += balance
        reached = floor(Fraction(money * weight, whole))
        shares[key], served = reached - served, reached
    return shares


def slow(method: str, slices: list[Slice], items: list[Item]) -> dict[int, int]:
    """What each item gets, by its place."""
    keyed = sorted(enumerate(items), key=lambda item: (item[1][0], item[1][1], item[0]))
    paid: dict[int, int] = {}
    if method == "proportional":
        left, rest = list(slices), list(keyed)
        while rest:
            ratios = {
                until: Fraction(
                    sum(amount for at, amount in left if at <= until),
                    sum(balance for _, (at, _, balance) in rest if at <= until),
                )
                for until in {at for _, (at, _, _) in rest}
            }
            least = min(ratios.values())
            if least >= 1:
                return paid | {key: balance for key, (_, _, balance) in rest}
            end = max(until for until, ratio in ratios.items() if ratio == least)
            money = sum(amount for at, amount in left if at <= end)
            paid |= spread(money, [item for item in rest if item[1][0] <= end])
            rest = [item for item in rest if item[1][0] > end]
            left = [other for other in left if other[0] > end]
        return paid
    money = sum(amount for _, amount in slices)
    dates = sorted({at for at, _, _ in items}, reverse=method == "last_to_first")
    for at, priority in ((at, priority) for at in dates for priority in (1, 2, 3)):
        group = [item for item in keyed if item[1][:2] == (at, priority)]
        part = min(money, sum(balance for _, (_, _, balance) in group))
        if group:
            paid |= spread(part, group)
        money -= part
    return paid


@settings(max_examples=150, deadline=None)
@given(UNITS)
def test_every_item_gets_what_the_slow_allocation_gives_it(units: list[tuple[str, list[Slice], list[Item]]]) -> None:
    """R-RPP-16..21 and R-RPP-26: to the cent, many units at once; no slice pays what is dated before it."""
    slices = [
        {"unit": unit, "at": 1000 * unit + place, "event_date": day(at), "credit": amount}
        for unit, (_, pays, _) in enumerate(units)
        for place, (at, amount) in enumerate(sorted(pays))
    ]
    items = [
        {
            "unit": unit,
            "method": method,
            "at": 1000 * unit + 500 + place,
            "item_key": place,
            "event_date": day(at),
            "priority": priority,
            "balance": balance,
        }
        for unit, (method, _, owed) in enumerate(units)
        for place, (at, priority, balance) in enumerate(owed)
    ]
    columns = {"unit": pl.Int64, "method": pl.String, "at": pl.Int64, "item_key": pl.Int64, "event_date": pl.Date}
    eligible = pl.DataFrame(items, schema=columns | {"priority": pl.Int8, "balance": pl.Int64})
    links = allocate_slices(pl.DataFrame(slices), eligible.reverse())
    got = dict(links.group_by("at").agg(pl.col("amount").sum()).rows())
    for unit, (method, pays, owed) in enumerate(units):
        expected = {1000 * unit + 500 + key: amount for key, amount in slow(method, pays, owed).items() if amount}
        assert {at: amount for at, amount in got.items() if at // 1000 == unit} == expected
    used = links.group_by(at="credit_at").agg(used=pl.col("amount").sum())
    assert used.join(pl.DataFrame(slices), on="at").filter(pl.col("used") > pl.col("credit")).is_empty()
    dated = links.join(pl.DataFrame(slices).select(credit_at="at", slice_date="event_date"), on="credit_at").join(
        eligible.select("at", "event_date", "method"), on="at"
    )
    assert dated.filter((pl.col("method") == "proportional") & (pl.col("event_date") < pl.col("slice_date"))).is_empty()
