"""Pending rows: landed instructions, and their charges, that wait for a policy or a policy period to be known."""

from __future__ import annotations

import polars as pl

from schemas import enums
from schemas.declare import Column, Table

OUTCOMES = ("waiting", "booked", "refused", "replaced")
"""What has become of a pending row; replaced is one whose instruction landed again."""

PENDING_ROWS = Table(
    name="pending_rows",
    kind="state",
    description="Rows of instructions that came before their policy or policy period; they are tried again each day.",
    key=("pending_key",),
    columns=(
        Column("pending_key", pl.Int64, "Internal key.", minimum=0),
        Column("table_name", pl.String, "Landing table."),
        Column("file", pl.String, "File below landing/."),
        Column("row_no", pl.Int64, "Row within the file, from 1.", minimum=1),
        Column("record_id", pl.String, "Instruction."),
        Column("code", pl.String, "Reason code of what is not known yet (docs/quarantine.md)."),
        Column("raw_json", pl.String, "The row as it came in."),
        Column("received_date", pl.Date, "Business date on which it came in."),
        Column("outcome", enums.enum(OUTCOMES), "What has become of it.", values=OUTCOMES),
        Column("settled_date", pl.Date, "Business date on which it stopped waiting.", nullable=True),
    ),
)
