from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.distribution import APPLIED, distribute
from ledger.segments import (
    at_run_end,
    at_run_start,
    ends_run,
    place_in_run,
    run_cum_sum,
    run_number,
    run_sum,
    starts_run,
)

calm = settings(deadline=None)
ROOT = Path(__file__).parents[2]
Payment = tuple[int, int, int]
Item = tuple[int, int, int, int]


def payment_frame(rows: list[Payment]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"pool": pl.Int64, "payment": pl.Int64, "amount": pl.Int64}, orient="row")


def item_frame(rows: list[Item]) -> pl.DataFrame:
    names = ("pool", "rank", "item", "balance")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Int64), orient="row")


def apply(payments: list[Payment], items: list[Item]) -> list[tuple[int, int, int]]:
    return distribute(payment_frame(payments), item_frame(items)).rows()


def naive(payments: list[Payment], items: list[Item]) -> list[tuple[int, int, int]]:
    """One payment at a time, one tie group at a time, one cent at a time (R-DST-04 to R-DST-07)."""
    balance = {(pool, item): left for pool, _, item, left in items}
    groups: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for pool, rank, item, _ in sorted(items):
        groups[pool][rank].append(item)
    applied = []
    for pool, payment, amount in sorted(payments, key=lambda row: row[0]):
        left = amount
        for rank in sorted(groups[pool]):
            members = groups[pool][rank]
            total = sum(balance[pool, item] for item in members)
            money = min(left, total)
            left -= money
            if not money:
                continue
            shares = {item: money * balance[pool, item] // total for item in members}
            remainders = {item: money * balance[pool, item] % total for item in members}
            for item in sorted(members, key=lambda item: (-remainders[item], item))[: money - sum(shares.values())]:
                shares[item] += 1
            for item in members:
                balance[pool, item] -= shares[item]
                if shares[item]:
                    applied.append((payment, item, shares[item]))
    return applied


@pytest.mark.parametrize(
    ("payments", "items", "expected"),
    [
        pytest.param([(1, 1, 10)], [(1, 1, 5, 7)], [(1, 5, 7)], id="the excess is left over"),
        pytest.param([(1, 1, 10)], [(1, 1, 5, 7), (1, 2, 4, 7)], [(1, 5, 7), (1, 4, 3)], id="lower ranks first"),
        pytest.param([(1, 1, 3), (1, 2, 9)], [(1, 1, 5, 7)], [(1, 5, 3), (2, 5, 4)], id="payments in sequence"),
        pytest.param(
            [(1, 1, 1), (1, 2, 1), (1, 3, 1)],
            [(1, 1, 7, 1), (1, 1, 8, 1), (1, 1, 9, 1)],
            [(1, 7, 1), (2, 8, 1), (3, 9, 1)],
            id="each sees what the earlier ones left",
        ),
        pytest.param([(2, 1, 5)], [(1, 1, 5, 7)], [], id="another pool"),
        pytest.param([(1, 9, 5), (1, 3, 5)], [(1, 1, 1, 8)], [(9, 1, 5), (3, 1, 3)], id="order of rows, not of ids"),
        pytest.param([(1, 1, 9)], [(1, -5, 2, 4), (1, 70, 1, 4)], [(1, 2, 4), (1, 1, 4)], id="ranks need not be dense"),
        pytest.param(
            [(2, 1, 4), (1, 2, 4)],
            [(2, 1, 1, 4), (1, 1, 1, 4)],
            [(2, 1, 4), (1, 1, 4)],
            id="the same item id in two pools",
        ),
    ],
)
def test_small_cases(payments, items, expected) -> None:
    assert apply(payments, items) == expected
    assert sorted(apply(payments, items)) == sorted(naive(payments, items))


def test_nothing_in_nothing_out() -> None:
    for payments, items in (([], []), ([(1, 1, 5)], []), ([], [(1, 1, 1, 5)])):
        applied = distribute(payment_frame(payments), item_frame(items))
        assert applied.schema == APPLIED
        assert applied.is_empty()


pools = st.integers(1, 4)
cents = st.one_of(st.integers(1, 12), st.integers(1, 10**10))
item_lists = st.lists(st.tuples(pools, st.integers(1, 3), cents), max_size=25).map(
    lambda rows: [(pool, rank, 7 * number % 25, balance) for number, (pool, rank, balance) in enumerate(rows)]
)
payment_lists = st.lists(st.tuples(pools, cents), max_size=25).map(
    lambda rows: [(pool, 11 * number % 25, amount) for number, (pool, amount) in enumerate(rows)]
)


@calm
@given(payment_lists, item_lists)
def test_equals_the_naive_model(payments: list[Payment], items: list[Item]) -> None:
    assert apply(payments, items) == naive(payments, items)


@calm
@given(payment_lists, item_lists)
def test_post_conditions(payments: list[Payment], items: list[Item]) -> None:
    """R-DST-09: nothing is paid beyond its balance, no payment beyond its amount, and none stops early."""
    applied = distribute(payment_frame(payments), item_frame(items))
    assert applied.filter(pl.col("amount") <= 0).is_empty()
    assert not applied.select("payment", "item").is_duplicated().any()
    by_item = dict(applied.group_by("item").agg(pl.col("amount").sum()).iter_rows())
    by_payment = dict(applied.group_by("payment").agg(pl.col("amount").sum()).iter_rows())
    assert all(by_item.get(item, 0) <= balance for _, _, item, balance in items)
    assert all(by_payment.get(payment, 0) <= amount for _, payment, amount in payments)
    pool_of = {payment: pool for pool, payment, _ in payments}
    for pool in set(pool_of.values()):
        money = sum(amount for of, _, amount in payments if of == pool)
        owed = sum(balance for of, _, _, balance in items if of == pool)
        assert sum(paid for payment, paid in by_payment.items() if pool_of[payment] == pool) == min(money, owed)


@calm
@given(payment_lists, item_lists)
def test_an_item_is_paid_only_when_all_earlier_ranks_are_paid_up(payments: list[Payment], items: list[Item]) -> None:
    applied = distribute(payment_frame(payments), item_frame(items))
    paid = dict(applied.group_by("item").agg(pl.col("amount").sum()).iter_rows())
    for pool, rank, item, _ in items:
        if paid.get(item, 0):
            earlier = [(it, bal) for of, before, it, bal in items if of == pool and before < rank]
            assert all(paid.get(it, 0) == bal for it, bal in earlier)


@calm
@given(st.integers(1, 10**10), st.lists(cents, min_size=1, max_size=8))
def test_shares_of_a_tie_differ_from_the_exact_share_by_less_than_a_unit(amount: int, balances: list[int]) -> None:
    items = [(1, 1, number, balance) for number, balance in enumerate(balances)]
    paid = {item: share for _, item, share in apply([(1, 1, amount)], items)}
    money = min(amount, sum(balances))
    for number, balance in enumerate(balances):
        assert paid.get(number, 0) - money * balance // sum(balances) in (0, 1)


@calm
@given(payment_lists, item_lists, st.randoms(use_true_random=False))
def test_the_order_of_item_rows_and_of_pools_does_not_matter(payments, items, random) -> None:
    expected = apply(payments, items)
    mixed = items.copy()
    random.shuffle(mixed)
    assert apply(payments, mixed) == expected
    by_pool = [row for pool in random.sample(range(1, 5), 4) for row in payments if row[0] == pool]
    assert apply(by_pool, items) == expected


@calm
@given(payment_lists, item_lists)
def test_pools_do_not_see_each_other(payments: list[Payment], items: list[Item]) -> None:
    apart = []
    for pool in sorted({row[0] for row in payments}):
        apart += apply([row for row in payments if row[0] == pool], [row for row in items if row[0] == pool])
    assert apply(payments, items) == apart


@calm
@given(payment_lists, item_lists)
def test_payments_in_two_calls_pay_what_they_pay_in_one(payments: list[Payment], items: list[Item]) -> None:
    payments = sorted(payments, key=lambda row: row[0])
    half = len(payments) // 2
    first = apply(payments[:half], items)
    pool_of = {payment: pool for pool, payment, _ in payments}
    left = {(pool, item): balance for pool, _, item, balance in items}
    for payment, item, amount in first:
        left[pool_of[payment], item] -= amount
    rest = [(pool, rank, item, left[pool, item]) for pool, rank, item, _ in items if left[pool, item]]
    assert sorted(first + apply(payments[half:], rest)) == sorted(apply(payments, items))


@settings(calm, max_examples=15)
@given(st.integers(100, 500), st.integers(1, 30), st.integers(0, 10**6))
def test_many_payments_on_one_pool(count: int, ties: int, seed: int) -> None:
    payments = [(1, number, 1 + (seed * number) % 97) for number in range(count)]
    items = [(1, number // ties, number, 1 + (seed + 31 * number) % 1009) for number in range(60)]
    assert apply(payments, items) == naive(payments, items)


def test_remainders_of_a_tie_group_too_rich_for_64_bits() -> None:
    items = [(1, 1, number, 10**10 - number) for number in range(300)]
    payments = [(1, number, 10**10 - 7 * number) for number in range(5)]
    assert apply(payments, items) == naive(payments, items)


@pytest.mark.parametrize(
    ("payments", "items", "message"),
    [
        ([(1, 1, 0)], [(1, 1, 1, 5)], "amount 0"),
        ([(1, 1, 5)], [(1, 1, 1, -5)], "balance -5"),
        ([(1, 1, 5)], [(1, 1, 1, 5), (1, 1, 1, 6)], "an item stands twice in its tie group"),
        ([(1, 1, 5)], [(1, 1, 1, 2**61), (1, 1, 2, 2**61)], "balances of one distribution"),
        ([(1, 1, 2**61), (1, 2, 2**61)], [(1, 1, 1, 5)], "amounts of one distribution"),
    ],
)
def test_what_the_axis_cannot_hold_is_refused(payments, items, message) -> None:
    with pytest.raises(ValueError, match=message):
        apply(payments, items)


_SAMPLE = """
import hashlib, sys
import polars as pl
from ledger.distribution import distribute
row = pl.int_range(pl.len(), dtype=pl.Int64)
payments = pl.select(pl.int_range(40_000, dtype=pl.Int64).alias("payment")).select(
    "payment", pool=row * 7919 % 9_973, amount=row * 104_729 % 60_013 + 1)
items = pl.select(pl.int_range(70_000, dtype=pl.Int64).alias("item")).select(
    "item", pool=row * 6_007 % 9_973, rank=row % 3, balance=row * 15_485_863 % 50_021 + 1)
applied = distribute(payments, items)
print(pl.thread_pool_size(), hashlib.sha256(applied.write_csv().encode()).hexdigest())
"""


def test_every_engine_and_number_of_threads_gives_the_same_bytes() -> None:
    digests = set()
    for engine, threads in (("streaming", "1"), ("streaming", "2"), ("in-memory", "1"), ("in-memory", "2")):
        environment = os.environ | {"POLARS_ENGINE_AFFINITY": engine, "POLARS_MAX_THREADS": threads}
        run = subprocess.run(
            [sys.executable, "-c", _SAMPLE], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        used, digest = run.stdout.split()
        assert used == threads
        digests.add(digest)
    assert len(digests) == 1
    assert len(digests.pop()) == hashlib.sha256().digest_size * 2


def test_segment_helpers() -> None:
    frame = pl.DataFrame({"key": [1, 1, 2, 3, 3, 3], "part": [0, 0, 0, 0, 0, 1], "value": [5, 6, 7, 8, 9, 10]})
    value = pl.col("value")
    result = frame.select(
        starts=starts_run("key"),
        ends=ends_run("key"),
        number=run_number("key", "part"),
        first=at_run_start(value, "key"),
        last=at_run_end(value, "key"),
        place=place_in_run("key"),
        running=run_cum_sum(value, "key"),
        total=run_sum(value, "key"),
    )
    assert result.to_dict(as_series=False) == {
        "starts": [True, False, True, True, False, False],
        "ends": [False, True, True, False, False, True],
        "number": [0, 0, 1, 2, 2, 3],
        "first": [5, 5, 7, 8, 8, 8],
        "last": [6, 6, 7, 10, 10, 10],
        "place": [0, 1, 0, 0, 1, 2],
        "running": [5, 11, 7, 8, 17, 27],
        "total": [11, 11, 7, 27, 27, 27],
    }
