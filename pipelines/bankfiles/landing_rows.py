"""From the entries of a bank file to rows of the landing: payments, and commands that take payments back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from ledger.bank_files import BankFiles
from ledger.commands.targets import REFERENCE
from ledger.money import format_minor_units
from ledger.parsing import decimals_of
from pipelines.bankfiles.entries import PAYMENT, RETURN, BankFile, with_ids
from pipelines.bankfiles.return_reasons import UNKNOWN_REASON, reversal_reasons
from warehouse.landing_files import BUSINESS_DATE

SOURCE_COLUMNS = ("source_file", "source_record")
"""Columns of the landing that lead back to the raw record: digest of the file below received/, and where in it."""
REQUESTED_BY = "bank"


def landing_rows(file: BankFile, digest: str, day: date, rules: BankFiles) -> Mapping[str, pl.DataFrame]:
    """Rows by landing table for a business date; no table without rows.

    A payment names the invoice, policy and account that its text names (`BankFiles`), and nobody when it names none:
    then the ledger books a suspense payment. A return becomes reverse_payment on the payment with its reference.
    Rules: R-DBP-17, R-DBP-24, R-SUS-01, R-PMV-06.
    """
    entries = with_ids(file)
    entries = entries.with_columns(
        pl.lit(day).alias(BUSINESS_DATE),
        amount=format_minor_units(pl.col("amount"), decimals_of(pl.col("currency"))),
        source_file=pl.lit(digest),
        source_record="record",
    )
    tables = {
        "payments": _payment_rows(entries.filter(pl.col("kind") == PAYMENT), file, rules),
        "commands": _command_rows(entries.filter(pl.col("kind") == RETURN), file),
    }
    return {table: rows for table, rows in tables.items() if not rows.is_empty()}


def _payment_rows(entries: pl.DataFrame, file: BankFile, rules: BankFiles) -> pl.DataFrame:
    return entries.select(
        BUSINESS_DATE,
        "amount",
        "currency",
        "method",
        "reference",
        *SOURCE_COLUMNS,
        payment_id=_id(file),
        payment_date=pl.col("booked_on").cast(pl.String),
        **rules.ids_in(pl.col("text")),
    )


def _command_rows(entries: pl.DataFrame, file: BankFile) -> pl.DataFrame:
    reason = pl.col("reason_code").replace_strict(
        dict(reversal_reasons()), default=UNKNOWN_REASON, return_dtype=pl.String
    )
    return entries.select(
        BUSINESS_DATE,
        "amount",
        *SOURCE_COLUMNS,
        command_id=_id(file),
        command_type=pl.lit("reverse_payment"),
        target_type=pl.lit("payment"),
        target_id=pl.lit(REFERENCE) + pl.col("reference"),
        reason="what",
        params=pl.concat_str(pl.lit('{"reversal_reason": "'), reason, pl.lit('"}')),
        requested_by=pl.lit(REQUESTED_BY),
    )


def _id(file: BankFile) -> pl.Expr:
    """The id of what an entry becomes; the same in all messages of ISO 20022."""
    return pl.lit(file.format.split(".")[0] + "-") + pl.col("entry_id")
