"""Commands that let credits and funds pay by hand; no new money comes in (R-CD-1..6).

A credit distribution is the stretch of payment items that it made (decision 032).
"""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tests.reference.command_refunds import chosen_fund, waiting_to_be_paid_out
from tests.reference.distribution import Applied
from tests.reference.entities import Account, Item, PaymentItem
from tests.reference.refusing import refuse
from tests.reference.return_premium import (
    allocate,
    by_date,
    follows_plan,
    one_after_the_other,
    order_of_charge,
    pay_first_to_last,
    scheme_of,
)
from tests.reference.settling import record, record_parts, undo
from tests.reference.targets import find_target

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


def distribute_credits(model: Model, row: Row, account: Account, today: date) -> None:
    """A fund and negative items pay items by amounts per item (R-CD-3)."""
    fund = chosen_fund(account, row["params"])
    first = len(model.all_payment_items)
    apply_amounts(model, account, fund, row["params"]["items"], today)
    remember(model, row, account, "ByHand", first, fund)


def remember(model: Model, row: Row, account: Account, kind: str, first: int, fund: str | None = None) -> None:
    """A credit distribution is known by its command, with the payment items made since the first."""
    model.credit_distributions[row["command_id"]] = {
        "account_id": account.account_id,
        "kind": kind,
        "fund_policy_id": fund,
        "status": "Executed",
        "parts": model.all_payment_items[first:],
    }


def apply_amounts(model: Model, account: Account, fund: str | None, amounts: list[Row], today: date) -> None:
    """Negative items feed the positive ones through the fund; what is not needed stays there (R-CD-4)."""
    items = [open_item(model, account, one["item_id"]) for one in amounts]
    if len({id(item) for item in items}) < len(items):
        refuse("an item is named twice")
    shares = [(item, one["amount"]) for item, one in zip(items, amounts, strict=True)]
    if any(abs(amount) > abs(item.unpaid) or amount * item.unpaid < 0 for item, amount in shares):
        refuse("an amount has the sign of its item, and is no more than is open of it")
    if sum(amount for _, amount in shares) > free(model, account, fund):
        refuse("no more is distributed than there is")
    parts = [Applied(item, amount) for item, amount in shares if amount]
    for part in parts:
        part.item.paid += part.amount
    record_parts(model, account, fund, parts, None, today)


def open_item(model: Model, account: Account, reference: str) -> Item:
    """An item that an account pays and that is not held back."""
    item = find_target(model, "invoice_item", reference)
    if not isinstance(item, Item) or item.payer is not account or item.is_held:
        refuse("the item is not known, is paid by another account or is held back")
    return item


def free(model: Model, account: Account, fund: str | None) -> int:
    """What a fund has that does not wait to be paid out."""
    return account.funds[fund] - waiting_to_be_paid_out(model, account, fund)


def distribute_default_fund(model: Model, row: Row, account: Account, today: date) -> None:
    """An amount of the default fund pays the open items first to last (R-CD-5)."""
    if not 0 < row["amount"] <= free(model, account, None):
        refuse("more than nothing and no more than there is, is distributed")
    first = len(model.all_payment_items)
    items = [item for item in account.items if item.amount > 0 and item.unpaid > 0 and not item.is_held]
    for item, amount in one_after_the_other(row["amount"], sorted(items, key=by_date), "first_to_last"):
        if amount:
            item.paid += amount
            record(model, PaymentItem(today, account, None, item, amount), today)
    remember(model, row, account, "DefaultFund", first)


def distribute_negative_items(model: Model, row: Row, account: Account, today: date) -> None:
    """Negative items pay by their plan whatever its timing, else the earliest items first (R-CD-5)."""
    items = [open_item(model, account, reference) for reference in row["params"]["items"]]
    if not items or len({id(item) for item in items}) < len(items) or any(item.unpaid >= 0 for item in items):
        refuse("open negative items are named, each once")
    first = len(model.all_payment_items)
    order = order_of_charge(model)
    for charge, slices in groupby(sorted(items, key=lambda item: order(item.charge)), key=lambda item: item.charge):
        of_charge = list(slices)
        if follows_plan(of_charge[0]):
            allocate(model, of_charge, scheme_of(charge), today)
        else:
            pay_first_to_last(model, of_charge, today)
    remember(model, row, account, "NegativeItems", first)


def modify_credit_distribution(model: Model, row: Row, distribution: Row, today: date) -> None:
    """All old amounts are taken back and others applied, out of the same fund (R-CD-6)."""
    if distribution["kind"] != "ByHand":
        refuse("only a distribution by amounts is changed")
    take_back(model, distribution, today)
    account = model.accounts[distribution["account_id"]]
    fund = distribution["fund_policy_id"] if account.separate_funds else None
    first = len(model.all_payment_items)
    apply_amounts(model, account, fund, row["params"]["items"], today)
    distribution["parts"] = model.all_payment_items[first:]


def reverse_credit_distribution(model: Model, row: Row, distribution: Row, today: date) -> None:  # noqa: ARG001
    """What it applied and still stands is taken back, once (R-CD-6)."""
    take_back(model, distribution, today)
    distribution["status"] = "Reversed"


def take_back(model: Model, distribution: Row, today: date) -> None:
    """What a credit distribution applied and still stands goes back."""
    if distribution["status"] != "Executed":
        refuse("it was taken back before")
    for part in distribution["parts"]:
        if not part.is_undone:
            undo(model, part, today)
