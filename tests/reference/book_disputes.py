"""Commands that random books leave out, because the engine and the model are known to see them differently."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tests.reference.book_list_bill import has_stream
from tests.reference.book_plans import PAYMENT_PLANS, Row
from tests.reference.entities import Charge, Invoice
from tests.reference.targets import find_target

if TYPE_CHECKING:
    from tests.reference.model import Model


def is_in_dispute(model: Model, row: Row, today: list[Row], day: date, features: dict[str, bool]) -> bool:
    """Whether a command may lead there; ``today`` are rows of the same day that name other payers of charges."""
    if row["command_type"] == "move_invoice_item":
        is_there = is_to_account_level(model, row["params"]["invoice_id"])
        return is_there and not features["policy_items_on_account_level_streams"]
    if row["command_type"] == "hold_charge":
        return is_back_on_an_invoice_of(model, row["target_id"], day) and not features["holds_on_empty_billing_days"]
    plan = (row.get("params") or {}).get("payment_plan")
    if plan not in PAYMENT_PLANS or features["list_bill_payers_without_a_stream"]:
        return False
    payers = [model.accounts.get(str(other.get("payer_account_id"))) for other in today]
    for charge in model.all_charges:
        period = charge.period
        if period is not None and period.policy.policy_id == row["target_id"] and charge.payer is not period.payer:
            payers.append(charge.payer)
    lists = [payer for payer in payers if payer is not None and payer.is_list_bill]
    return not all(has_stream(payer.row, plan) for payer in lists)


def is_to_account_level(model: Model, invoice_key: str) -> bool:
    """Whether an invoice is for charges of a list bill account itself only (R-LB-06)."""
    invoice = find_target(model, "invoice", invoice_key)
    return isinstance(invoice, Invoice) and invoice.stream.is_account_level_only


def is_back_on_an_invoice_of(model: Model, charge_key: str, day: date) -> bool:
    """Whether something billed of a charge would come back on an invoice of the day, and that has nothing else."""
    charge = find_target(model, "charge", charge_key)
    if not isinstance(charge, Charge):
        return False
    streams = [item.invoice.stream for item in charge.items if not item.is_planned]
    invoices = [stream.next_one(day, model.business) for stream in streams]
    return any(invoice.bill_date == day and not invoice.items for invoice in invoices)
