"""Views of what an invoice shows: its items, summed up in each of the five ways of a billing plan (R-BP-9, R-BP-10)."""

from __future__ import annotations

from dataclasses import replace

from schemas import enums
from schemas.declare import Column
from schemas.reports.columns import (
    CHARGE_ID,
    CONTEXT,
    CURRENCY,
    ITEM_ID,
    ITEM_MONEY,
    PAYER_ID,
    POLICY_ID,
    TERM_NUMBER,
    Report,
    text,
)
from schemas.reports.plans import AGGREGATIONS

_INVOICE = (text("invoice_id", "Invoice."), PAYER_ID, POLICY_ID)
_CATEGORY = text("category", "Category of the charge pattern.", nullable=True, values=enums.CHARGE_CATEGORIES)
_CHARGE_GROUP = text("charge_group", "Charge group; charges without one share a line.", nullable=True)


def _lines(grouping: str, description: str, *columns: Column) -> Report:
    return Report(
        name=f"invoice_lines_{grouping}",
        description=f"Lines of invoices: {description} (R-BP-9).",
        columns=(*_INVOICE, *columns, CURRENCY, *ITEM_MONEY),
    )


INVOICE_LINES = Report(
    name="invoice_lines",
    description="Lines of invoices as the billing plan of the payer sums them up (R-BP-9), the rest left empty.",
    columns=(
        *_INVOICE,
        text("aggregation", "What a line sums up.", nullable=True, values=AGGREGATIONS),
        CONTEXT,
        _CATEGORY,
        _CHARGE_GROUP,
        CHARGE_ID,
        ITEM_ID,
        CURRENCY,
        *ITEM_MONEY,
    ),
)

LINES = (
    INVOICE_LINES,
    _lines("policies", "one per policy"),
    _lines("contexts", "one per policy and context", CONTEXT),
    _lines("categories", "one per policy, context and category", CONTEXT, _CATEGORY),
    _lines("charge_groups", "one per policy and charge group", _CHARGE_GROUP),
    _lines(
        "charges",
        "one per item",
        TERM_NUMBER,
        CONTEXT,
        _CATEGORY,
        _CHARGE_GROUP,
        replace(CHARGE_ID, nullable=False),
        replace(ITEM_ID, nullable=False),
        text("charge_pattern", "Charge pattern of the charge."),
    ),
)
"""In the order of the data dictionary."""
