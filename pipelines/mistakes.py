"""Rows that are wrong on purpose, so that a made-up book shows what becomes of wrong rows.

A wrong row is a copy of a right one with one thing spoiled. Its id begins with BAD and says the reason code for which
the ledger is to refuse it; each ends in quarantine. Beside them come what is unusual and yet right: money from people
whom nobody knows, which waits in suspense, and payments that are sent twice, which count once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

BAD = "BAD-"
"""How the ids of wrong rows begin."""
_EVERY, _AT_LEAST = 1_500, 2
"""One row in so many is spoiled in each way, and at least so many are."""
_amount, _day = pl.col("amount"), pl.col("business_date")
_PAYMENTS: Mapping[str, dict[str, pl.Expr]] = {
    "E-AMOUNT-DECIMALS": {"amount": _amount + "5"},
    "E-NOT-AN-AMOUNT": {"amount": pl.lit("1.200,00")},
    "E-AMOUNT-NOT-POSITIVE": {"amount": "-" + _amount},
    "E-VALUE-MISSING": {"amount": pl.lit(None, pl.String)},
    "E-NOT-A-DATE": {"payment_date": pl.lit("31.02.2026")},
    "E-PAYMENT-FUTURE": {"payment_date": (_day + pl.duration(days=30)).cast(pl.String)},
    "E-CURRENCY-ACCOUNT": {"currency": pl.lit("EUR")},
    "E-CARD-NUMBER": {"reference": pl.lit("card 4111 1111 1111 1111")},
}
"""What is spoiled of a payment, by the reason for which it is refused."""
_PAYER_UNKNOWN = {"UNKNOWN": {"account_id": pl.lit("A-unknown"), "policy_id": pl.lit(None, pl.String)}}
_INSTRUCTIONS: Mapping[str, dict[str, pl.Expr]] = {
    "E-PLAN-UNKNOWN": {"payment_plan": pl.lit("Fortnightly")},
    "E-NEEDED-FOR-TYPE": {"period_end": pl.lit(None, pl.String)},
    "E-PERIOD-EMPTY": {"period_end": pl.col("period_start")},
    "E-POLICY-UNKNOWN": {"instruction_type": pl.lit("cancellation")},
}
"""The same of the instruction of a new policy; its charge is refused with it."""


def with_mistakes(tables: Mapping[str, pl.DataFrame], last_day: date) -> dict[str, pl.DataFrame]:
    """The rows of a book with a few wrong and unusual ones among them, by table; sorted as they were.

    tables: landing rows as text with business_date; charges have the columns of `_bad_instructions`. What would come in
    after the last day is left out.
    """
    payments = tables["payments"].with_columns(currency=pl.lit(None, pl.String), reference=pl.lit(None, pl.String))
    instructions, charges = _bad_instructions(tables["billing_instructions"])
    unknown = _spoiled(payments, _PAYER_UNKNOWN, "payment_id", prefix="R-")
    next_day = _day + pl.duration(days=1)
    again = _sample(payments, 1).select(payments.columns).with_columns(next_day).filter(_day <= last_day)
    bad = _spoiled(payments, _PAYMENTS, "payment_id")
    more = {
        "billing_instructions": [instructions],
        "charges": [charges],
        "payments": [bad, unknown, again],
    }
    all_rows = dict(tables) | {"payments": payments}
    return {
        name: pl.concat([rows, *(frame.select(rows.columns) for frame in more.get(name, []))]).sort(
            "business_date", next(column for column in rows.columns if column.endswith("_id")), maintain_order=True
        )
        for name, rows in all_rows.items()
    }


def mistakes_among(tables: Mapping[str, pl.DataFrame]) -> int:
    """How many rows are wrong on purpose: as many as are to be in quarantine."""
    ids = {"billing_instructions": "instruction_id", "charges": "instruction_id", "payments": "payment_id"}
    return sum(tables[table].filter(pl.col(column).str.starts_with(BAD)).height for table, column in ids.items())


def _sample(rows: pl.DataFrame, kinds: int) -> pl.DataFrame:
    """Rows taken at equal distances, so many for each kind, with the place of each in the sample."""
    wanted = min(max(_AT_LEAST, rows.height // _EVERY) * kinds, rows.height)
    step = max(rows.height // max(wanted, 1), 1)
    return rows.gather_every(step, offset=step // 2).head(wanted).with_row_index("place")


def _spoiled(
    rows: pl.DataFrame, ways: Mapping[str, dict[str, pl.Expr]], id_column: str, prefix: str = BAD
) -> pl.DataFrame:
    """Copies of some rows, each spoiled in one way, under ids of their own."""
    sample = _sample(rows, len(ways))
    parts = [
        sample.filter(pl.col("place") % len(ways) == number).with_columns(
            pl.format(f"{prefix}{code}-{{}}", "place").alias(id_column), **changes
        )
        for number, (code, changes) in enumerate(ways.items())
    ]
    return pl.concat(parts).select(rows.columns)


def _bad_instructions(instructions: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Wrong instructions for policies of their own, and the premium that each of them carries."""
    new = instructions.filter(pl.col("instruction_type") == "issuance")
    bad = _spoiled(new, _INSTRUCTIONS, "instruction_id").with_columns(policy_id=pl.col("instruction_id"))
    charges = bad.select(
        "business_date",
        "instruction_id",
        charge_no=pl.lit("1"),
        charge_pattern=pl.lit("Premium"),
        amount=pl.lit("600.00"),
    )
    return bad, charges
