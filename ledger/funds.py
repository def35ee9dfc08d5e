"""Unapplied funds: money that came in and has not left yet.

An account has one default fund; an account that keeps funds per policy also has one designated fund per policy
(R-BL-6, R-BL-7, R-BL-8). The balance of a fund is the balance of its Unapplied T-account.
"""

from __future__ import annotations

import polars as pl

from ledger.book import Book, default_fund_key, designated_fund_key


def separates_funds() -> pl.Expr:
    """Whether an account keeps a designated fund per policy: invoices and funds both per policy (R-BL-3, R-BL-8)."""
    return (pl.col("invoice_by") == "policy") & (pl.col("separate_funds_by") == "policy")


def fund_key(account_key: pl.Expr, fund_policy_key: pl.Expr) -> pl.Expr:
    """Key of the designated fund of a policy, or of the account's default fund where the policy key is 0."""
    return (
        pl.when(fund_policy_key > 0).then(designated_fund_key(fund_policy_key)).otherwise(default_fund_key(account_key))
    )


def fund_policy_key(fund: str = "fund_key") -> pl.Expr:
    """Policy of a designated fund, 0 for a default fund; from the key of the fund (`fund_key` or another column)."""
    return pl.when(pl.col(fund) % 2 == 1).then(pl.col(fund) // 2).otherwise(0)


def change_balances(book: Book, moves: pl.DataFrame) -> Book:
    """Add money to funds, or take it away; funds that are new are opened.

    moves: fund_key, account_key, policy_key (0 for a default fund), currency, amount (minor units, signed); any number
    of rows per fund.
    """
    sums = (
        moves.group_by("fund_key")
        .agg(pl.col("account_key", "policy_key", "currency").first(), change=pl.col("amount").sum())
        .sort("fund_key")
    )
    known = book["funds"].select("fund_key", "balance").with_row_index("row")
    known = known.filter(pl.col("fund_key").is_in(sums["fund_key"].implode()))
    is_new = ~pl.col("fund_key").is_in(known["fund_key"].implode())
    moved = known.join(sums, on="fund_key", how="inner", maintain_order="left").filter(pl.col("change") != 0)
    book = book.update("funds", moved["row"], {"balance": moved["balance"] + moved["change"]})
    return book.append("funds", sums.filter(is_new).rename({"change": "balance"}))
