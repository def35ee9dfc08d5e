from __future__ import annotations

from datetime import date
from typing import Any, get_args

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.allocation import (
    BILLED,
    DUE,
    FILTERS,
    ORDERS,
    PLANNED,
    eligible,
    in_paying_order,
    needs_policy_periods,
    spend,
    spread_evenly,
)
from ledger.plans import Filter, Order
from tests.small_book import allocation_plan

calm = settings(deadline=None)
DAYS = {1: date(2026, 1, 10), 2: date(2026, 2, 10), 3: date(2026, 3, 10)}


def candidates(*rows: dict[str, Any]) -> pl.DataFrame:
    """Candidates in one run: what a row does not say is the same on all of them."""
    filled = [
        {
            "run": 1,
            "item_key": number,
            "amount": 100,
            "event_date": DAYS[1],
            "bill_date": DAYS[1],
            "due_date": DAYS[2],
            "priority": 2,
            "is_recapture": False,
            "invoice_key": 1,
            "period_key": 1,
            "status": BILLED,
            "is_next_planned": False,
            "for_invoice_key": 0,
            "for_period_key": 0,
            "allocation_plan": "Test Plan",
            "period_start": 0,
            "policy_place": 0,
        }
        | row
        for number, row in enumerate(rows)
    ]
    return pl.DataFrame(filled)


def kept(filters: tuple[str, ...], *rows: dict[str, Any]) -> list[int]:
    plan = allocation_plan(filters=filters)
    return candidates(*rows).filter(eligible([plan]))["item_key"].to_list()


def groups(orders: tuple[str, ...], *rows: dict[str, Any]) -> list[list[int]]:
    """Item numbers by tie group, in paying order."""
    ordered = in_paying_order(candidates(*rows), [allocation_plan(orders=orders)])
    return ordered.group_by("rank", maintain_order=True).agg("item_key")["item_key"].to_list()


DUE_ITEM, BILLED_ITEM = {"status": DUE}, {"status": BILLED}
NEXT, LATER = {"status": PLANNED, "is_next_planned": True}, {"status": PLANNED}


def test_every_word_of_a_plan_has_its_expression() -> None:
    """R-PAP-13."""
    assert set(FILTERS) == set(get_args(Filter))
    assert set(ORDERS) == set(get_args(Order))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("billed_or_due", [0, 1]),
        ("next_planned_invoice", [0, 1, 2]),
        ("past_due", [0]),
        ("invoice", [0, 1, 2, 3]),  # the payment names no invoice
        ("policy_period", [0, 1, 2, 3]),  # nor a policy
        ("positive", [0, 1, 2, 3]),
    ],
)
def test_filters_by_invoice_status(name: str, expected: list[int]) -> None:
    assert kept((name,), DUE_ITEM, BILLED_ITEM, NEXT, LATER) == expected


@pytest.mark.parametrize(
    ("name", "association", "expected"),
    [
        ("invoice", {"for_invoice_key": 7}, [1]),
        ("policy_period", {"for_period_key": 9}, [2]),
        ("policy_period", {"for_invoice_key": 7}, [0, 1, 2]),
        ("invoice", {"for_period_key": 9}, [0, 1, 2]),
    ],
)
def test_filters_by_association(name: str, association: dict[str, int], expected: list[int]) -> None:
    rows = ({}, {"invoice_key": 7}, {"period_key": 9})
    assert kept((name,), *(row | association for row in rows)) == expected


def test_credits_pass_the_positive_filter_because_they_are_taken_before_it() -> None:
    assert kept(("positive",), {"amount": -100}, {"amount": 100}) == [0, 1]


def test_filters_are_an_and_in_any_order() -> None:
    """R-PLN-13, R-PAP-06."""
    rows = (
        DUE_ITEM | {"for_period_key": 9},
        DUE_ITEM | {"for_period_key": 9, "period_key": 9},
        LATER | {"period_key": 9},
    )
    assert kept(("past_due", "policy_period"), *rows) == kept(("policy_period", "past_due"), *rows) == [1]
    assert kept((), *rows) == [0, 1, 2]


BY_DAY = ({"bill_date": DAYS[2]}, {"bill_date": DAYS[1]}, {"bill_date": DAYS[3]}, {"bill_date": DAYS[1]})
BY_EVENT = ({"event_date": DAYS[2]}, {"event_date": DAYS[1]}, {"event_date": DAYS[3]}, {"event_date": DAYS[1]})


@pytest.mark.parametrize(
    ("order", "rows", "expected"),
    [
        ("billed_date", BY_DAY, [[1, 3], [0], [2]]),
        ("reverse_billed_date", BY_DAY, [[2], [0], [1, 3]]),
        ("event_date", BY_EVENT, [[1, 3], [0], [2]]),
        ("reverse_event_date", BY_EVENT, [[2], [0], [1, 3]]),
        ("billed_status", (LATER, BILLED_ITEM, DUE_ITEM, NEXT), [[2], [1], [0, 3]]),
        ("charge_pattern", ({"priority": 3}, {"priority": 1}, {"priority": 2}, {"priority": 1}), [[1, 3], [2], [0]]),
        ("recapture_charges", ({}, {"is_recapture": True}, {}), [[1], [0, 2]]),
        (
            "invoice",
            (
                {"for_invoice_key": 3, "invoice_key": 1, "bill_date": DAYS[2]},
                {"for_invoice_key": 3, "invoice_key": 2, "bill_date": DAYS[1]},
                {"for_invoice_key": 3, "invoice_key": 3, "bill_date": DAYS[3]},
                {"for_invoice_key": 3, "invoice_key": 2, "bill_date": DAYS[1]},
            ),
            [[2], [1, 3], [0]],
        ),
        ("invoice", ({"invoice_key": 5}, {"invoice_key": 4}), [[1], [0]]),
        (
            "policy_period",
            (
                {"for_period_key": 8, "period_key": 7, "period_start": 10, "policy_place": 2},
                {"for_period_key": 8, "period_key": 6, "period_start": 10, "policy_place": 1},
                {"for_period_key": 8, "period_key": 8, "period_start": 30, "policy_place": 3},
                {"for_period_key": 8, "period_key": 0},
                {"for_period_key": 8, "period_key": 5, "period_start": 5, "policy_place": 9},
            ),
            [[2], [4], [1], [0], [3]],
        ),
        ("spread_excess_even", (DUE_ITEM, BILLED_ITEM), [[0, 1]]),
    ],
)
def test_each_order(order: str, rows: tuple[dict[str, Any], ...], expected: list[list[int]]) -> None:
    assert groups((order,), *rows) == expected


def test_the_first_order_counts_most() -> None:
    rows = (
        {"event_date": DAYS[1], "priority": 3},
        {"event_date": DAYS[2], "priority": 1},
        {"event_date": DAYS[1], "priority": 1},
    )
    assert groups(("event_date", "charge_pattern"), *rows) == [[2], [0], [1]]
    assert groups(("charge_pattern", "event_date"), *rows) == [[2], [1], [0]]


def test_a_plan_without_orders_makes_one_tie_group_of_a_run() -> None:
    assert groups((), {"priority": 3}, {"priority": 1}) == [[0, 1]]
    assert groups((), {"run": 2}, {"run": 1}, {"run": 2}) == [[1], [0, 2]]


def test_accounts_with_different_plans_in_one_frame() -> None:
    first = allocation_plan("First", filters=("past_due",), orders=("event_date",))
    second = allocation_plan("Second", filters=(), orders=("charge_pattern", "reverse_event_date"))
    rows = [
        {"run": run, "allocation_plan": name, "status": status, "event_date": DAYS[day], "priority": priority}
        for run, name in ((1, "First"), (2, "Second"))
        for status, day, priority in ((DUE, 2, 1), (DUE, 1, 2), (BILLED, 3, 1))
    ]
    frame = candidates(*rows)
    plans = [first, second]
    assert frame.filter(eligible(plans))["item_key"].to_list() == [0, 1, 3, 4, 5]
    assert in_paying_order(frame.filter(eligible(plans)), plans)["item_key"].to_list() == [1, 0, 5, 3, 4]


def test_only_the_policy_period_order_needs_policy_periods() -> None:
    assert needs_policy_periods([allocation_plan(orders=("event_date", "policy_period"))])
    assert not needs_policy_periods([allocation_plan(filters=("policy_period",))])


def test_items_to_spread_over_stand_by_item_key() -> None:
    rows = (DUE_ITEM | {"event_date": DAYS[3]}, LATER | {"event_date": DAYS[2]}, LATER | {"event_date": DAYS[1]})
    ordered = in_paying_order(candidates(*rows), [allocation_plan(orders=("event_date", "spread_excess_even"))])
    assert ordered.filter("is_spread")["item_key"].to_list() == [1, 2]
    assert ordered.filter(~pl.col("is_spread"))["item_key"].to_list() == [0]


def evenly(payers: list[tuple[int, int, int]], items: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    payer_frame = pl.DataFrame(payers, {"pool": pl.Int64, "payment": pl.Int64, "amount": pl.Int64}, orient="row")
    item_rows = pl.DataFrame(items, {"pool": pl.Int64, "item": pl.Int64, "balance": pl.Int64}, orient="row")
    return spread_evenly(payer_frame, item_rows).rows()


def naive_even(amount: int, balances: dict[int, int]) -> dict[int, int]:
    """Fill all items by one unit after the other, smallest id first: equal parts up to the balances (R-PAP-12)."""
    paid = dict.fromkeys(sorted(balances), 0)
    amount = min(amount, sum(balances.values()))
    while amount:
        for item in paid:
            if amount and paid[item] < balances[item]:
                paid[item] += 1
                amount -= 1
    return paid


def test_excess_in_equal_parts_up_to_the_balance() -> None:
    assert evenly([(1, 9, 100)], [(1, 1, 20), (1, 2, 50), (1, 3, 60)]) == [(9, 1, 20), (9, 2, 40), (9, 3, 40)]
    assert evenly([(1, 9, 101)], [(1, 3, 60), (1, 2, 60)]) == [(9, 2, 51), (9, 3, 50)]
    assert evenly([(1, 9, 1)], [(1, 3, 60), (1, 2, 60)]) == [(9, 2, 1)]
    assert evenly([(1, 9, 500)], [(1, 3, 60), (2, 2, 60)]) == [(9, 3, 60)]
    assert evenly([(1, 9, 5)], []) == []
    assert evenly([], [(1, 3, 60)]) == []


@calm
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 300)), max_size=8),
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 99)), max_size=12),
)
def test_spreading_equals_the_naive_model(payers: list[tuple[int, int]], items: list[tuple[int, int]]) -> None:
    left = {number: balance for number, (_, balance) in enumerate(items)}
    expected = []
    for number, (pool, amount) in sorted(enumerate(payers), key=lambda payer: payer[1][0]):
        shares = naive_even(amount, {item: left[item] for item in left if items[item][0] == pool and left[item]})
        for item, share in shares.items():
            left[item] -= share
        expected += [(number, item, share) for item, share in shares.items() if share]
    actual = evenly(
        sorted((pool, number, amount) for number, (pool, amount) in enumerate(payers)),
        [(pool, number, balance) for number, (pool, balance) in enumerate(items)],
    )
    assert sorted(actual) == sorted(expected)


def test_money_goes_by_rank_first_and_only_then_evenly() -> None:
    items = pl.DataFrame(
        {"pool": 1, "rank": [0, 1, 1], "item": [0, 1, 2], "balance": [50, 40, 60], "is_spread": [False, True, True]}
    )
    payers = pl.DataFrame({"pool": [1, 1], "payment": [7, 8], "amount": [70, 50]})
    assert sorted(spend(payers, items).rows()) == [(7, 0, 50), (7, 1, 10), (7, 2, 10), (8, 1, 25), (8, 2, 25)]
