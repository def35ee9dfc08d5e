"""What a command is about: by the references that the model and the engine's harness both understand.

A stream is ``payer|policy|periodicity``, an invoice its stream and ``|`` the date of its cadence, a charge its key
(``instruction/number``), an item its charge and ``#`` its number. Payments, credits
and disbursements are rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.reference.entities import Account, Charge, Invoice, Item, Period, Policy, Stream
from tests.reference.refusing import refuse

if TYPE_CHECKING:
    from tests.reference.model import Model

OF_NOBODY = ("suspended", "applied", "disbursed")
"""Statuses of payments in suspense, or that were (R-SUS-09)."""

Target = Account | Policy | Charge | Item | Invoice | Stream
Row = dict[str, Any]


def find_target(model: Model, target_type: str, target_id: str) -> Target | Row | None:
    """The thing with that reference, if there is one."""
    if target_type == "account":
        return model.accounts.get(target_id)
    if target_type == "policy":
        return model.policies.get(target_id)
    named = {
        "payment": model.all_payments,
        "ad_hoc_credit": model.ad_hoc_credits,
        "disbursement": model.disbursements,
        "credit_distribution": model.credit_distributions,
    }
    if target_type in named:
        return named[target_type].get(target_id)
    found: list[Target] = []
    if target_type == "charge":
        found += [charge for charge in model.all_charges if charge.charge_key == target_id]
    elif target_type == "invoice_item":
        found += [item for item in model.every_item() if reference_of(item) == target_id]
    elif target_type == "invoice":
        found += [invoice for invoice in model.every_invoice() if invoice.invoice_key == target_id]
    elif target_type == "invoice_stream":
        found += [stream for stream in model.every_stream() if stream.stream_key == target_id]
    return found[0] if found else None


def reference_of(item: Item) -> str:
    """How an item is named in commands."""
    return f"{item.charge.charge_key}#{item.item_no}"


def queue_of(target: Target | Row) -> str:
    """In whose order of commands a target is; a payment without a payer is on its own, with what is sent back of it."""
    if isinstance(target, dict):
        is_of_nobody = target["account_id"] is None or target["status"] in OF_NOBODY
        return str(target["payment_id"] if is_of_nobody else target["account_id"])
    return account_of(target).account_id


def account_of(target: Target) -> Account:
    """Whose a target is: its account, its owner, or its payer."""
    match target:
        case Account():
            return target
        case Policy():
            return target.account
        case Charge():
            return target.owner
        case Item():
            return target.payer
        case Invoice():
            return target.stream.payer
        case Stream():
            return target.payer


def find_account(model: Model, account_id: str | None) -> Account:
    """An account that a command names; it must be known."""
    account = model.accounts.get(account_id or "")
    if account is None:
        refuse("unknown account")
    return account


def period_of(policy: Policy, term_number: int | None) -> Period:
    """The term that a command names; else the latest one in force, else (all cancelled) the latest one."""
    if term_number is not None:
        if term_number not in policy.periods:
            refuse("unknown term")
        return policy.periods[term_number]
    in_force = [term for term, period in policy.periods.items() if period.status == "in_force"]
    return policy.periods[max(in_force or policy.periods)]
