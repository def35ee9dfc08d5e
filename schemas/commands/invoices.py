"""Commands about invoices: new ones, their dates, and sending them again."""

from __future__ import annotations

from schemas.commands.declare import CommandType, Param

ON_EQUITY_VIOLATION = Param(
    "on_equity_violation",
    "word",
    "What becomes of the command when it leaves the policy short of equity (R-EQT-16).",
    values=("warn", "reject"),
    default="warn",
)
"""Every command that changes a payment schedule takes it."""

COMMANDS = (
    CommandType(
        name="create_invoice",
        description="Create an empty planned invoice in a stream; dates left out are the next unused ones.",
        rules="R-INV-30",
        targets=("invoice_stream",),
        params=(
            Param("bill_date", "date", "Day on which it is billed."),
            Param("due_date", "date", "Last day on which a payment is in time."),
            Param("is_ad_hoc", "flag", "Whether it stands outside the cadence.", default="false"),
        ),
    ),
    CommandType(
        name="change_invoice_dates",
        description="Change the dates of a planned invoice, or the due date of a billed one that is not due.",
        rules="R-INV-31, R-INV-40",
        targets=("invoice",),
        params=(
            Param("bill_date", "date", "Day on which it is billed."),
            Param("due_date", "date", "Last day on which a payment is in time."),
            ON_EQUITY_VIOLATION,
        ),
    ),
    CommandType(
        name="resend_invoice",
        description="Send a billed invoice once more; nothing else changes.",
        rules="R-INV-32",
        targets=("invoice",),
    ),
)
