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

ITEM_EVENTS = Table(
    name="item_events",
    kind="events",
    description="What happened to invoice items beside what journal and payment items tell: moved, reversed, changed.",
    columns=(
        BUSINESS_DATE,
        _key("item_key", "Invoice item."),
        _word("event_type", "One of the 27 item events.", enums.ITEM_EVENT_TYPES),
        Column("gross", pl.Int64, "Amount concerned.", unit="minor units"),
        _key("related_item_key", "Other item concerned; 0 when none."),
        _key("invoice_key", "Invoice on which the item now is; 0 when none."),
        _key("account_key", "Payer from now on."),
        _text("command_id", "Command that did it.", nullable=True),
    ),
)

OUTBOUND_EVENTS = Table(
    name="outbound_events",
    kind="events",
    description="What other systems are told: documents to produce, payments to request.",
    columns=(
        BUSINESS_DATE,
        _word("event_type", "What happened.", enums.OUTBOUND_EVENT_TYPES),
        _key("account_key", "Account concerned."),
        _key("invoice_key", "Invoice concerned; 0 when none."),
        Column("amount", pl.Int64, "Amount concerned.", unit="minor units"),
        _text("command_id", "Command that asked for it; none when the day did.", nullable=True),
    ),
)

EQUITY_WARNINGS = Table(
    name="equity_warnings",
    kind="events",
    description="Changes of a payment schedule that leave a policy period short of equity (R-EQT-13..16).",
    columns=(
        BUSINESS_DATE,
        _text("command_id", "Command that changed the schedule."),
        _text("command_type", "What the command does."),
        _key("period_key", "Policy period."),
        Column("first_violation", pl.Date, "First day below the preferred equity."),
        Column("violation_end", pl.Date, "First day on which it is met again, or the end of cover."),
        Column("cure_amount", pl.Int64, "Payment that would cure every violation.", unit="minor units"),
        Column("cure_before", pl.Date, "Day before which that payment must be due."),
        _text("outcome", "warned or rejected."),
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
    description="What came in per file, and what became of it: in = booked + duplicates + quarantined + pending.",
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
        Column("rows_pending", pl.Int64, "Rows that wait to be tried again.", minimum=0, default=0),
        Column("amount_pending", pl.Int64, "Sum of the amounts that wait.", unit="minor units", default=0),
    ),
)

EVENT_TABLES: tuple[Table, ...] = (
    JOURNAL,
    ITEM_EVENTS,
    OUTBOUND_EVENTS,
    EQUITY_WARNINGS,
    QUARANTINE,
    WARNINGS,
    INTAKE,
)
"""The tables to which days only add."""
