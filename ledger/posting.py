"""Business transactions become journal lines.

`transaction_frame` makes transactions, `post` turns them into balanced lines by the rules of the chart, `reverse` takes
lines back. A process of the day says *what* happened; which T-accounts that touches is in `chart.toml`. Amounts are
signed minor units going in, positive minor units with a side coming out. Nothing is rounded here (R-LED-18).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from ledger.book import TRANSACTIONS_PER_DAY, day_number, number_from
from ledger.chart import OWNER_TYPE_COUNT, STANDARD, Chart, rule_set_name
from schemas import enums
from schemas.journal import JOURNAL

_OWNER_TYPE = enums.enum(enums.OWNER_TYPES)
_SIDE_D, _SIDE_C = (pl.lit(side, dtype=enums.enum(enums.SIDES)) for side in enums.SIDES)
_DESIGNATED = pl.lit("Designated Unapplied", dtype=enums.enum(enums.T_ACCOUNT_PATTERNS))
_OPTIONAL = ("owner_type", "source_type", "destination_type")

_COLUMNS: dict[str, Any] = {
    "transaction_type": enums.enum(enums.TRANSACTION_TYPES),
    "variant": pl.String,
    "transaction_date": pl.Date,
    "amount": pl.Int64,
    "net_amount": pl.Int64,
    "commission_amount": pl.Int64,
    "currency": pl.String,
    "charge_pattern": pl.String,
    "account_key": pl.Int64,
    "fund_policy_key": pl.Int64,
    "destination_fund_policy_key": pl.Int64,
    "owner_type": _OWNER_TYPE,
    "owner_key": pl.Int64,
    "period_key": pl.Int64,
    "charge_key": pl.Int64,
    "item_key": pl.Int64,
    "payment_key": pl.Int64,
    "producer_key": pl.Int64,
    "producer_code_key": pl.Int64,
    "policy_commission_key": pl.Int64,
    "charge_commission_key": pl.Int64,
    "collateral_key": pl.Int64,
    "requirement_key": pl.Int64,
    "source_type": _OWNER_TYPE,
    "source_key": pl.Int64,
    "destination_type": _OWNER_TYPE,
    "destination_key": pl.Int64,
    "reverses_transaction_key": pl.Int64,
    "subject_key": pl.Int64,
}
TRANSACTIONS = pl.Schema(_COLUMNS)
"""Transactions to post: one row each, `amount` signed. Keys are 0 where there is none.

`account_key` is the account that pays or is paid; `owner_type` and `owner_key` are the owner of the charge; a
suspense payment is named by `payment_key`. `fund_policy_key` is the policy of the designated fund that the money leaves
or enters, 0 for the default fund; `destination_fund_policy_key` is the same for the other end of a transfer, and for
the fund that a recapture refills. `reverses_transaction_key` is the transaction that this one takes back, with its
amount negated. `subject_key` is the ad hoc credit or disbursement that is posted, so that it can be told by which
transaction; the lines do not have it. `net_amount` and `commission_amount` count only where a rule splits the amount.
"""
_DEFAULTS = {
    name: pl.lit(0 if dtype == pl.Int64 else "" if dtype == pl.String else None, dtype=dtype).alias(name)
    for name, dtype in TRANSACTIONS.items()
}
_OF_TRANSACTION = (
    "transaction_key",
    "transaction_type",
    "variant",
    "transaction_date",
    "currency",
    "charge_pattern",
    "account_key",
    "period_key",
    "charge_key",
    "item_key",
    "payment_key",
    "reverses_transaction_key",
)


_NO_TRANSACTIONS = pl.DataFrame(schema=TRANSACTIONS)


class PostingError(ValueError):
    """A transaction cannot be posted; the message names its type and what is wrong."""


def empty_transactions() -> pl.DataFrame:
    """No transactions."""
    return _NO_TRANSACTIONS


def transaction_frame(
    frame: pl.DataFrame,
    transaction_type: str,
    *,
    transaction_date: pl.Expr | date,
    variant: pl.Expr | str = STANDARD,
    **columns: pl.Expr | int | str | None,
) -> pl.DataFrame:
    """One transaction per row of `frame`, in its order, in the columns of TRANSACTIONS.

    A column comes from `columns`, else from the column of that name in `frame`, else it is empty (key 0, text "").
    `amount` and `currency` must come from one of the first two. Raises PostingError for columns unknown or missing.
    """
    given = {
        "transaction_type": transaction_type,
        "transaction_date": transaction_date,
        "variant": variant,
        **columns,
    }
    unknown = sorted({*given} - {*TRANSACTIONS})
    missing = [name for name in ("amount", "currency") if name not in given and name not in frame.columns]
    if unknown or missing:
        msg = f"{transaction_type}: unknown columns {unknown}, missing columns {missing}"
        raise PostingError(msg)
    if frame.is_empty():
        return _NO_TRANSACTIONS
    expressions = []
    for name, dtype in TRANSACTIONS.items():
        if name in given:
            value = given[name]
            value = value.cast(dtype) if isinstance(value, pl.Expr) else pl.lit(value, dtype=dtype)
            expressions.append(value.alias(name))
        elif name in frame.columns:
            expressions.append(pl.col(name).cast(dtype))
        else:
            expressions.append(_DEFAULTS[name])
    return frame.with_columns(expressions).select(TRANSACTIONS.names())


def post(transactions: pl.DataFrame, business_date: date, chart: Chart, *, first_sequence: int = 1) -> pl.DataFrame:
    """The journal lines of transactions (columns TRANSACTIONS), in JOURNAL columns, by transaction and line number.

    Row i, counting from 0, gets the transaction key `day x 2^32 + first_sequence + i`. An amount of zero posts nothing
    (R-LED-16), a negative one swaps the sides unless its rule is for negative amounts (R-LED-15, R-TXN-07, 11, 14).
    `Unapplied` of an account is `Designated Unapplied` when the transaction names the policy of the fund (R-TXN-26).
    Raises PostingError when no rule holds for a type, variant and sign, when a role has no key, when a T-account may
    not have that owner, when a needed charge pattern or fund is missing, or net and commission miss the amount.
    """
    if transactions.schema != TRANSACTIONS:
        msg = "transactions to post must have exactly the columns of TRANSACTIONS; use transaction_frame"
        raise PostingError(msg)
    if transactions.is_empty():
        return JOURNAL.empty()
    first_key = day_number(business_date) * TRANSACTIONS_PER_DAY + first_sequence
    ruled = _with_rule_set(transactions.with_columns(number_from(first_key, "transaction_key")), chart)
    if ruled.is_empty():
        return JOURNAL.empty()
    lines = _spread(ruled, chart)
    if lines.select((pl.col("signed") == 0).any()).item():
        # Only the net amount or the commission can be zero here; the lines after it close the gap.
        line_no = pl.int_range(1, pl.len() + 1).over("transaction_key", order_by="line_no")
        lines = lines.remove(pl.col("signed") == 0).with_columns(line_no.alias("line_no"))
    _check_lines(lines, chart)
    return lines.select(
        pl.lit(business_date).alias("business_date"),
        "transaction_key",
        "transaction_type",
        pl.col("line_no").cast(pl.Int8),
        "transaction_date",
        "owner_type",
        "owner_key",
        "t_account_pattern",
        pl.when("is_per_charge_pattern").then("charge_pattern").otherwise(pl.lit("")).alias("charge_pattern"),
        "fund_policy_key",
        "account_type",
        pl.when(pl.col("signed") > 0).then(_SIDE_D).otherwise(_SIDE_C).alias("side"),
        pl.col("signed").abs().alias("amount"),
        "currency",
        "account_key",
        "period_key",
        "charge_key",
        "item_key",
        "payment_key",
        "reverses_transaction_key",
    )


def reverse(
    lines: pl.DataFrame, business_date: date, *, first_sequence: int, transaction_date: pl.Expr | date
) -> pl.DataFrame:
    """Take back whole transactions: their journal lines once more with the sides swapped (R-LED-13).

    New transaction keys count from `first_sequence` in the order of the old ones. The lines are copied, never derived
    again: for some types the sign of an amount selects other T-accounts. Raises PostingError when a line belongs to a
    reversal, or comes twice (R-LED-14).
    """
    if lines.select((pl.col("reverses_transaction_key") != 0).any()).item():
        msg = "a reversal cannot be reversed (R-LED-14)"
        raise PostingError(msg)
    ordered = JOURNAL.conform(lines).sort("transaction_key", "line_no")
    if ordered.select(pl.struct("transaction_key", "line_no").is_duplicated().any()).item():
        msg = "a transaction can be reversed only once (R-LED-14)"
        raise PostingError(msg)
    first_key = day_number(business_date) * TRANSACTIONS_PER_DAY + first_sequence
    effective = transaction_date if isinstance(transaction_date, pl.Expr) else pl.lit(transaction_date)
    return ordered.with_columns(
        pl.lit(business_date).alias("business_date"),
        (pl.col("transaction_key").rle_id().cast(pl.Int64) + first_key).alias("transaction_key"),
        effective.alias("transaction_date"),
        pl.when(pl.col("side") == "D").then(_SIDE_C).otherwise(_SIDE_D).alias("side"),
        pl.col("transaction_key").alias("reverses_transaction_key"),
    )


def _with_rule_set(transactions: pl.DataFrame, chart: Chart) -> pl.DataFrame:
    """The transactions that post anything, each with the position of its rule set in the chart."""
    required = [name for name in TRANSACTIONS.names() if name not in _OPTIONAL]
    empty = [column.name for column in transactions.select(required).null_count() if column.item()]
    if empty:
        msg = f"transactions to post have empty values in {', '.join(empty)}"
        raise PostingError(msg)
    if transactions.select((pl.col("amount") == 0).any()).item():
        transactions = transactions.filter(pl.col("amount") != 0)
    variant = pl.col("variant").cast(chart.variants, strict=False).to_physical().cast(pl.UInt32)
    kind = pl.col("transaction_type").to_physical().cast(pl.UInt32) * len(chart.variants.categories) + variant
    # What is taken back goes by the rule of its original, whose amount had the other sign.
    was_negative = (pl.col("amount") < 0) ^ (pl.col("reverses_transaction_key") != 0)
    rule_set = pl.lit(chart.rule_set_by_code).gather(kind * 2 + was_negative)
    ruled = transactions.with_columns(rule_set.alias("rule_set"))
    unruled = ruled.filter(pl.col("rule_set").is_null())
    if unruled.height:
        name = rule_set_name(unruled["transaction_type"][0], unruled["variant"][0])
        msg = f"{name}: no posting rule for the amount {unruled['amount'][0]} ({unruled.height} transactions)"
        raise PostingError(msg)
    return ruled


def _spread(ruled: pl.DataFrame, chart: Chart) -> pl.DataFrame:
    """One row per line, in order: what its transaction says beside what its rule says, owner and amount resolved."""
    in_use = chart.columns_in_use(ruled["rule_set"].unique())
    if "commission_amount" in in_use["amount_column"]:
        _check_parts(ruled, chart)
    line_count = pl.lit(chart.rule_set_frame["line_count"]).gather("rule_set")
    first_rule = pl.lit(chart.rule_set_frame["first_line"]).gather("rule_set").cast(pl.Int64)
    columns = {*_OF_TRANSACTION}.union(*in_use.values())
    transactions = ruled.select(
        *(name for name in ruled.columns if name in columns),
        # What to add to the number of a line in the whole frame to get its row in the posting rules.
        (first_rule - line_count.cast(pl.Int64).cum_sum() + line_count).alias("to_rule"),
    )
    row = ruled.select(pl.int_range(pl.len(), dtype=pl.UInt32).repeat_by(line_count).explode()).to_series()
    lines = transactions[row]
    rules = chart.line_rules[lines["to_rule"] + pl.int_range(lines.height, eager=True)]
    return _resolve(lines.hstack(rules), in_use)


def _resolve(lines: pl.DataFrame, in_use: Mapping[str, list[str]]) -> pl.DataFrame:
    """Give every line its owner, its fund and `signed`, the amount with debits positive."""

    def named(selector: str) -> pl.Expr:
        """The value of that column of the transaction which the rule of the line names in `selector`."""
        value = pl.lit(None)
        for name in in_use[selector]:
            value = pl.when(pl.col(selector) == name).then(pl.col(name)).otherwise(value)
        return value

    fund_policy_key = named("fund_column").cast(pl.Int64).fill_null(0)
    is_designated = (pl.col("t_account_pattern") == "Unapplied") & (fund_policy_key > 0)
    return lines.with_columns(
        pl.coalesce("fixed_owner_type", named("type_column")).cast(_OWNER_TYPE).alias("owner_type"),
        named("key_column").alias("owner_key"),
        fund_policy_key.alias("fund_policy_key"),
        pl.when(is_designated).then(_DESIGNATED).otherwise("t_account_pattern").alias("t_account_pattern"),
        (named("amount_column") * pl.col("factor")).alias("signed"),
    )


def _check_parts(ruled: pl.DataFrame, chart: Chart) -> None:
    """Raise PostingError where a rule splits the amount and net and commission do not add up to it (R-TXN-05)."""
    has_parts = pl.lit(chart.rule_set_frame["has_parts"]).gather("rule_set")
    wrong = ruled.filter(has_parts & (pl.col("net_amount") + pl.col("commission_amount") != pl.col("amount")))
    if wrong.height:
        name = rule_set_name(wrong["transaction_type"][0], wrong["variant"][0])
        net, commission, amount = wrong.select("net_amount", "commission_amount", "amount").row(0)
        msg = f"{name}: net {net} and commission {commission} do not add up to {amount} (R-TXN-05)"
        raise PostingError(msg)


def _check_lines(lines: pl.DataFrame, chart: Chart) -> None:
    """Raise PostingError when a line has no owner, the wrong kind of owner, no charge pattern or no fund."""
    code = pl.col("t_account_pattern").to_physical().cast(pl.UInt32) * OWNER_TYPE_COUNT
    may_own = pl.lit(chart.may_own).gather(code + pl.col("owner_type").to_physical())
    problems = {
        "needs {key_column} for {owner_role}": pl.col("owner_key") <= 0,
        "{owner_type} may not own {t_account_pattern} ({owner_role})": ~may_own.fill_null(value=False),
        "needs charge_pattern for {t_account_pattern}": pl.col("is_per_charge_pattern")
        & (pl.col("charge_pattern") == ""),
        "needs {fund_column} for {t_account_pattern}": (pl.col("t_account_pattern") == "Designated Unapplied")
        & (pl.col("fund_policy_key") == 0),
    }
    found = lines.select(problem.any().alias(text) for text, problem in problems.items()).row(0, named=True)
    for text, problem in problems.items():
        if found[text]:
            wrong = lines.filter(problem)
            first = wrong.row(0, named=True)
            name = rule_set_name(first["transaction_type"], first["variant"])
            msg = f"{name}: {text.format_map(first)} ({wrong.height} lines)"
            raise PostingError(msg)
