"""Checking the double entry and adding up the T-accounts, beside plain Polars that does the same, and the least of it.

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
from ledger.balances import T_ACCOUNT, t_account_balances
from ledger.book import TRANSACTIONS_PER_DAY, day_number_of
from ledger.chart import OWNER_TYPE_COUNT, load_chart
from ledger.journal_checks import check_journal
from ledger.line_sequences import MOST_LINES, TYPE_COUNT, line_sequences
from ledger.posting import post, transaction_frame

DAY = date(2024, 1, 1)
RUNS = 7
HEAD = ["1 M transactions", "seconds", "CPU s", "x plain polars", "x least plain polars"]
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


def least(lines: pl.DataFrame) -> None:
    """Debits equal credits per transaction, and the balance per T-account, in as few steps as possible."""
    signed = pl.when(pl.col("side") == "D").then(pl.col("amount")).otherwise(-pl.col("amount"))
    lazy = lines.lazy()
    wrong = lazy.group_by("transaction_key").agg(signed.sum().alias("net")).filter(pl.col("net") != 0)
    keys = ("owner_type", "owner_key", "t_account_pattern", "charge_pattern", "fund_policy_key", "currency")
    pl.collect_all([wrong, lazy.group_by(keys).agg(signed.sum().alias("balance"))])


def plain(lines: pl.DataFrame) -> None:
    """Every contract of a journal without reversals, and the balances: flags per line, one group per transaction."""
    broken, _ = pl.collect_all([plain_contracts(lines), plain_balances(lines)])
    require(broken.is_empty() and lines["reverses_transaction_key"].max() == 0)


def plain_contracts(lines: pl.DataFrame) -> pl.LazyFrame:
    """The transactions that break I-01 to I-05, I-09, I-12 or I-13; I-11 has nothing to say without reversals.

    The T-accounts of the chart and the sequences that it allows come as the product keeps them (`line_sequences`).
    """
    chart = load_chart()
    sequences, accounts = line_sequences(chart), chart.t_account_frame
    pattern = pl.col("t_account_pattern").to_physical().cast(pl.Int64)
    owner_code = pl.lit(sequences.owner_codes).gather(pattern * OWNER_TYPE_COUNT + pl.col("owner_type").to_physical())
    digit = (owner_code * 2 + (pl.col("side") == "C")) * pl.lit(sequences.places).gather(
        pl.col("line_no").clip(1, MOST_LINES) - 1
    )
    is_wrong = (
        (pl.col("amount") <= 0)
        | (pl.col("owner_key") <= 0)
        | (owner_code == 0)
        | (pl.col("account_type") != pl.lit(accounts["account_type"]).gather(pattern))
        | ((pl.col("charge_pattern") != "") != pl.lit(accounts["is_per_charge_pattern"]).gather(pattern))
        | ((pl.col("fund_policy_key") > 0) != (pl.col("t_account_pattern") == "Designated Unapplied"))
        | (pl.col("transaction_key") // TRANSACTIONS_PER_DAY != day_number_of("business_date"))
    )
    headers = ("transaction_type", "transaction_date", "currency", "reverses_transaction_key")
    number = pl.col("digit") * TYPE_COUNT + pl.col("type").to_physical()
    return (
        lines.lazy()
        .select(
            "transaction_key",
            "line_no",
            *headers,
            pl.when(pl.col("side") == "D").then(pl.col("amount")).otherwise(-pl.col("amount")).alias("net"),
            (pl.col("side") == "D").alias("debits"),
            digit.alias("digit"),
            is_wrong.alias("is_wrong"),
        )
        .group_by("transaction_key")
        .agg(
            pl.len().alias("lines"),
            pl.col("net", "debits", "digit").sum(),
            pl.col("line_no").n_unique().alias("line_numbers"),
            pl.col("line_no").min().alias("first"),
            pl.col("line_no").max().alias("last"),
            pl.col("transaction_type").first().alias("type"),
            pl.col(headers).n_unique(),
            pl.col("is_wrong").any(),
        )
        .filter(
            (pl.col("net") != 0)
            | (pl.col("debits") == 0)
            | (pl.col("debits") == pl.col("lines"))
            | (pl.col("first") != 1)
            | (pl.col("last") != pl.col("lines"))
            | (pl.col("line_numbers") != pl.col("lines"))
            | pl.any_horizontal(pl.col(headers) > 1)
            | pl.col("is_wrong")
            | ~number.is_in(sequences.allowed.implode())
        )
    )


def plain_balances(lines: pl.DataFrame) -> pl.LazyFrame:
    """Debits, credits and natural balance per T-account, sorted: what `t_account_balances` gives."""
    debits, credits_ = pl.col("debits"), pl.col("credits")
    is_debit_normal = pl.col("account_type").is_in(["Asset", "Expense"])
    return (
        lines.lazy()
        .group_by(T_ACCOUNT)
        .agg(
            pl.when(pl.col("side") == side).then(pl.col("amount")).otherwise(0).sum().alias(name)
            for side, name in (("D", "debits"), ("C", "credits"))
        )
        .with_columns(
            pl.when(is_debit_normal).then(debits - credits_).otherwise(credits_ - debits).alias("balance"),
        )
        .sort(T_ACCOUNT)
    )


def ours(lines: pl.DataFrame) -> None:
    """Every contract of the journal, and the balances."""
    require(check_journal(lines).is_empty())
    t_account_balances(lines)


def require(is_clean: bool) -> None:
    """Raise AssertionError when a check found the journal of the benchmark wrong."""
    if not is_clean:
        msg = "the journal of the benchmark is wrong"
        raise AssertionError(msg)


def measured(works: list[Callable[[pl.DataFrame], None]], lines: pl.DataFrame) -> list[tuple[float, float]]:
    """Median seconds and processor seconds of each, in turns, so that what else the machine does meets all alike."""
    taken: list[list[tuple[float, float]]] = [[] for _ in works]
    for _ in range(RUNS):
        for work, runs in zip(works, taken, strict=True):
            began, began_cpu = time.perf_counter(), time.process_time()
            work(lines)
            runs.append((time.perf_counter() - began, time.process_time() - began_cpu))
    return [(median(run[0] for run in runs), median(run[1] for run in runs)) for runs in taken]


def rows_of(transactions: int) -> list[list[str]]:
    """Measure all three; the rows of the result table."""
    lines = journal(transactions)
    require(t_account_balances(lines).equals(plain_balances(lines).collect()))
    names = (
        "least plain polars: debits equal credits, balance per T-account",
        "plain polars: all contracts and balances",
        "paidthrough: all contracts and balances",
    )
    times = measured([least, plain, ours], lines)
    return [
        [name, *(f"{value:.3f}" for value in own), *(_ratio(own, peer) for peer in (times[1], times[0]))]
        for name, own in zip(names, times, strict=True)
    ]


def _ratio(own: tuple[float, float], peer: tuple[float, float]) -> str:
    return f"{own[0] / peer[0]:.2f} (CPU {own[1] / peer[1]:.2f})"


if __name__ == "__main__":
    print(table(HEAD, rows_of(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)))
