"""Commands about suspense: payments of unknown payers, and parts of payments that are set aside (R-SUS-03..20)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.payments import distribute_fund
from tests.reference.refusing import refuse
from tests.reference.suspense import apply_to, check_is_free
from tests.reference.targets import find_account

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


def edit_suspense_payment(model: Model, row: Row, payment: Row, today: date) -> None:  # noqa: ARG001
    """Who or what it may be for: one number at most, in the place of the one that it has (R-SUS-03, R-SUS-07)."""
    if payment["status"] != "suspended":
        refuse("it is not open in suspense")
    params = row.get("params") or {}
    if params.get("account_number") and params.get("policy_number"):
        refuse("it has one number at most")
    if params.get("account_number") or params.get("policy_number"):
        payment |= {"account_id": params.get("account_number"), "policy_id": params.get("policy_number")}


def apply_suspense_payment(model: Model, row: Row, payment: Row, today: date) -> None:
    """A person says whose it is; for a policy it goes into the fund of that (R-SUS-05, R-SUS-06, T-04)."""
    params = row.get("params") or {}
    check_is_free(model, payment)
    if bool(params.get("account_id")) == bool(params.get("policy_id")):
        refuse("either an account or a policy is named")
    policy_id = params.get("policy_id")
    if policy_id:
        policy = model.policies.get(policy_id)
        if policy is None:
            refuse("unknown policy")
        account = policy.account
    else:
        account = find_account(model, params["account_id"])
    new = apply_to(model, payment, f"{payment['payment_id']}/{row['command_id']}", account, policy_id, today)
    if new["distribute"] != "none":
        fund, association = new["fund_policy_id"], new["association"]
        distribute_fund(model, account, fund, association, money=new["amount"], payment=new, today=today)


def create_suspense_item(model: Model, row: Row, payment: Row, today: date) -> None:
    """A part of a payment that is neither applied nor set aside goes to suspense (R-SUS-11, R-SUS-12, T-09).

    No more than its fund still has: what was left of a payment may have gone its way without it (silent).
    """
    if payment["status"] != "executed":
        refuse("only a part of a payment that stands is set aside")
    in_fund = model.accounts[payment["account_id"]].funds[payment["fund_policy_id"]]
    if not 0 < row["amount"] <= min(left_of(model, payment), in_fund):
        refuse("more than zero and no more than is left is set aside")
    item = {"id": row["command_id"], "payment_id": payment["payment_id"], "amount": row["amount"], "status": "open"}
    model.suspense_items.append(item)
    set_aside(model, payment, item["amount"], today)


def left_of(model: Model, payment: Row) -> int:
    """What of a payment is neither applied nor in suspense."""
    applied = sum(part.amount for part in model.all_payment_items if part.payment_id == payment["payment_id"])
    return int(payment["amount"] - applied - sum(item["amount"] for item in open_items(model, payment)))


def open_items(model: Model, payment: Row) -> list[Row]:
    """The suspense items of a payment that have not ended."""
    items = [item for item in model.suspense_items if item["payment_id"] == payment["payment_id"]]
    return [item for item in items if item["status"] == "open"]


def set_aside(model: Model, payment: Row, amount: int, today: date) -> None:
    """Money goes from the fund of a payment to suspense, or back when it is negative."""
    account, fund = model.accounts[payment["account_id"]], payment["fund_policy_id"]
    account.funds[fund] -= amount
    model.posted.in_suspense(account, fund, payment, amount, today)


def release_suspense_items(model: Model, row: Row, payment: Row, today: date) -> None:
    """The money is in the fund again, and is distributed as the payment was (R-SUS-13, R-SUS-14, T-10)."""
    waiting = open_items(model, payment)
    wanted = (row.get("params") or {}).get("items")
    if wanted is not None and {*wanted} - {item["id"] for item in waiting}:
        refuse("no such suspense item")
    released = [item for item in waiting if wanted is None or item["id"] in wanted]
    if not released:
        refuse("nothing is set aside")
    amount = end(model, payment, released, "released", today)
    account, fund, association = (
        model.accounts[payment["account_id"]],
        payment["fund_policy_id"],
        payment["association"],
    )
    if association is not None and payment["distribute"] != "none":
        distribute_fund(model, account, fund, association, money=amount, payment=payment, today=today)


def end(model: Model, payment: Row, items: list[Row], status: str, today: date) -> int:
    """Suspense items end; their money is in the fund again."""
    for item in items:
        item["status"] = status
        set_aside(model, payment, -item["amount"], today)
    return sum(item["amount"] for item in items)
