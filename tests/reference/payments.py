"""Money received and distributed (R-DBP-01..05, R-BL-6..7, R-DST, R-SUS-01)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.distribution import Association, distribute
from tests.reference.entities import Account, Invoice, Item, PaymentItem, Period, Policy
from tests.reference.return_premium import follows_plan
from tests.reference.settling import empty_designated_funds, record
from tests.reference.suspense import match_suspense_payments

if TYPE_CHECKING:
    from tests.reference.model import Model


def take_payments(model: Model, rows: list[dict[str, Any]], today: date) -> None:
    """Receive all payments of the day, find whose those in suspense are, then distribute, oldest first (R-DST-15)."""
    received = receive_all(model, rows, today) + match_suspense_payments(model, today)
    distribute_received(model, sorted(received, key=lambda one: (one[0]["payment_date"], one[0]["payment_id"])), today)


def receive_in_order(model: Model, rows: list[dict[str, Any]], today: date) -> None:
    """Receive payments, then distribute them."""
    distribute_received(model, receive_all(model, rows, today), today)


def receive_all(
    model: Model, rows: list[dict[str, Any]], today: date
) -> list[tuple[dict[str, Any], Association | None]]:
    """Receive payments; those that were booked, each with what it is for."""
    received = []
    for row in rows:
        if row["payment_id"] not in model.all_payments:  # the same id again has no effect
            association = receive(model, row, today)
            payment = model.all_payments.get(row["payment_id"])
            received += [(payment, association)] if payment else []
    return received


def distribute_received(model: Model, received: list[tuple[dict[str, Any], Association | None]], today: date) -> None:
    """Distribute payments one after the other, each by what it is for."""
    for payment, association in received:
        if association is None or payment["distribute"] == "none":
            continue
        account, fund = model.accounts[payment["account_id"]], payment["fund_policy_id"]
        distribute_fund(model, account, fund, association, money=payment["amount"], payment=payment, today=today)
    empty_designated_funds(model, today)


def receive(model: Model, row: dict[str, Any], today: date) -> Association | None:
    """Book one payment; returns what it is for, or None when it is not to be distributed.

    A policy or an invoice of another account, and a term that the policy has not, are disregarded, and such money waits
    in the fund for the next distribution of the account (silent).
    """
    policy = model.policies.get(row.get("policy_id") or "")
    invoice = find_invoice(model, row.get("invoice_id"))
    if row.get("kind") == "agency_bill":
        raise NotImplementedError(row["kind"])
    if row["amount"] <= 0:
        model.reject("payments", row["payment_id"], "the amount is not more than zero", today)
        return None
    payment = {
        "payment_id": row["payment_id"],
        "account_id": row.get("account_id"),
        "policy_id": row.get("policy_id"),
        "term_number": row.get("term_number"),
        "invoice": None,
        "named_invoice": row.get("invoice_id"),
        "association": None,
        "distribute": row.get("distribute"),
        "fund_policy_id": None,
        "amount": row["amount"],
        "payment_date": row.get("payment_date") or today,
        "business_date": today,
        "status": "executed",
    }
    model.all_payments[row["payment_id"]] = payment
    if is_of_nobody(model, row, policy, invoice):  # R-SUS-01, T-03
        payment |= {"status": "suspended", "term_number": None}
        model.posted.suspense_received(payment, today)
        return None
    account, named = paying_account(model, row, policy, invoice), invoice
    invoice = invoice if invoice and invoice.stream.payer is account else None
    period = find_period(policy, row.get("term_number")) if policy else None
    if account.separate_funds and policy and policy.policy_id in account.funds:
        payment["fund_policy_id"] = policy.policy_id  # R-BL-7, R-DBP-03
    payment["account_id"] = account.account_id
    payment["term_number"] = period.term_number if period else None
    payment["invoice"] = invoice
    if period is not None:
        model.named_today.append(period)  # R-DBP-18
    account.funds[payment["fund_policy_id"]] += payment["amount"]
    model.posted.money_received(account, payment["fund_policy_id"], payment, today)
    if is_for_the_unknown(model, row, named):  # R-SUS-01, R-SUS-11: all of it waits until somebody releases it
        item = {"id": row["payment_id"], "payment_id": row["payment_id"], "amount": row["amount"], "status": "open"}
        model.suspense_items.append(item)
        account.funds[payment["fund_policy_id"]] -= row["amount"]
        model.posted.in_suspense(account, payment["fund_policy_id"], payment, row["amount"], today)
        payment["association"] = Association(period, invoice)
        return None
    is_lost = (row.get("policy_id") and (not policy or (row.get("term_number") and not period))) or (
        row.get("invoice_id") and not invoice
    )
    payment["association"] = None if is_lost else Association(period, invoice)
    return payment["association"]


def is_of_nobody(model: Model, row: dict[str, Any], policy: Policy | None, invoice: Invoice | None) -> bool:
    """Whether the payer is not known, or the row says suspense; a policy or an invoice names its payer (R-SUS-01)."""
    if row.get("kind") == "suspense":
        return True
    if row.get("account_id"):
        return row["account_id"] not in model.accounts
    return policy is None and invoice is None


def is_for_the_unknown(model: Model, row: dict[str, Any], invoice: Invoice | None) -> bool:
    """Whether a known payer pays for a policy or an invoice that is not known (R-SUS-01)."""
    names_no_policy = bool(row.get("policy_id")) and row["policy_id"] not in model.policies
    return names_no_policy or (bool(row.get("invoice_id")) and invoice is None)


def find_invoice(model: Model, invoice_key: str | None) -> Invoice | None:
    """The invoice with that key, if any."""
    found = [invoice for invoice in model.every_invoice() if invoice.invoice_key == invoice_key]
    return found[0] if found else None


def paying_account(model: Model, row: dict[str, Any], policy: Policy | None, invoice: Invoice | None) -> Account:
    """The account named, else the owner of the policy, else the payer of the invoice."""
    if row.get("account_id"):
        return model.accounts[row["account_id"]]
    if policy is not None:
        return policy.account
    assert invoice is not None
    return invoice.stream.payer


def find_period(policy: Policy, term_number: int | None) -> Period | None:
    """The term named, if there is one; else the latest one in force, else (all cancelled) the latest one."""
    if term_number is not None:
        return policy.periods.get(term_number)
    in_force = [term for term, period in policy.periods.items() if period.status == "in_force"]
    return policy.periods[max(in_force or policy.periods)]


def distribute_account(model: Model, account: Account, today: date) -> None:
    """Distribute the whole of every fund of an account, with no association (R-DST-16).

    Designated funds first, for their money can pay the items of their policy only; then the default fund (silent).
    """
    designated = sorted(policy_id for policy_id in account.funds if policy_id is not None)
    for policy_id in [*designated, None]:
        distribute_fund(
            model, account, policy_id, Association(), money=account.funds[policy_id], payment=None, today=today
        )
    empty_designated_funds(model, today)


def distribute_fund(
    model: Model,
    account: Account,
    fund: str | None,
    association: Association,
    *,
    money: int,
    payment: dict[str, Any] | None,
    today: date,
) -> None:
    """One distribution out of a fund; a designated one pays only the items of its own policy (R-BL-7)."""
    items = [item for item in account.items if not item.is_held]  # R-CHD-9
    items = [item for item in items if not follows_plan(item)]
    if fund is not None:
        items = [item for item in items if policy_of_fund(item) == fund]
    association = Association(association.period, association.invoice, fund)
    first_half = None
    for part in distribute(items, account.allocation_plan, association, money):
        # A credit pays without a payment, also where a payment is the occasion.
        payment_id = payment["payment_id"] if payment and part.credit is None else None
        paid = PaymentItem(today, account, fund, part.item, part.amount, payment_id, part.credit)
        if part.credit is not None and part.item is part.credit:
            first_half = paid
        elif part.credit is not None and first_half is not None:
            paid.other, first_half.other = first_half, paid
        record(model, paid, today)


def policy_of_fund(item: Item) -> str | None:
    """The policy whose designated fund may pay an item: that of its stream, if it has one (R-BL-15, R-ITM-48)."""
    return item.invoice.stream.policy_id or item.charge.policy_id
