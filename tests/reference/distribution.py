"""Who gets the money: filters, orders, negatives first, ties pro rata (R-PAP-06..12, R-DST-03..09)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.reference.entities import Invoice, Item, Period

STATUS_RANK = {"Due": 0, "Billed": 1, "Planned": 2}
PRIORITY_RANK = {"high": 0, "medium": 1, "low": 2}


@dataclass
class Association:
    """What a payment is for; nothing for money already in a fund (R-PAP-02). And out of whose designated fund it comes.

    What refills that fund is paid whatever the period that the payment is for (R-RC-7).
    """

    period: Period | None = None
    invoice: Invoice | None = None
    fund_policy_id: str | None = None


@dataclass
class Applied:
    """What one step of a distribution paid of an item; negative on a negative item, which is the ``credit`` then."""

    item: Item
    amount: int
    credit: Item | None = None


def status_in_paying(invoice: Invoice) -> str:
    """The status of an invoice; one that was written off was due (A-17), if something of it is open again (silent)."""
    return "Due" if invoice.status == "Written Off" else invoice.status


def passes(item: Item, name: str, association: Association) -> bool:
    """One filter (R-PAP-08)."""
    invoice = item.invoice
    if name == "billed_or_due":
        return status_in_paying(invoice) in ("Billed", "Due")
    if name == "invoice":
        return association.invoice is None or invoice is association.invoice
    if name == "next_planned_invoice":
        return status_in_paying(invoice) in ("Billed", "Due") or invoice is invoice.stream.next_planned()
    if name == "past_due":
        return status_in_paying(invoice) == "Due"
    if name == "policy_period":
        is_refill = item.charge.fund_policy_id is not None and association.fund_policy_id is not None
        return is_refill or association.period is None or item.charge.period is association.period
    assert name == "positive"
    return True  # negative items are credits and are not excluded by it (R-DST-03)


def eligible_items(items: list[Item], plan: dict[str, Any], association: Association) -> list[Item]:
    """The items that are not fully paid and pass every filter (R-PAP-06)."""
    return [
        item for item in items if item.unpaid != 0 and all(passes(item, name, association) for name in plan["filters"])
    ]


def order_value(item: Item, name: str, association: Association) -> Any:
    """The sort value of an item under one order (R-PAP-10, R-PAP-11)."""
    invoice = item.invoice
    bill_date = invoice.bill_date
    other_invoice = association.invoice is not None and invoice is not association.invoice
    values = {
        "billed_date": bill_date.toordinal(),
        "reverse_billed_date": -bill_date.toordinal(),
        "billed_status": STATUS_RANK[status_in_paying(invoice)],
        "charge_pattern": PRIORITY_RANK[item.charge.pattern_data["priority"]],
        "event_date": item.event_date.toordinal(),
        "reverse_event_date": -item.event_date.toordinal(),
        "invoice": (other_invoice, bill_date, invoice.due_date, invoice.invoice_key),
        "policy_period": order_of_period(item.charge.period, association),
        "recapture_charges": item.charge.pattern_data["subtype"] != "recapture",
    }
    return values[name]


def order_of_period(period: Period | None, association: Association) -> Any:
    """The payment's period, then effective date, then policy; items without a period come last (silent)."""
    if period is None:
        return True, True, 0, ""
    other = association.period is not None and period is not association.period
    return other, False, period.start.toordinal(), period.policy.policy_id


def share_pro_rata(available: int, items: list[Item]) -> list[tuple[Item, int]]:
    """Items equal on the whole key share by unpaid balance, largest remainder first (R-DST-06, R-DST-07)."""
    total = sum(abs(item.unpaid) for item in items)
    if available >= total:
        return [(item, abs(item.unpaid)) for item in items]
    floors = [available * abs(item.unpaid) // total for item in items]
    remainders = [available * abs(item.unpaid) % total for item in items]
    positions = sorted(range(len(items)), key=lambda n: (-remainders[n], items[n].order))
    for position in positions[: available - sum(floors)]:
        floors[position] += 1
    return list(zip(items, floors, strict=True))


def share_evenly(available: int, items: list[Item]) -> list[tuple[Item, int]]:
    """Equal amounts per item, each up to its balance, the overflow again among the others (R-PAP-12)."""
    open_items = sorted(items, key=lambda item: item.order)
    result: list[tuple[Item, int]] = []
    while open_items:
        share = available // len(open_items)
        capped = [item for item in open_items if abs(item.unpaid) <= share]
        if not capped:
            odd = available - share * len(open_items)
            return result + [(item, share + (1 if n < odd else 0)) for n, item in enumerate(open_items)]
        result += [(item, abs(item.unpaid)) for item in capped]
        available -= sum(abs(item.unpaid) for item in capped)
        open_items = [item for item in open_items if item not in capped]
    return result


def share_in_order(
    available: int, items: list[Item], orders: list[str], association: Association
) -> list[tuple[Item, int]]:
    """Spread an amount over the balances of items in the order of a plan (R-PAP-09, R-DST-04..06)."""
    keys = [name for name in orders if name != "spread_excess_even"]
    evenly: list[Item] = []
    if "spread_excess_even" in orders:  # R-PAP-12: billed and due items by the other keys, then the rest evenly
        evenly = [item for item in items if item.invoice.status == "Planned"]
        items = [item for item in items if item.invoice.status != "Planned"]

    def key(item: Item) -> list[Any]:
        return [order_value(item, name, association) for name in keys]

    result: list[tuple[Item, int]] = []
    for value in sorted_values(items, key):
        group = sorted((item for item in items if key(item) == value), key=lambda item: item.order)
        shares = share_pro_rata(available, group)
        available -= sum(amount for _, amount in shares)
        result += shares
    # Items that share evenly come first where credits are paired with debts (silent).
    return sorted(share_evenly(available, evenly), key=lambda entry: entry[0].order) + result


def sorted_values(items: list[Item], key: Callable[[Item], list[Any]]) -> list[list[Any]]:
    """The different values of a key, in order."""
    values: list[list[Any]] = []
    for value in sorted(key(item) for item in items):
        if value not in values:
            values.append(value)
    return values


def distribute(items: list[Item], plan: dict[str, Any], association: Association, money: int) -> list[Applied]:
    """One distribution: negatives first, then money (R-DST-03..09). Items are updated; zero parts are dropped.

    Negative items act as payers in the plan's order: as much credit as there are positive balances is used.
    """
    return pay(eligible_items(items, plan, association), plan["orders"], association, money)


def pay(candidates: list[Item], orders: list[str], association: Association, money: int) -> list[Applied]:
    """Pay items that may be paid in an order."""
    negative = [item for item in candidates if item.unpaid < 0]
    positive = [item for item in candidates if item.unpaid > 0]
    credit = min(sum(-item.unpaid for item in negative), sum(item.unpaid for item in positive))
    used = share_in_order(credit, negative, orders, association)
    paid = share_in_order(credit, positive, orders, association)
    applied = in_pairs(used, paid)
    for part in applied:
        part.item.paid += part.amount

    positive = [item for item in positive if item.unpaid > 0]
    for item, amount in share_in_order(max(money, 0), positive, orders, association):
        if amount:
            item.paid += amount
            applied.append(Applied(item, amount))
    return applied


def in_pairs(used: list[tuple[Item, int]], paid: list[tuple[Item, int]]) -> list[Applied]:
    """Which credit paid which debt: both in the order of the plan, the first credit pays the first debts.

    Recorded by credit item, then by debt item.
    """
    debts = [[item, amount] for item, amount in paid]
    pairs = []
    for credit, available in used:
        left = available
        for debt in debts:
            part = min(left, debt[1])
            if part:
                pairs.append((credit, debt[0], part))
                left -= part
                debt[1] -= part
        assert left == 0
    applied = []
    for credit, item, part in sorted(pairs, key=lambda pair: (pair[0].order, pair[1].order)):
        applied += [Applied(credit, -part, credit), Applied(item, part, credit)]
    return applied


def policy_of_fund(item: Item) -> str | None:
    """The policy whose designated fund may pay an item: that of its stream, if it has one (R-BL-15, R-ITM-48)."""
    return item.invoice.stream.policy_id or item.charge.policy_id
