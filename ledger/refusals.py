"""Rows that the book refuses while booking: one shape for every process (R-BI-16).

A refusal names its row by table, file and row number; the intake adds the row as it came in.
"""

from __future__ import annotations

import polars as pl

from ledger.reasons import REASONS

REFUSALS = pl.Schema(
    {
        "table_name": pl.String,
        "file": pl.String,
        "row_no": pl.Int64,
        "record_id": pl.String,
        "code": pl.String,
        "rule": pl.String,
        "detail": pl.String,
    }
)
"""A refused row: where it stands, why it was refused, and the rule it breaks."""
_NO_REFUSALS = pl.DataFrame(schema=REFUSALS)
_RULES = {code: reason.rule for code, reason in REASONS.items()}
_MEANINGS = {code: reason.meaning for code, reason in REASONS.items()}


def no_refusals() -> pl.DataFrame:
    """No refusals."""
    return _NO_REFUSALS


def refused_instructions(instructions: pl.DataFrame, charges: pl.DataFrame) -> pl.DataFrame:
    """Refuse instructions as a whole: the rows themselves, and their charges with them.

    In: instructions with `instruction_id`, file, row_no and `code`; the day's charges with file and row_no.
    """
    code = pl.col("code")
    rows = instructions.select(
        "file",
        "row_no",
        "code",
        table_name=pl.lit("billing_instructions"),
        record_id=pl.col("instruction_id"),
        rule=code.replace_strict(_RULES, return_dtype=pl.String),
        detail=code.replace_strict(_MEANINGS, return_dtype=pl.String),
    )
    cause = pl.format("Instruction {} was refused: {}", "instruction_id", "cause")
    carried = charges.join(
        instructions.select("instruction_id", cause="code"), on="instruction_id", how="inner", maintain_order="left"
    ).select(
        "file",
        "row_no",
        code=pl.lit("E-INSTRUCTION-REFUSED"),
        table_name=pl.lit("charges"),
        record_id=pl.col("instruction_id"),
        rule=pl.lit(_RULES["E-INSTRUCTION-REFUSED"]),
        detail=cause,
    )
    return pl.concat([rows.select(REFUSALS.names()), carried.select(REFUSALS.names())])


def warned_instructions(instructions: pl.DataFrame, code: str) -> pl.DataFrame:
    """Warnings about instructions that are booked, for one reason; each with file and row_no."""
    return instructions.select(
        "file",
        "row_no",
        table_name=pl.lit("billing_instructions"),
        record_id=pl.col("instruction_id"),
        code=pl.lit(code),
        rule=pl.lit(_RULES[code]),
        detail=pl.lit(_MEANINGS[code]),
    ).select(REFUSALS.names())
