"""Commands about parts of payments that are set aside until it is known what they are for (R-SUS-11..14, R-SUS-20)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.payments import distribute_fund
from tests.reference.refusing import refuse

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


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
