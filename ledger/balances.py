"""Balances: what the journal adds up to, per T-account, per owner, and for the whole book.

Every function reads journal lines and takes the two dates of the ledger: `as_of` counts lines that have taken effect by
then, inclusive (R-LED-19), `known_at` those recorded by then; None counts all. Amounts are minor units.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import prod

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
_TOO_LARGE = 2**63
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
    lines = lines_as_of(journal, as_of, known_at)
    digits = [] if journal.is_empty() else [_digit(journal[name]) for name in T_ACCOUNT]
    if digits and prod(digit.count for digit in digits) < _TOO_LARGE:
        sums = _sums_by_number(lines, digits)
    else:
        sums = lines.select(*T_ACCOUNT, *_SIDES).group_by(T_ACCOUNT).agg(pl.col("debits", "credits").sum())
        sums = sums.sort(T_ACCOUNT)
    return sums.with_columns(natural_balance(pl.col("debits"), pl.col("credits")).alias("balance")).collect()


@dataclass(frozen=True, slots=True)
class _Digit:
    """A column as a number from 0 to below `count` that keeps its order: how to write it, and how to read it back.

    `values` are what the numbers stand for; without them it is the number itself, above `lowest`.
    """

    name: str
    count: int
    written: pl.Expr
    values: pl.Series | None = None
    lowest: int = 0

    def read(self, number: pl.Expr) -> pl.Expr:
        """The column again."""
        value = number + self.lowest if self.values is None else pl.lit(self.values).gather(number)
        return value.alias(self.name)


def _digit(column: pl.Series) -> _Digit:
    name, value = column.name, pl.col(column.name)
    if column.null_count():
        return _Digit(name, _TOO_LARGE, value)
    if column.dtype.is_integer():
        lowest, highest = column.to_frame().select(value.min().alias("lowest"), value.max().alias("highest")).row(0)
        return _Digit(name, highest - lowest + 1, value - lowest, lowest=lowest)
    if isinstance(column.dtype, pl.Enum):
        words = pl.Series(column.dtype.categories, dtype=column.dtype)
        return _Digit(name, len(words), value.to_physical().cast(pl.Int64), words)
    # Most lines have the same word as the first: a comparison is cheaper than a look into a hash table.
    words = column.head(1).append(column.filter(column != column[0]).unique()).sort()
    number = value.cast(pl.Enum(words)).to_physical().cast(pl.Int64) if len(words) > 1 else pl.lit(0, dtype=pl.Int64)
    return _Digit(name, len(words), number, words)


def _sums_by_number(lines: pl.LazyFrame, digits: list[_Digit]) -> pl.LazyFrame:
    """Debits and credits per T-account, sorted: its columns as the digits of one number group and sort much faster."""
    number = pl.lit(0, dtype=pl.Int64)
    for digit in digits:
        number = number * digit.count + digit.written
    columns, place = [], 1
    for digit in reversed(digits):
        columns.append(digit.read(pl.col("number") // place % digit.count))
        place *= digit.count
    return (
        lines.select(number.alias("number"), *_SIDES)
        .group_by("number")
        .agg(pl.col("debits", "credits").sum())
        .sort("number")
        .select(*reversed(columns), "debits", "credits")
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
