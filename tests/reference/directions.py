"""A payment whose distribution somebody directs, in place of the plan of its account (R-DBP-04, R-DBP-06..12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.distribution import Applied, Association, eligible_items, pay, policy_of_fund, share_in_order
from tests.reference.entities import Account, Invoice, Item, Policy
from tests.reference.refusing import refuse
from tests.reference.return_premium import follows_plan
from tests.reference.settling import record_parts
from tests.reference.targets import find_target

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]
Target = Policy | Invoice | Item
FILTERS = {
    "billed": ["billed_or_due"],
    "past_due": ["past_due"],
    "under_contract": [],
    "next_invoice": ["next_planned_invoice"],
}
"""R-DBP-10: the filters in place of those of the plan."""
WORDS = ("allocate", "include", "exclude", "include_only", "select_where", "select_is", "use_default_unapplied")


@dataclass
class Directions:
    """What a person says about one distribution."""

    allocate: list[tuple[Target | None, int]] = field(default_factory=list)
    include: list[Item] = field(default_factory=list)
    exclude: list[Item] = field(default_factory=list)
    include_only: str | None = None
    select_where: str = "payer"
    select_is: str = "account"
    use_default_unapplied: bool = False


def directions_of(model: Model, row: Row) -> Directions | None:
    """What a row says about its distribution; None when it leaves all to the plan. All that it names is known."""
    said = {name: row[name] for name in WORDS if row.get(name) is not None}
    if not said:
        return None
    for name in ("include", "exclude"):
        items = [known(model, "invoice_item", reference) for reference in said.get(name, [])]
        said[name] = [item for item in items if item is not None]
    targets = said.get("allocate", [])
    said["allocate"] = [(known(model, one["target_type"], one["target_id"]), one["amount"]) for one in targets]
    return Directions(**said)


def known(model: Model, target_type: str, target_id: str) -> Any:
    """A policy, an invoice or an item that there is; None for an item that was removed (silent)."""
    target = find_target(model, target_type, target_id)
    key, _, number = target_id.partition("#")
    charges = [charge for charge in model.all_charges if target_type == "invoice_item" and charge.charge_key == key]
    if target is None and not any(0 < int(number) <= charge.last_item_no for charge in charges):
        refuse("what money is allocated to, included or excluded is not known")
    return target


def distribute_directed(
    model: Model, payment: Row, association: Association, directions: Directions, money: int, spare: int, today: date
) -> None:
    """Distribute a payment as it is said: what is allocated first, the rest over the other items (R-DBP-08).

    ``spare`` is what of the default fund may be spent after the money of the payment itself (R-DBP-04).
    """
    account, fund = model.accounts[payment["account_id"]], payment["fund_policy_id"]
    association = Association(association.period, association.invoice, fund)
    spare = spare if directions.use_default_unapplied else 0
    check_amounts(model, payment, directions, spare)
    amounts = [amount for _, amount in directions.allocate]
    for purse, payment_id in (
        (Purse(account, fund, money, fund), payment["payment_id"]),
        (Purse(account, None, spare, fund), None),
    ):
        for number, (target, _) in enumerate(directions.allocate):
            amount = min(amounts[number], purse.money)
            amounts[number] -= amount
            purse.money -= amount
            applied = spend(model, purse, directions, target, amount, association)
            record_parts(model, account, purse.fund, applied, payment_id, today)
        if payment_id or spare:
            applied = spend_the_rest(model, purse, directions, association)
            record_parts(model, account, purse.fund, applied, payment_id, today)


def check_amounts(model: Model, payment: Row, directions: Directions, spare: int) -> None:
    """No more is allocated than the payment, but for what is set aside, and the default fund have (R-DBP-04, 09)."""
    amounts = [amount for _, amount in directions.allocate]
    aside = [item for item in model.suspense_items if item["payment_id"] == payment["payment_id"]]
    most = payment["amount"] - sum(item["amount"] for item in aside if item["status"] == "open")
    most += spare if directions.use_default_unapplied else 0
    if any(amount < 0 for amount in amounts) or sum(amounts) > most:
        refuse("no more than there is can be allocated, and nothing below zero (R-DBP-09)")


@dataclass
class Purse:
    """Money of one fund that is spent in a distribution."""

    account: Account
    fund: str | None
    money: int
    policy_id: str | None

    def can_pay(self, item: Item) -> bool:
        """Whether it may pay an item: with a payment in a designated fund those of that policy only (R-BL-7)."""
        return self.policy_id is None or policy_of_fund(item) == self.policy_id


def spend(
    model: Model, purse: Purse, directions: Directions, target: Target | None, amount: int, association: Association
) -> list[Applied]:
    """Spread an amount inside its target, in the order of the plan; what it cannot take stays in the fund.

    Items are excluded from what is spent automatically only (R-DBP-06), but one of no amount altogether (R-DBP-07).
    """
    items = [item for item in items_of(model, target) if item.unpaid > 0 and purse.can_pay(item)]
    items = [item for item in items if (item, 0) not in directions.allocate]
    items = [item for item in items if not item.is_held or item is target or item in directions.include]
    applied = []
    for item, part in share_in_order(amount, items, purse.account.allocation_plan["orders"], association):
        item.paid += part
        applied += [Applied(item, part)] * bool(part)
    return applied


def spend_the_rest(model: Model, purse: Purse, directions: Directions, association: Association) -> list[Applied]:
    """Spend what is not allocated on what the plan, or what is said in its place, lets pay (R-DBP-08, R-DBP-10)."""
    plan = purse.account.allocation_plan
    if directions.include_only is not None:
        plan = plan | {"filters": FILTERS[directions.include_only]}
    pool = [item for item in selected(model, purse.account, directions) if not item.is_held]
    candidates = eligible_items(pool, plan, association)
    candidates += [item for item in directions.include if item.unpaid and item not in candidates]
    taken = [item for target, _ in directions.allocate for item in items_of(model, target)]
    candidates = [item for item in candidates if item not in taken and item not in directions.exclude]
    candidates = [item for item in candidates if purse.can_pay(item) and not follows_plan(item)]
    return pay(candidates, plan["orders"], association, purse.money)


def selected(model: Model, account: Account, directions: Directions) -> list[Item]:
    """The items that an account and its sub-accounts pay or own (R-DBP-11)."""
    accounts = [account] * (directions.select_is != "sub_accounts")
    if directions.select_is != "account":
        accounts += [other for other in model.accounts.values() if other.parent_id == account.account_id]
    where = directions.select_where
    return [
        item
        for item in model.every_item()
        if (where != "owner" and item.payer in accounts) or (where != "payer" and item.charge.owner in accounts)
    ]


def items_of(model: Model, target: Target | None) -> list[Item]:
    """The items of what an amount is allocated to, whoever pays them (R-DBP-12)."""
    match target:
        case None:
            return []
        case Item():
            return [target]
        case Invoice():
            return list(target.items)
    return [item for item in model.every_item() if item.charge.period and item.charge.period.policy is target]
