"""Invoices billed and due: held items, low balances, empty invoices first (R-INV-10..18, R-BP-11, R-CHD-6, R-CHD-7)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tests.reference.dates import plus_days
from tests.reference.entities import Invoice, Item, WriteOffItem, move
from tests.reference.fees import charge_fees
from tests.reference.payments import distribute_accounts
from tests.reference.requests import draft_payments, request_payment
from tests.reference.return_premium import pay_with_credits

if TYPE_CHECKING:
    from tests.reference.model import Model


def bill_invoices(model: Model, today: date) -> None:
    """Planned invoices whose bill date has come become Billed; what is drafted is; then the payers' funds."""
    invoices = [invoice for invoice in model.every_invoice() if invoice.status == "Planned"]
    invoices = [invoice for invoice in invoices if invoice.bill_date <= today]  # R-INV-11
    billed = [invoice for invoice in invoices if is_to_be_billed(model, invoice, today)]
    charge_fees(model, billed, today)
    for invoice in billed:
        turn_billed(model, invoice, today)
    for invoice in billed:
        request_payment(model, invoice, today)
    draft_payments(model, today)
    pay_with_credits(model, today)
    distribute_payers(model, billed, today)


def turn_billed(model: Model, invoice: Invoice, today: date) -> None:
    """Planned to Billed, with the full amount of every item (A-5)."""
    invoice.status = "Billed"
    for item in invoice.items:
        model.posted.billed(item, today)


def is_to_be_billed(model: Model, invoice: Invoice, today: date) -> bool:
    """What comes before billing: without items, or with too little on it, an invoice is not billed (R-INV-18)."""
    if not invoice.items:  # R-INV-30
        invoice.stream.invoices.remove(invoice)
        return False
    carry_forward(model, invoice, [item for item in invoice.items if item.charge.held], today)
    if invoice.items and is_low(invoice):
        if invoice.stream.payer.billing_plan["low_balance_method"] == "write_off":
            write_off(model, invoice, today)
            return False
        if invoice.stream.open_invoices(plus_days(today, 1)):  # R-BP-11; R-INV-17 would make the next one
            carry_forward(model, invoice, list(invoice.items), today)
    if not invoice.items:
        invoice.status = "Carried Forward"
    return bool(invoice.items)


def carry_forward(model: Model, invoice: Invoice, items: list[Item], today: date) -> None:
    """Items go to the next planned invoice, or the next one of the cadence (R-CHD-6, R-CHD-7, R-INV-12, R-INV-17)."""
    for item in items:
        move(item, invoice.stream.next_one(plus_days(today, 1), model.business))


def is_low(invoice: Invoice) -> bool:
    """Whether so little is open that the invoice is not worth sending (R-BP-11, R-INV-17)."""
    plan = invoice.stream.payer.billing_plan
    threshold = plan.get("low_balance_threshold") or 0
    return bool(plan.get("suppress_low_balance")) and 0 < invoice.amount_due < threshold


def write_off(model: Model, invoice: Invoice, today: date) -> None:
    """What is open of a suppressed invoice is written off (A-17)."""
    invoice.status = "Written Off"
    for item in invoice.items:
        model.posted.billed(item, today)
        model.posted.due(item, today)
        open_amount = item.unpaid
        if open_amount:
            item.written_off += open_amount
            model.all_write_off_items.append(WriteOffItem(today, "low_balance_invoice", item, open_amount))
            model.posted.written_off(item, open_amount, today)


def make_invoices_due(model: Model, today: date) -> None:
    """Billed invoices whose due date and lag have passed become Due; then likewise (R-INV-14, R-LIF-10)."""
    lag = model.carrier["invoice_due_lag_days"]
    invoices = [invoice for invoice in model.every_invoice() if invoice.status == "Billed"]
    invoices = [invoice for invoice in invoices if plus_days(invoice.due_date, lag) <= today]
    for invoice in invoices:
        invoice.status = "Due"
        for item in invoice.items:
            model.posted.due(item, today)
    pay_with_credits(model, today)
    distribute_payers(model, invoices, today)


def distribute_payers(model: Model, invoices: list[Invoice], today: date) -> None:
    """Distribute the funds of the payers of these invoices (R-DST-16)."""
    payers = sorted({invoice.stream.payer.account_id for invoice in invoices})
    distribute_accounts(model, [model.accounts[account_id] for account_id in payers], today)
