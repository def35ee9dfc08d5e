"""Balances: what the journal adds up to, per T-account, per owner, and for the whole book.

Every function reads journal lines and takes the two dates of the ledger: `as_of` counts lines that have taken effect by
then, inclusive (R-LED-19), `known_at` those recorded by then; None counts all. Amounts are minor units.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.chart import CHARGE_PATTERN

T_ACCOUNT = (
    "owner_type",
    "owner_key",
    "t_account_pattern",
    "charge_pattern",
    "fund_policy_key",
    "account_type",
    "currency",
)
"""The columns that make a T-account, with what follows from them."""
_OWNER = ("owner_type", "owner_key", "currency")
_SIDES = (
    pl.when(pl.col("side") == "D").then("amount").otherwise(0).alias("debits"),
    pl.when(pl.col("side") == "C").then("amount").otherwise(0).alias("credits"),
)


def t_account_name(t_account_pattern: str = "t_account_pattern", charge_pattern: str = "charge_pattern") -> pl.Expr:
    """The name of a T-account from two columns: `<Charge Pattern> Billed` of Premium is `Premium Billed` (R-LED-08)."""
    pattern = pl.col(t_account_pattern).cast(pl.String)
    is_per_charge_pattern = pattern.str.starts_with(CHARGE_PATTERN)
    rest = pattern.str.slice(len(CHARGE_PATTERN))
    name = pl.when(is_per_charge_pattern).then(pl.col(charge_pattern) + rest).otherwise(pattern)
    return name.alias("t_account")


def signed_amount() -> pl.Expr:
    """The amount of a journal line, debits positive."""
    return pl.when(pl.col("side") == "D").then("amount").otherwise(-pl.col("amount"))


def natural_balance(debits: pl.Expr, credits: pl.Expr) -> pl.Expr:  # noqa: A002 - the other side of debits
    """Debits less credits of an asset or expense, credits less debits of a liability or revenue (R-LED-06)."""
    is_debit_normal = pl.col("account_type").is_in(["Asset", "Expense"])
    return pl.when(is_debit_normal).then(debits - credits).otherwise(credits - debits)


def lines_as_of(journal: pl.DataFrame, as_of: date | None = None, known_at: date | None = None) -> pl.LazyFrame:
    """The lines that had taken effect by `as_of` and were recorded by `known_at`."""
    lines = journal.lazy()
    if as_of is not None:
        lines = lines.filter(pl.col("transaction_date") <= as_of)
    if known_at is not None:
        lines = lines.filter(pl.col("business_date") <= known_at)
    return lines


def t_account_balances(journal: pl.DataFrame, as_of: date | None = None, known_at: date | None = None) -> pl.DataFrame:
    """One row per T-account with a line: T_ACCOUNT, debits, credits and its natural balance, sorted by T_ACCOUNT."""
    return (
        lines_as_of(journal, as_of, known_at)
        .select(*T_ACCOUNT, *_SIDES)
        .group_by(T_ACCOUNT)
        .agg(pl.col("debits", "credits").sum())
        .with_columns(natural_balance(pl.col("debits"), pl.col("credits")).alias("balance"))
        .sort(T_ACCOUNT)
        .collect()
    )


def trial_balance(journal: pl.DataFrame, as_of: date | None = None, known_at: date | None = None) -> pl.DataFrame:
    """Per currency and T-account name over all owners: account_type, debit_balance and credit_balance (V-LED-04).

    The two columns add up to the same total per currency (R-LED-22).
    """
    names = ("currency", "account_type", "t_account_pattern", "charge_pattern")
    net = pl.col("debits") - pl.col("credits")
    return (
        lines_as_of(journal, as_of, known_at)
        .select(*names, *_SIDES)
        .group_by(names)
        .agg(pl.col("debits", "credits").sum())
        .sort(names)
        .select(
            "currency",
            "account_type",
            t_account_name(),
            net.clip(lower_bound=0).alias("debit_balance"),
            (-net).clip(lower_bound=0).alias("credit_balance"),
        )
        .collect()
    )


def owner_amounts(journal: pl.DataFrame, as_of: date | None = None, known_at: date | None = None) -> pl.DataFrame:
    """What each owner of charges was charged, still owes and has paid (R-BAL-01..05, V-LED-07), sorted by owner.

    Columns: owner_type, owner_key, currency, then total_value, unbilled, billed, due, outstanding (billed + due),
    remaining (outstanding + unbilled), written_off (expense less income), paid_or_written_off and paid. `due` is the
    netted T-account: an early payment makes it negative (R-LED-26), so it never says who is late.
    """
    patterns = {
        "unbilled": "Unbilled",
        "billed": "Billed",
        "due": "Due",
        "write_off_expense": "Write-Off Expense",
        "write_off_income": "Negative Write-Off Income",
    }
    names = {column: f"{CHARGE_PATTERN} {name}" for column, name in patterns.items()}
    signed = signed_amount()
    is_raised = (pl.col("transaction_type") == "InitialChargeTxn") & (pl.col("t_account_pattern") == names["unbilled"])
    remaining = pl.col("unbilled") + pl.col("billed") + pl.col("due")
    # Debits are positive in every sum, so the income of negative write-offs comes with its minus already.
    written_off = pl.col("write_off_expense") + pl.col("write_off_income")
    return (
        lines_as_of(journal, as_of, known_at)
        .filter(pl.col("t_account_pattern").is_in([*names.values()]))
        .select(
            *_OWNER,
            pl.when(is_raised).then(signed).otherwise(0).alias("total_value"),
            *(
                pl.when(pl.col("t_account_pattern") == name).then(signed).otherwise(0).alias(column)
                for column, name in names.items()
            ),
        )
        .group_by(_OWNER)
        .agg(pl.col("total_value", *names).sum())
        .sort(_OWNER)
        .select(
            *_OWNER,
            "total_value",
            "unbilled",
            "billed",
            "due",
            (pl.col("billed") + pl.col("due")).alias("outstanding"),
            remaining.alias("remaining"),
            written_off.alias("written_off"),
            (pl.col("total_value") - remaining).alias("paid_or_written_off"),
            (pl.col("total_value") - remaining - written_off).alias("paid"),
        )
        .collect()
    )
