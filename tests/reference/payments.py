"""Money received and distributed (R-DBP-01..05, R-BL-6..7, R-DST, R-SUS-01)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.directions import directions_of, distribute_directed
from tests.reference.distribution import Association, distribute, policy_of_fund
from tests.reference.entities import Account, Invoice, Period, Policy
from tests.reference.refusing import RefusedError
from tests.reference.return_premium import follows_plan
from tests.reference.settling import empty_designated_funds, record_parts
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
    """Distribute payments one after the other, each as it says itself or by what it is for."""
    waiting = [payment for payment, association in received if association is not None]
    waiting = [payment for payment in waiting if payment["distribute"] != "none"]
    while waiting:
        payment = waiting.pop(0)
        distribute_new(model, payment, waiting, today)
    empty_designated_funds(model, today)


def distribute_new(model: Model, payment: dict[str, Any], waiting: list[dict[str, Any]], today: date) -> None:
    """Distribute a payment as it says itself, or by the plan when that cannot be followed (R-DBP-04, R-DBP-09).

    What the default fund held is not the money of payments that wait for their turn.
    """
    account, fund, money = model.accounts[payment["account_id"]], payment["fund_policy_id"], payment["amount"]
    undistributed = [payment, *(other for other in waiting if other["account_id"] == payment["account_id"])]
    reserved = sum(other["amount"] for other in undistributed if other["fund_policy_id"] is None)
    association, spare = payment["association"], max(0, account.funds[None] - reserved)
    try:
        directions = directions_of(model, payment["distribution"] or {})
        if directions is not None:
            return distribute_directed(model, payment, association, directions, money, spare, today)
    except RefusedError:
        pass
    return distribute_fund(model, account, fund, association, money=money, payment=payment, today=today)


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
        "distribution": row.get("distribution"),
        "method": row.get("method"),
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


def distribute_accounts(model: Model, accounts: list[Account], today: date) -> None:
    """Distribute every fund of accounts by what it holds; what recaptures bring meanwhile waits (silent).

    Designated funds first, for their money can pay the items of their policy only; then the default fund (silent).
    """
    funds = [
        (account, fund, account.funds[fund])
        for account in accounts
        for fund in sorted(account.funds, key=lambda policy_id: (policy_id is None, policy_id or ""))
    ]
    for account, fund, money in funds:
        distribute_fund(model, account, fund, Association(), money=money, payment=None, today=today)
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
    payment_id = payment["payment_id"] if payment else None
    record_parts(
        model, account, fund, distribute(items, account.allocation_plan, association, money), payment_id, today
    )
