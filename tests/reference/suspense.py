"""Payments of unknown payers: found to be somebody's, or sent back (R-SUS-02..09, R-DSB-5)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.distribution import Association
from tests.reference.entities import Account
from tests.reference.refusing import refuse

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


def match_suspense_payments(model: Model, today: date) -> list[tuple[Row, Association]]:
    """Open ones whose account or policy is known by now are applied to that account (R-SUS-04, R-SUS-06)."""
    applied = []
    for payment in list(model.all_payments.values()):
        if payment["status"] != "suspended" or waits_to_be_sent_back(model, payment):
            continue
        account = named_by(model, payment)
        if account is not None:
            new = apply_to(model, payment, f"{payment['payment_id']}/applied", account, None, today)
            applied.append((new, new["association"]))
    return applied


def named_by(model: Model, payment: Row) -> Account | None:
    """The account whose number a payment has, else the owner of the policy whose number it has (R-SUS-03)."""
    if payment["account_id"]:
        return model.accounts.get(payment["account_id"])
    policy = model.policies.get(payment["policy_id"] or "")
    return policy.account if policy else None


def waits_to_be_sent_back(model: Model, payment: Row) -> bool:
    """Whether a disbursement of it is on its way (decision 030)."""
    asked = [row for row in model.disbursements.values() if row["payment_id"] == payment["payment_id"]]
    return any(row["status"] in ("AwaitingApproval", "Approved") for row in asked)


def check_is_free(model: Model, payment: Row) -> None:
    """Only an open suspense payment that does not wait to be sent back is dealt with (R-SUS-09)."""
    if payment["status"] != "suspended":
        refuse("it is not open in suspense")
    if waits_to_be_sent_back(model, payment):
        refuse("it waits to be sent back")


def apply_to(model: Model, payment: Row, payment_id: str, account: Account, policy_id: str | None, today: date) -> Row:
    """Out of suspense, and received by an account in an equal payment of the same date (T-04).

    For a policy it goes into the designated fund of that, if there is one, but is for none of its periods (R-SUS-06).
    """
    model.posted.suspense_received(payment, today, back=True)
    payment["status"] = "applied"
    new = successor(model, payment, payment_id, today)
    is_designated = account.separate_funds and policy_id in account.funds
    new |= {
        "account_id": account.account_id,
        "policy_id": policy_id,
        "fund_policy_id": policy_id if is_designated else None,
    }
    account.funds[new["fund_policy_id"]] += new["amount"]
    model.posted.money_received(account, new["fund_policy_id"], new, today)
    return new


def successor(model: Model, payment: Row, payment_id: str, today: date) -> Row:
    """A payment of the same money and of the same date in the place of another one; for nothing in particular."""
    new = payment | {
        "payment_id": payment_id,
        "policy_id": None,
        "term_number": None,
        "invoice": None,
        "association": Association(),
        "distribution": None,
        "fund_policy_id": None,
        "business_date": today,
        "status": "executed",
    }
    model.all_payments[payment_id] = new
    return new
