"""Surplus that was kept because it could not be returned (negative write-offs)."""

from __future__ import annotations

import polars as pl

from schemas.declare import Column, Table

SURPLUS_WRITE_OFFS = Table(
    name="surplus_write_offs",
    kind="state",
    description="Money of unapplied funds that was kept because it could not be returned (R-WO-7, R-WO-8).",
    key=("surplus_write_off_key",),
    columns=(
        Column("surplus_write_off_key", pl.Int64, "Internal key.", minimum=0),
        Column("command_id", pl.String, "Command that kept it."),
        Column("account_key", pl.Int64, "Account.", minimum=0),
        Column("fund_key", pl.Int64, "Fund that the money left.", minimum=0),
        Column("amount", pl.Int64, "Money kept, more than zero.", unit="minor units", minimum=1),
        Column("currency", pl.String, "ISO 4217 code."),
        Column("created_date", pl.Date, "Business date on which it was kept."),
        Column("reversed_date", pl.Date, "Business date on which it was given back.", nullable=True, default=None),
    ),
)
