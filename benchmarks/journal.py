"""Checking the double entry and adding up the T-accounts, beside the least that plain Polars needs for it.

python -m benchmarks.journal [TRANSACTIONS]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import date
from statistics import median

import polars as pl

from benchmarks.distribution import mixed
from benchmarks.measure import table
from ledger.balances import t_account_balances
from ledger.chart import load_chart
from ledger.journal_checks import check_journal
from ledger.posting import post, transaction_frame

DAY = date(2024, 1, 1)
RUNS = 5
HEAD = ["1 M transactions", "seconds", "x plain polars"]
KINDS = ("ChargeBilled", "ChargeDue", "DirectBillMoneyReceivedTxn", "ChargePaidFromAccount")


def journal(transactions: int) -> pl.DataFrame:
    """The lines of so many transactions of four kinds over 50,000 accounts."""
    rows = pl.select(number=pl.int_range(transactions, dtype=pl.Int64)).with_columns(
        account_key=mixed(3) % 50_000 + 1,
        owner_key=mixed(5) % 50_000 + 1,
        charge_key=mixed(7) % 200_000 + 1,
        amount=mixed(9) % 50_000 + 1,
        owner_type=pl.lit("PolicyPeriod"),
        charge_pattern=pl.lit("Premium"),
        currency=pl.lit("USD"),
    )
    frames = [
        transaction_frame(rows.filter(pl.col("number") % len(KINDS) == place), kind, transaction_date=DAY)
        for place, kind in enumerate(KINDS)
    ]
    return post(pl.concat(frames), DAY, load_chart())


def plain(lines: pl.DataFrame) -> None:
    """Debits equal credits per transaction, and the balance per T-account, in as few steps as possible."""
    signed = pl.when(pl.col("side") == "D").then(pl.col("amount")).otherwise(-pl.col("amount"))
    lazy = lines.lazy()
    wrong = lazy.group_by("transaction_key").agg(signed.sum().alias("net")).filter(pl.col("net") != 0)
    keys = ("owner_type", "owner_key", "t_account_pattern", "charge_pattern", "fund_policy_key", "currency")
    pl.collect_all([wrong, lazy.group_by(keys).agg(signed.sum().alias("balance"))])


def ours(lines: pl.DataFrame) -> None:
    """Every contract of the journal, and the balances."""
    if not check_journal(lines).is_empty():
        msg = "the journal of the benchmark is wrong"
        raise AssertionError(msg)
    t_account_balances(lines)


def seconds(work: Callable[[pl.DataFrame], None], lines: pl.DataFrame) -> float:
    """Median seconds of a few runs."""
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work(lines)
        taken.append(time.perf_counter() - began)
    return median(taken)


def rows_of(transactions: int) -> list[list[str]]:
    """Measure both; two rows of the result table."""
    lines = journal(transactions)
    least, all_checks = seconds(plain, lines), seconds(ours, lines)
    return [
        ["plain polars: balanced per transaction, balance per T-account", f"{least:.3f}", "1"],
        ["all contracts of the journal and balances", f"{all_checks:.3f}", f"{all_checks / least:.2f}"],
    ]


if __name__ == "__main__":
    print(table(HEAD, rows_of(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)))
