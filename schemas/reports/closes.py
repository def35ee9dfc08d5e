"""Views of the closes themselves: what a day took in, refused or warned of, and the days that are closed."""

from __future__ import annotations

import polars as pl

from schemas import journal
from schemas.book_pending import PENDING_ROWS
from schemas.declare import Column, Table
from schemas.reports.columns import Report, count, day, stored, text


def _events(table: Table) -> Report:
    """Rows shown as they are stored; counts of files mix currencies and stay in minor units."""
    return Report(name=table.name, description=table.description, columns=table.columns)


DAYS = Report(
    name="days",
    description="Closed business days, from their manifests.",
    columns=(
        day("business_date", "Business date."),
        count("revision", "How often the day has been closed.", nullable=True),
        count("rows_stored", "Rows that the day added or changed.", nullable=True),
        count("journal_lines", "Journal lines of the day.", nullable=True),
        count("debits", "Sum of the debit lines.", "minor units", nullable=True),
        count("credits", "Sum of the credit lines.", "minor units", nullable=True),
        count("rows_quarantined", "Rows in quarantine.", nullable=True),
        text("manifest", "Digest of the manifest.", nullable=True),
        text("code_version", "Version of the code that closed it.", nullable=True),
        text("carrier_digest", "Digest of the carrier file.", nullable=True),
        Column("is_stale", pl.Boolean, "An earlier day has been closed again since.", nullable=True),
        Column("is_locked", pl.Boolean, "The day is in a locked accounting period.", nullable=True),
    ),
)

REJECTED_INSTRUCTIONS = Report(
    name="rejected_instructions",
    description="Billing instructions in quarantine: none of their charges is booked (R-BI-16).",
    columns=(
        journal.BUSINESS_DATE,
        text("instruction_id", "Instruction as landed.", nullable=True),
        text("instruction_type", "What it was to do, as landed.", nullable=True),
        text("account_id", "Account as landed.", nullable=True),
        text("policy_id", "Policy as landed.", nullable=True),
        *stored(journal.QUARANTINE, "code", "rule", "detail", "file", "row_no"),
    ),
)

PENDING_ROWS_REPORT = Report(
    name="pending_rows",
    description="Instructions, and their charges, that wait for a policy or a policy period to be known.",
    columns=stored(
        PENDING_ROWS, "table_name", "file", "row_no", "record_id", "code", "raw_json", "received_date", "outcome"
    ),
)

CLOSES = (
    _events(journal.QUARANTINE),
    _events(journal.WARNINGS),
    _events(journal.INTAKE),
    DAYS,
    REJECTED_INSTRUCTIONS,
    PENDING_ROWS_REPORT,
)
"""In the order of the data dictionary."""
