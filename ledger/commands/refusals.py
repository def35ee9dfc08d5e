"""Commands that are not carried out: refused with a reason code, by the first of their problems."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ledger.reasons import REASONS
from ledger.refusals import REFUSALS, no_refusals

_RULES = {code: reason.rule for code, reason in REASONS.items()}
_MEANINGS = {code: reason.meaning for code, reason in REASONS.items()}


def split_refused(commands: pl.DataFrame, problems: Mapping[str, pl.Expr]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part the commands that have none of these problems from refusals of the others.

    problems: by reason code, in the order in which they are looked at, whether a command has it (null counts as no).
    """
    code = pl.coalesce(
        *(pl.when(has.fill_null(value=False)).then(pl.lit(name)) for name, has in problems.items()),
        pl.lit(None, pl.String),
    )
    commands = commands.with_columns(code=code)
    wrong = commands.filter(pl.col("code").is_not_null())
    return commands.filter(pl.col("code").is_null()).drop("code"), refused_commands(wrong)


def refused_commands(commands: pl.DataFrame, code: str | None = None) -> pl.DataFrame:
    """Refusals of these commands for one reason, or for that in their column `code`."""
    if commands.is_empty():
        return no_refusals()
    reason = pl.col("code") if code is None else pl.lit(code)
    target = pl.concat_str("target_type", pl.lit(" "), "target_id")
    meaning = reason.replace_strict(_MEANINGS, return_dtype=pl.String)
    return commands.select(
        "file",
        "row_no",
        code=reason,
        table_name=pl.lit("commands"),
        record_id="command_id",
        rule=reason.replace_strict(_RULES, return_dtype=pl.String),
        detail=pl.concat_str("command_type", pl.lit(" "), target, pl.lit(": "), meaning, ignore_nulls=True),
    ).select(REFUSALS.names())
