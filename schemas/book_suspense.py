"""Suspense items: money of a known payer that is set aside until it is known what it is for."""

from __future__ import annotations

import polars as pl

from schemas import enums
from schemas.declare import Column, Table

SUSPENSE_ITEMS = Table(
    name="suspense_items",
    kind="state",
    description="Parts of payments held in suspense on the account of their payer (R-SUS-11..15).",
    key=("suspense_item_key",),
    columns=(
        Column("suspense_item_key", pl.Int64, "Internal key.", minimum=0),
        Column("suspense_item_id", pl.String, "External id: the command that created it."),
        Column("payment_key", pl.Int64, "Payment that it is a part of.", minimum=0),
        Column("account_key", pl.Int64, "Payer.", minimum=0),
        Column("fund_key", pl.Int64, "Fund that the money left, and goes back to.", minimum=0),
        Column("policy_number", pl.String, "Policy that it may be for; not checked.", nullable=True),
        Column("amount", pl.Int64, "Money held, more than zero.", unit="minor units", minimum=1),
        Column("currency", pl.String, "ISO 4217 code."),
        Column(
            "status",
            enums.enum(enums.SUSPENSE_ITEM_STATUSES),
            "open, released, or reversed with its payment.",
            values=enums.SUSPENSE_ITEM_STATUSES,
        ),
        Column("created_date", pl.Date, "Business date on which it was set aside."),
        Column("closed_date", pl.Date, "Business date on which it was released or reversed.", nullable=True),
    ),
)
