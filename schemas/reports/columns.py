"""What the declarations of the views are made of: a report, its kinds of columns, and columns that many share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from schemas import enums
from schemas.declare import Column, Table

MONEY = pl.Decimal(18, 2)
PERCENT = pl.Decimal(18, 2)


@dataclass(frozen=True)
class Report:
    """A view: what one row is, its columns, and whether its macro `<name>_as_of` takes `known_at` too."""

    name: str
    description: str
    columns: tuple[Column, ...]
    has_known_at: bool = False


def text(name: str, description: str, *, nullable: bool = False, values: tuple[str, ...] | None = None) -> Column:
    """A column of text: an external id, a name, or one of some words."""
    return Column(name, pl.String, description, nullable=nullable, values=values)


def day(name: str, description: str, *, nullable: bool = False) -> Column:
    """A column of dates."""
    return Column(name, pl.Date, description, nullable=nullable)


def money(name: str, description: str, *, nullable: bool = False) -> Column:
    """A column of money, in the currency of the row."""
    return Column(name, MONEY, description, unit="currency", nullable=nullable)


def count(name: str, description: str, unit: str | None = None, *, nullable: bool = False) -> Column:
    """A column of whole numbers."""
    return Column(name, pl.Int64, description, unit=unit, nullable=nullable)


def flag(name: str, description: str) -> Column:
    """A column that is true or false."""
    return Column(name, pl.Boolean, description)


def stored(table: Table, *names: str) -> tuple[Column, ...]:
    """Columns shown as they are stored; words become text, minor units become money."""
    declared = {column.name: column for column in table.columns}
    return tuple(_shown(declared[name]) for name in names)


def _shown(column: Column) -> Column:
    shown: Any = column.dtype
    if isinstance(column.dtype, pl.Enum):
        shown = pl.String
    if column.unit == "minor units":
        return replace(column, dtype=MONEY, unit="currency", minimum=None)
    return replace(column, dtype=shown)


ACCOUNT_ID = text("account_id", "Account.", nullable=True)
PAYER_ID = text("account_id", "Account that pays.", nullable=True)
POLICY_ID = text("policy_id", "Policy; none when no policy is concerned.", nullable=True)
TERM_NUMBER = count("term_number", "Term of the policy; none when no policy period is concerned.", nullable=True)
CURRENCY = text("currency", "ISO 4217 code of the amounts in the row.")
CHARGE_ID = text("charge_id", "Charge.", nullable=True)
ITEM_ID = text("item_id", "Invoice item.", nullable=True)
INVOICE_ID = text("invoice_id", "Invoice.", nullable=True)
STATUS = text(
    "status", "Status of the invoice on the day, or how it ended without being billed.", values=enums.INVOICE_STATUSES
)
BILL_DATE = day("bill_date", "Day on which the invoice is billed.")
DUE_DATE = day("due_date", "Last day on which a payment is in time.")
CONTEXT = text(
    "context", "Instruction type, or the fee that billing raised; none when it takes a charge back.", nullable=True
)
HOLD = (
    flag("is_held", "Whether it is held back from billing."),
    text("hold_reason", "Why it is.", nullable=True, values=enums.HOLD_REASONS),
)
OWNER = (
    text("owner_type", "Kind of owner of the T-account.", values=enums.OWNER_TYPES),
    text("owner_id", "Owner: the account, or policy and term joined by a slash."),
)
ITEM_MONEY = (
    money("amount", "Amount."),
    money("paid", "What payments and credits have paid of it, and what its offset settles (R-ITM-14)."),
    money("written_off", "What is no longer expected of it."),
    money("amount_due", "What is neither paid nor written off, whatever the status (R-BAL-06)."),
)
