"""Credit distributions: money in the system that somebody lets pay invoice items."""

from __future__ import annotations

import polars as pl

from schemas import enums
from schemas.declare import Column, Table

DISTRIBUTION_KINDS = ("ByHand", "DefaultFund", "NegativeItems")
"""By amounts per item; an amount of the default fund; the whole of chosen negative items (R-CD-3, R-CD-5)."""
DISTRIBUTION_STATUSES = ("Executed", "Reversed")
"""Life of a credit distribution (R-CD-6)."""

CREDIT_DISTRIBUTIONS = Table(
    name="credit_distributions",
    kind="state",
    description="Credit distributions that somebody asked for; no new money comes in by them (R-CD-1..6).",
    key=("distribution_key",),
    columns=(
        Column("distribution_key", pl.Int64, "Internal key.", minimum=0),
        Column("distribution_id", pl.String, "External id: the command that asked for it."),
        Column("account_key", pl.Int64, "Account.", minimum=0),
        Column("kind", enums.enum(DISTRIBUTION_KINDS), "What was distributed.", values=DISTRIBUTION_KINDS),
        Column("status", enums.enum(DISTRIBUTION_STATUSES), "How it stands.", values=DISTRIBUTION_STATUSES),
        Column("version", pl.Int64, "1, and one more with every change of it.", minimum=1),
        Column("first_payment_item_key", pl.Int64, "The first of the payment items that record it.", minimum=0),
        Column("payment_items", pl.Int64, "How many payment items in a row record it.", minimum=0),
        Column("executed_date", pl.Date, "Business date of its last version."),
        Column("reversed_date", pl.Date, "Business date on which it was taken back.", nullable=True, default=None),
    ),
)
