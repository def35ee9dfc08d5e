"""Commands about what will not be collected, and what will not be paid out (R-WO-1..9, R-ENT-16)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.command_refunds import waiting_to_be_paid_out
from tests.reference.distribution import share_pro_rata
from tests.reference.entities import Account, Charge, Item, Policy, WriteOffItem
from tests.reference.refusing import refuse
from tests.reference.settling import take_back_write_off

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


def write_off(model: Model, row: Row, target: Account | Policy | Charge | Item, today: date) -> None:
    """What is open of items is not collected, the oldest first (R-WO-1, R-WO-6)."""
    params = row.get("params") or {}
    items = [item for item in items_of(model, target, params) if item.unpaid > 0]
    total = sum(item.unpaid for item in items)
    amount = total if row.get("amount") is None else row["amount"]
    if not 0 < amount <= total:
        refuse("more than zero and no more than is open is written off")
    for event_date in sorted({item.event_date for item in items}):
        alike = sorted((item for item in items if item.event_date == event_date), key=lambda item: item.order)
        for item, part in share_pro_rata(amount, alike):
            amount -= part
            if part:
                item.written_off += part
                reason = params.get("write_off_reason") or "uncollectible"
                model.all_write_off_items.append(WriteOffItem(today, reason, item, part, row["command_id"]))
                model.posted.written_off(item, part, today)


def items_of(model: Model, target: Account | Policy | Charge | Item, params: Row) -> list[Item]:
    """The items of what a write-off is about: of all charges that it owns, or those of a pattern or a term (R-WO-2)."""
    if isinstance(target, Item):
        return [target]
    if isinstance(target, Charge):
        return target.items
    charges = [charge for charge in model.all_charges if charge.owner is target]
    if isinstance(target, Policy):
        charges = [charge for charge in model.all_charges if charge.period and charge.period.policy is target]
        charges = [charge for charge in charges if params.get("term_number") in (None, charge.term_number)]
    if params.get("charge_pattern"):
        charges = [charge for charge in charges if charge.pattern == params["charge_pattern"]]
    return [item for charge in charges for item in charge.items]


def reverse_write_off(model: Model, row: Row, target: Account | Policy | Charge | Item, today: date) -> None:  # noqa: ARG001
    """What a command wrote off is open again (R-WO-9)."""
    written = [part for part in model.all_write_off_items if part.command_id == row["params"]["command"]]
    written = [part for part in written if not part.is_undone]
    if not written:
        refuse("no such write-off")
    for part in written:
        take_back_write_off(model, part, today)


def write_off_surplus(model: Model, row: Row, account: Account, today: date) -> None:
    """Money of a fund is kept (R-WO-7, A-WO-4)."""
    fund, amount = (row.get("params") or {}).get("policy_id"), row["amount"]
    if fund not in account.funds:
        refuse("the account has no such fund")
    if not 0 < amount <= account.funds[fund] - waiting_to_be_paid_out(model, account, fund):
        refuse("no more is kept than there is")
    account.funds[fund] -= amount
    model.posted.surplus_kept(account, fund, amount, today)
    model.surplus_kept[row["command_id"]] = (account, fund, amount)


def reverse_surplus_write_off(model: Model, row: Row, account: Account, today: date) -> None:
    """What was kept is in its fund again, once (R-WO-8, A-WO-5)."""
    kept = model.surplus_kept.get(row["params"]["command"])
    if kept is None or kept[0] is not account:
        refuse("no such write-off")
    _, fund, amount = model.surplus_kept.pop(row["params"]["command"])
    account.funds[fund] += amount
    model.posted.surplus_kept(account, fund, -amount, today)
