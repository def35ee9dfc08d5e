"""Invoicing fees and invoice fees, charged when an invoice is billed (R-INV-35..38, R-FE, R-BP-6)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tests.reference.entities import Account, Charge, Invoice, Item, Period, Policy, add_item

if TYPE_CHECKING:
    from tests.reference.model import Model


def charge_fees(model: Model, invoices: list[Invoice], today: date) -> None:
    """The fees of invoices that are about to be billed; none of them counts for another one (R-FE-6).

    The invoicing fees of all of them are booked before the invoice fees (silent).
    """
    invoices = sorted(invoices, key=order_of_fees)
    amounts = [sum(item.amount for item in invoice.items) for invoice in invoices]
    for invoice in invoices:
        charge_invoicing_fees(model, invoice, today)
    for invoice, amount in zip(invoices, amounts, strict=True):
        payer = invoice.stream.payer
        fee = payer.billing_plan.get("invoice_fee")
        if fee and amount > 0 and not payer.is_list_bill:  # R-BP-6
            charge_fee(model, invoice, model.carrier["invoice_fee_pattern"], fee, payer, None, today)


def charge_fee(
    model: Model,
    invoice: Invoice,
    pattern: str,
    amount: int,
    owner: Account,
    period: Period | None,
    today: date,
) -> None:
    """A fee: one immediate item on the invoice."""
    policy_id = period.policy.policy_id if period else ""
    charge = Charge(
        instruction_id=None,
        charge_no=None,
        pattern=pattern,
        pattern_data=model.carrier["charge_patterns"][pattern],
        amount=amount,
        charge_date=today,
        effective_date=today,
        owner=owner,
        period=period,
        payer=invoice.stream.payer,
        context="invoicing_fee" if period else "invoice_fee",
        made_as=f"fee/{invoice.invoice_key}/{policy_id}",
    )
    model.add_charge(charge)
    model.posted.initial_charge(charge, today)
    add_item(Item(charge, 1, "onetime", today, charge.amount, invoice), invoice)


def charge_invoicing_fees(model: Model, invoice: Invoice, today: date) -> None:
    """At most one fee per policy on an invoice, as an immediate item of it (R-INV-35..38, R-FE)."""
    pattern = model.carrier["invoicing_fee_pattern"]
    if pattern is None or invoice.stream.payer.billing_plan["skip_installment_fees"]:
        return
    policy_ids = {item.charge.policy_id for item in invoice.items if item.charge.policy_id}
    for policy_id in sorted(policy_ids, key=lambda policy_id: (known_since(model.policies[policy_id]), policy_id)):
        items = [item for item in invoice.items if item.charge.policy_id == policy_id]
        period = period_of_fee(items)
        if period is None or not fee_is_due(items, period):
            continue
        charge_fee(model, invoice, pattern, period.plan["fee_amount"], period.policy.account, period, today)


def order_of_fees(invoice: Invoice) -> tuple[str, int]:
    """By payer, then as its streams were made (silent)."""
    payer = invoice.stream.payer
    return payer.account_id, list(payer.streams.values()).index(invoice.stream)


def known_since(policy: Policy) -> date:
    """The day on which a policy came in: fees of the policies on an invoice are charged in that order (silent)."""
    return min(period.created_on for period in policy.periods.values())


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
