"""Charges of billing instructions: what the book keeps of them, by which plan and in which way they are invoiced."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book, number_from
from ledger.carrier import Carrier
from ledger.final_audit import HOLD_REASON, HOLDING
from ledger.invoicing import AS_ORIGINALS, BY_PLAN, IMMEDIATELY, ON_NEXT_INVOICE
from ledger.periods import NEW_PERIOD_TYPES

_PARTS_PER_PERCENT = 10_000


def append_charges(
    book: Book, instructions: pl.DataFrame, charges: pl.DataFrame, day: date, carrier: Carrier
) -> tuple[Book, pl.DataFrame]:
    """Book the charges of these instructions.

    In: booked instructions with their keys, period and default payer (`default_payer_key`); the day's charges. Out: the
    book, and the charges with what `ledger.invoicing.invoice_charges` needs besides: plan, context and modifiers
    (R-CI-55, R-CI-56) and `way`. The payer is the one that the charge names, else the default payer (R-ITM-03).
    """
    patterns = carrier.charge_pattern_frame().select("charge_pattern", "charge_subtype", "in_equity")
    terms = _terms(instructions, _takes_part_in_issuance(book, instructions))
    rows = (
        charges.join(terms, on="instruction_id", how="inner", maintain_order="left")
        .join(patterns, on="charge_pattern", how="left", maintain_order="left")
        .sort("instruction_key", "charge_no")
        .with_columns(
            number_from(book.next_key("charges"), "charge_key"),
            payer_account_key=pl.coalesce("payer_account_key", "default_payer_key"),
            charge_date=pl.lit(day),
        )
    )
    return book.append("charges", rows), rows


def _terms(instructions: pl.DataFrame, takes_part_in_issuance: pl.Expr) -> pl.DataFrame:
    """What an instruction says about each of its charges."""
    kind = pl.col("instruction_type")
    is_account_level = pl.col("period_key") == 0
    modifiers = {
        "modified_down_payment_ppm": _modifier("down_payment_percent")
        .cast(pl.Decimal(12, 4))
        .mul(_PARTS_PER_PERCENT)
        .cast(pl.Int64),
        "modified_max_installments": _modifier("max_installments").cast(pl.Int64),
    }
    is_plain_change = (kind == "policy_change") & ~takes_part_in_issuance
    has_no_modifier = pl.all_horizontal(pl.col(name).is_null() for name in modifiers)
    return instructions.with_columns(**modifiers).select(
        "instruction_id",
        "instruction_key",
        "account_key",
        "default_payer_key",
        "policy_key",
        "period_key",
        "currency",
        *modifiers,
        pl.when(kind.is_in(NEW_PERIOD_TYPES))
        .then(pl.col("period_effective_date"))
        .otherwise(pl.col("effective_date"))
        .alias("effective_date"),
        pl.when(~is_account_level).then(pl.col("coverage_end")).alias("coverage_end"),
        kind.alias("context"),
        pl.col("period_payment_plan").alias("plan_name"),
        pl.when(takes_part_in_issuance).then(pl.lit("issuance")).otherwise(kind).alias("plan_context"),
        owner_type=pl.when(is_account_level).then(pl.lit("Account")).otherwise(pl.lit("PolicyPeriod")),
        owner_key=pl.when(is_account_level).then(pl.col("account_key")).otherwise(pl.col("period_key")),
        hold_reason=pl.when(pl.col("special_handling").is_in(HOLDING)).then(pl.lit(HOLD_REASON)),
        way=pl.when(pl.col("special_handling").is_in([IMMEDIATELY, ON_NEXT_INVOICE]))
        .then("special_handling")
        .when(is_plain_change & has_no_modifier)
        .then(pl.lit(AS_ORIGINALS))
        .otherwise(pl.lit(BY_PLAN)),
    )


def _takes_part_in_issuance(book: Book, instructions: pl.DataFrame) -> pl.Expr:
    """Whether an instruction is a policy change effective on the first day of a period that was issued (R-CI-56)."""
    is_from_the_start = (pl.col("instruction_type") == "policy_change") & (
        pl.col("effective_date") == pl.col("period_effective_date")
    )
    changed = instructions.filter(is_from_the_start)["period_key"].unique()
    if changed.is_empty():
        return pl.lit(value=False)
    issued = book["instructions"].filter(
        (pl.col("instruction_type") == "issuance") & pl.col("period_key").is_in(changed.implode())
    )
    return is_from_the_start & pl.col("period_key").is_in(issued["period_key"].implode())


def _modifier(name: str) -> pl.Expr:
    return pl.col("modifiers").str.json_path_match(f"$.{name}")
