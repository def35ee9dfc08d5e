"""What a day adds and never changes: journal lines, payment items, quarantine, warnings, counts of what came in."""

from __future__ import annotations

import polars as pl

from schemas import enums
from schemas.declare import Column, Table


def _key(name: str, description: str) -> Column:
    return Column(name, pl.Int64, description, minimum=0)


def _text(name: str, description: str, *, nullable: bool = False) -> Column:
    return Column(name, pl.String, description, nullable=nullable)


def _word(name: str, description: str, values: tuple[str, ...]) -> Column:
    return Column(name, enums.enum(values), description, values=values)


BUSINESS_DATE = Column("business_date", pl.Date, "Business date on which the row was recorded.")

JOURNAL = Table(
    name="journal",
    kind="events",
    description="The double-entry journal: one row per line, never changed.",
    key=("transaction_key", "line_no"),
    columns=(
        BUSINESS_DATE,
        _key("transaction_key", "Internal key; packed from the day and a sequence."),
        _word("transaction_type", "One of the 54 types.", enums.TRANSACTION_TYPES),
        Column("line_no", pl.Int8, "Number of the line within its transaction, from 1.", minimum=1),
        Column("transaction_date", pl.Date, "Date on which the transaction takes effect."),
        _word("owner_type", "Kind of owner of the T-account.", enums.OWNER_TYPES),
        _key("owner_key", "Key of the owner."),
        _word("t_account_pattern", "Pattern of the T-account.", enums.T_ACCOUNT_PATTERNS),
        _text("charge_pattern", "Charge pattern of the T-account; empty when it has none."),
        _key("fund_policy_key", "Policy of a designated fund; 0 otherwise."),
        _word("account_type", "Asset, liability, expense or revenue.", enums.ACCOUNT_CLASSES),
        _word("side", "D or C.", enums.SIDES),
        Column("amount", pl.Int64, "Amount of the line, more than zero.", unit="minor units", minimum=1),
        _text("currency", "ISO 4217 code."),
        _key("account_key", "Account concerned; 0 when none."),
        _key("period_key", "Policy period concerned; 0 when none."),
        _key("charge_key", "Charge concerned; 0 when none."),
        _key("item_key", "Invoice item concerned; 0 when none."),
        _key("payment_key", "Payment concerned; 0 when none."),
        _key("reverses_transaction_key", "Transaction that this one reverses; 0 when none."),
    ),
)

PAYMENT_ITEMS = Table(
    name="payment_items",
    kind="events",
    description="What a payment, or a credit, paid of an invoice item.",
    key=("payment_item_key",),
    columns=(
        BUSINESS_DATE,
        _key("payment_item_key", "Internal key; packed from the day and a sequence."),
        _word("kind", "What paid: a payment, or money and credits already there.", enums.DISTRIBUTION_KINDS),
        _key("payment_key", "Payment; 0 for credits and money already in the fund."),
        _key("fund_key", "Fund that the money left; 0 when a credit item paid."),
        _key("credit_item_key", "Negative item that paid, or was paid off; 0 when money paid."),
        _key("item_key", "Invoice item."),
        _key("charge_key", "Charge of the item."),
        _key("account_key", "Payer."),
        Column("amount", pl.Int64, "What was paid; negative on a negative item.", unit="minor units"),
    ),
)

QUARANTINE = Table(
    name="quarantine",
    kind="events",
    description="Rows that could not be booked, kept whole, each with a reason code.",
    columns=(
        BUSINESS_DATE,
        _text("table_name", "Landing table."),
        _text("file", "File below landing/."),
        Column("row_no", pl.Int64, "Row within the file, from 1; 0 when the whole file was refused.", minimum=0),
        _text("record_id", "Id of the row.", nullable=True),
        _text("code", "Reason code (docs/quarantine.md)."),
        _text("rule", "Rule that the row breaks."),
        _text("detail", "What is wrong, with column and value."),
        _text("raw_json", "The row as it came in."),
    ),
)

WARNINGS = Table(
    name="warnings",
    kind="events",
    description="Rows that were booked although something about them is unusual.",
    columns=QUARANTINE.columns,
)

INTAKE = Table(
    name="intake",
    kind="events",
    description="What came in per file, and what became of it: in = booked + duplicates + quarantined.",
    key=("business_date", "table_name", "file"),
    columns=(
        BUSINESS_DATE,
        _text("table_name", "Landing table."),
        _text("file", "File below landing/."),
        Column("rows_in", pl.Int64, "Rows in the file.", minimum=0),
        Column("rows_booked", pl.Int64, "Rows that were booked.", minimum=0),
        Column("rows_duplicate", pl.Int64, "Rows seen before, without effect.", minimum=0),
        Column("rows_quarantined", pl.Int64, "Rows in quarantine.", minimum=0),
        Column("amount_in", pl.Int64, "Sum of the readable amounts of the file.", unit="minor units"),
        Column("amount_booked", pl.Int64, "Sum of the amounts booked.", unit="minor units"),
        Column("amount_duplicate", pl.Int64, "Sum of the amounts seen before.", unit="minor units"),
        Column("amount_quarantined", pl.Int64, "Sum of the readable amounts in quarantine.", unit="minor units"),
    ),
)

EVENT_TABLES: tuple[Table, ...] = (JOURNAL, PAYMENT_ITEMS, QUARANTINE, WARNINGS, INTAKE)
"""The tables to which days only add."""
