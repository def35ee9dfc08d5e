"""Which unapplied fund of an account a command means (R-BL-7, 06 section 2.5)."""

from __future__ import annotations

import polars as pl

from ledger.book import Book
from ledger.disbursements import pending_amounts
from ledger.funds import fund_key, separates_funds


def with_fund(book: Book, rows: pl.DataFrame, prefix: str = "") -> pl.DataFrame:
    """Add the fund of account_key and policy_id (the default fund where that is null).

    Out: fund_key (null when there is none), fund_policy_key, balance and free, which is the balance less what waits to
    be disbursed (R-TRF-02); each with the prefix.
    """
    accounts = book["accounts"].select("account_key", keeps_funds=separates_funds())
    policies = book["policies"].select("policy_id", named_policy="policy_key", owner="account_key")
    rows = rows.join(accounts, on="account_key", how="left", maintain_order="left")
    rows = rows.join(policies, on="policy_id", how="left", maintain_order="left")
    is_default = pl.col("policy_id").is_null()
    is_own = pl.col("keeps_funds") & (pl.col("owner") == pl.col("account_key"))
    policy_key = pl.when(is_default).then(0).when(is_own).then("named_policy")
    rows = rows.with_columns(policy_key.alias(f"{prefix}fund_policy_key"))
    key = fund_key(pl.col("account_key"), pl.col(f"{prefix}fund_policy_key"))
    key = pl.when(pl.col(f"{prefix}fund_policy_key").is_not_null()).then(key)
    rows = rows.with_columns(key.alias(f"{prefix}fund_key")).drop("keeps_funds", "named_policy", "owner")
    balances = book["funds"].select("fund_key", "balance").join(pending_amounts(book), on="fund_key", how="left")
    balances = balances.select(
        pl.col("fund_key").alias(f"{prefix}fund_key"),
        pl.col("balance").alias(f"{prefix}balance"),
        (pl.col("balance") - pl.col("pending").fill_null(0)).alias(f"{prefix}free"),
    )
    rows = rows.join(balances, on=f"{prefix}fund_key", how="left", maintain_order="left")
    return rows.with_columns(pl.col(f"{prefix}balance", f"{prefix}free").fill_null(0))


def with_chosen_fund(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """Add what `with_fund` does, for commands that say which fund by fund_policy_id and default_fund.

    Out: also `is_unclear`: both are given, or none where the account keeps more than one fund (06 section 2.5).
    """
    keepers = book["accounts"].filter(separates_funds())["account_key"]
    has_policies = book["policies"].filter(pl.col("account_key").is_in(commands["account_key"].implode()))
    has_several = pl.col("account_key").is_in(keepers.implode()) & pl.col("account_key").is_in(
        has_policies["account_key"].implode()
    )
    names_policy = pl.col("fund_policy_id").is_not_null()
    is_unclear = pl.when("default_fund").then(names_policy).otherwise(has_several & ~names_policy)
    return with_fund(book, commands.with_columns(policy_id="fund_policy_id", is_unclear=is_unclear))
