"""Payment requests of the book: money that the carrier drafts from payers who do not pay by themselves (R-PR)."""

from __future__ import annotations

import polars as pl

from schemas import enums
from schemas.declare import Column, Table

PAYMENT_REQUESTS = Table(
    name="payment_requests",
    kind="state",
    description="Payment requests: the draft of what is due on an invoice, one per invoice of a payer who is drafted.",
    key=("invoice_key",),
    columns=(
        Column("invoice_key", pl.Int64, "Invoice.", minimum=0),
        Column("account_key", pl.Int64, "Payer.", minimum=0),
        Column(
            "payment_instrument",
            enums.enum(enums.PAYMENT_INSTRUMENTS),
            "How the payer is drafted.",
            values=enums.PAYMENT_INSTRUMENTS,
        ),
        Column("amount", pl.Int64, "What is drafted; follows what is due until it is fixed.", unit="minor units"),
        Column("currency", pl.String, "ISO 4217 code."),
        Column("bill_date", pl.Date, "Day on which the invoice was billed."),
        Column("due_date", pl.Date, "Last day on which a payment of the invoice is in time."),
        Column("request_date", pl.Date, "Day from which it is requested (R-PR-2)."),
        Column("fixed_date", pl.Date, "Day from which it does not change any more (R-PR-4)."),
        Column("draft_date", pl.Date, "Day on which the money is drafted (R-PR-3)."),
        Column(
            "status",
            enums.enum(enums.PAYMENT_REQUEST_STATUSES),
            "How far it has come (R-PR-6).",
            values=enums.PAYMENT_REQUEST_STATUSES,
        ),
        Column("payment_key", pl.Int64, "Payment by which the money came in; 0 until it is drafted.", minimum=0),
    ),
)
