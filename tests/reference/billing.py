"""Invoices billed and due, invoicing fees, premium earned (R-INV-10..14, R-INV-35..38, R-FE, R-TXN-30)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tests.reference.dates import is_last_day_of_month, plus_days
from tests.reference.entities import Charge, Invoice, Item, Period
from tests.reference.payments import distribute_account

if TYPE_CHECKING:
    from tests.reference.model import Model


def bill_invoices(model: Model, today: date) -> None:
    """Planned invoices whose bill date has come become Billed; then their payers' funds are distributed."""
    invoices = [invoice for invoice in model.every_invoice() if invoice.status == "Planned"]
    invoices = [invoice for invoice in invoices if invoice.bill_date <= today]  # R-INV-11
    for invoice in invoices:
        charge_invoicing_fees(model, invoice, today)
        invoice.status = "Billed"
        for item in invoice.items:
            model.posted.item_moves("ChargeBilled", item, "Billed", "Unbilled", today)
    distribute_payers(model, invoices, today)


def make_invoices_due(model: Model, today: date) -> None:
    """Billed invoices whose due date and lag have passed become Due; then likewise (R-INV-14, R-LIF-10)."""
    lag = model.carrier["invoice_due_lag_days"]
    invoices = [invoice for invoice in model.every_invoice() if invoice.status == "Billed"]
    invoices = [invoice for invoice in invoices if plus_days(invoice.due_date, lag) <= today]
    for invoice in invoices:
        invoice.status = "Due"
        for item in invoice.items:
            model.posted.item_moves("ChargeDue", item, "Due", "Billed", today)
    distribute_payers(model, invoices, today)


def distribute_payers(model: Model, invoices: list[Invoice], today: date) -> None:
    """Distribute the funds of the payers of these invoices (R-DST-16)."""
    for account_id in sorted({invoice.stream.payer.account_id for invoice in invoices}):
        distribute_account(model, model.accounts[account_id], today)


def charge_invoicing_fees(model: Model, invoice: Invoice, today: date) -> None:
    """At most one fee per policy on an invoice, as an immediate item of it (R-INV-35..38, R-FE)."""
    pattern = model.carrier["invoicing_fee_pattern"]
    if pattern is None or invoice.stream.payer.billing_plan["skip_installment_fees"]:
        return
    for policy_id in sorted({item.charge.policy_id for item in invoice.items if item.charge.policy_id}):
        items = [item for item in invoice.items if item.charge.policy_id == policy_id]
        period = period_of_fee(items)
        if period is None or not fee_is_due(items, period):
            continue
        charge = Charge(
            instruction_id=None,
            charge_no=None,
            fee_of=invoice,
            pattern=pattern,
            pattern_data=model.carrier["charge_patterns"][pattern],
            amount=period.plan["fee_amount"],
            charge_date=today,
            effective_date=today,
            owner=period.policy.account,
            period=period,
            payer=invoice.stream.payer,
            context="invoicing_fee",
        )
        model.add_charge(charge)
        model.posted.initial_charge(charge, today)
        invoice.stream.place(Item(charge, 1, "onetime", today, charge.amount, invoice), invoice)


def period_of_fee(items: list[Item]) -> Period | None:
    """The latest-effective period that has a pro rata item there: its plan gives the fee (R-FE-8)."""
    pro_rata = [item.charge for item in items if item.charge.pattern_data["subtype"] == "pro_rata"]
    periods = [charge.period for charge in pro_rata if charge.period is not None]
    return max(periods, key=lambda period: (period.start, period.term_number), default=None)


def fee_is_due(items: list[Item], period: Period) -> bool:
    """The conditions on the items of the policy on the invoice (R-INV-35, R-INV-37)."""
    if not period.plan["fee_amount"]:
        return False
    if sum(item.amount for item in items) <= 0:
        return False
    types = {item.item_type for item in items}
    only_down_payment = "deposit" in types and "installment" not in types
    return not (period.plan["skip_fee_for_down_payments"] and only_down_payment)


def earn(model: Model, today: date) -> None:
    """Post what pro rata charges have earned since the last posting (R-TXN-30)."""
    interval = model.carrier["earning_interval"]
    if interval == "none" or (interval == "month_end" and not is_last_day_of_month(today)):
        return
    for charge in model.all_charges:
        if charge.pattern_data["subtype"] == "pro_rata":
            earned = earned_by_close_of(charge, today)
            model.posted.earned(charge, earned - charge.earned, today)
            charge.earned = earned


def earned_by_close_of(charge: Charge, today: date) -> int:
    """Straight line from the charge's effective date to the end of cover, rounded half away from zero."""
    assert charge.period is not None
    # A charge that takes effect when cover has ended, or later, is earned on the last day of cover (silent).
    start = min(charge.effective_date, plus_days(charge.period.coverage_end, -1))
    total_days = (charge.period.coverage_end - start).days
    days = min(max((today - start).days + 1, 0), total_days)
    magnitude = (2 * abs(charge.amount) * days + total_days) // (2 * total_days)
    return magnitude if charge.amount >= 0 else -magnitude
