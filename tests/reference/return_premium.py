"""What the credits of policy periods pay: return premium plans (R-RPP-1..26).

Where the carrier has no such plan credits pay as the payment allocation plan says (decision 031).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tests.reference.distribution import PRIORITY_RANK
from tests.reference.entities import Account, Charge, Item, PaymentItem, Policy, Stream
from tests.reference.settling import record

if TYPE_CHECKING:
    from tests.reference.model import Model

Plan = dict[str, Any]
Share = tuple[Item, int]


def choose_plan(model: Model, kind: str, policy: Policy, today: date) -> Plan | None:
    """The plan of a new period: that of the one before it, else the first one that is active (R-RPP-2, 4, 6)."""
    if kind in ("renewal", "rewrite") and policy.periods:
        return policy.periods[max(policy.periods)].return_premium_plan
    for plan in model.carrier.get("return_premium_plans", {}).values():
        if plan["effective_date"] <= today and (plan.get("expiration_date") or date.max) > today:
            return plan
    return None


def follows_plan(item: Item) -> bool:
    """Whether a credit is left to a return premium plan (R-RPP-1)."""
    return item.amount < 0 and item.charge.period is not None and item.charge.period.return_premium_plan is not None


def pay_with_credits(model: Model, today: date) -> None:
    """Allocate the credits whose time has come, charge by charge (R-RPP-11, R-RPP-22)."""
    for charge in sorted(model.all_charges, key=order_of_charge(model)):
        slices = [item for item in charge.items if item.unpaid < 0 and follows_plan(item) and not item.is_held]
        if not slices:
            continue
        scheme = scheme_of(charge)
        slices = [item for item in slices if is_time(item, scheme)]
        for account in dict.fromkeys(item.payer for item in slices):
            allocate(model, [item for item in slices if item.payer is account], scheme, today)


def order_of_charge(model: Model) -> Callable[[Charge], tuple[int, int, int]]:
    """By instruction as they were processed, then by priority, then by charge (R-RPP-22)."""
    first: dict[str, int] = {}
    for charge in model.all_charges:
        first.setdefault(charge.instruction_id or charge.made_as, charge.number)

    def order(charge: Charge) -> tuple[int, int, int]:
        sequence = first[charge.instruction_id or charge.made_as]
        return sequence, PRIORITY_RANK[charge.pattern_data["priority"]], charge.number

    return order


def plan_of(charge: Charge) -> Plan:
    """The plan of the period of a credit."""
    assert charge.period is not None
    assert charge.period.return_premium_plan is not None
    return charge.period.return_premium_plan


def scheme_of(charge: Charge) -> dict[str, Any]:
    """The scheme for what made the credit, else the one for all others (R-RPP-10)."""
    schemes = plan_of(charge)["schemes"]
    return next((s for s in schemes if s["context"] == charge.context), schemes[-1])


def is_time(item: Item, scheme: dict[str, Any]) -> bool:
    """Whether a slice may pay by now (R-RPP-23)."""
    timing, status = scheme.get("allocate_timing", "on_receipt"), item.invoice.status
    return timing == "on_receipt" or status == "Due" or (timing == "billed" and status == "Billed")


def allocate(model: Model, slices: list[Item], scheme: dict[str, Any], today: date) -> None:
    """Pay items with slices of one credit; what is left of them goes to a fund (R-RPP-16..24)."""
    items = [item for item in slices[0].payer.items if may_be_paid(item, slices[0], scheme)]
    pay_by_method(model, slices, items, scheme["method"], fund_of_excess, today)


def pay_first_to_last(model: Model, slices: list[Item], today: date) -> None:
    """Slices that follow no plan pay the earliest items of their payer; the rest is in its fund (R-CD-5)."""
    items = [item for item in slices[0].payer.items if item.amount > 0 and item.unpaid > 0 and not item.charge.held]

    def fund_of_payer(_: Charge, stream: Stream) -> tuple[Account, str | None]:
        return fund_of(stream.payer, stream.policy_id)

    pay_by_method(model, slices, items, "first_to_last", fund_of_payer, today)


def pay_by_method(
    model: Model,
    slices: list[Item],
    items: list[Item],
    method: str,
    excess: Callable[[Charge, Stream], tuple[Account, str | None]],
    today: date,
) -> None:
    """Pay items with slices of one credit by a method; what is left goes to the fund for the excess."""
    charge = slices[0].charge
    items = sorted(items, key=by_date)
    slices = sorted(slices, key=by_date)
    if method == "proportional":
        shares = in_proportion(slices, items)
    else:
        shares = one_after_the_other(-sum(item.unpaid for item in slices), items, method)
    streams = {item.invoice.stream for item, amount in shares if amount}

    def stream_of(credit: Item) -> Stream:
        """The stream of what is paid, or of the credit itself when there is none or more than one (R-RPP-24)."""
        return next(iter(streams)) if len(streams) == 1 else credit.invoice.stream

    parts = in_pairs(slices, shares)
    left = {id(credit): -credit.unpaid for credit in slices}
    for credit, item, amount in parts:
        left[id(credit)] -= amount
        pay(model, credit, item, amount, stream_of(credit), today)
    for credit in slices:
        if left[id(credit)]:
            account, fund = excess(charge, stream_of(credit))
            credit.paid -= left[id(credit)]
            record(model, PaymentItem(today, account, fund, credit, -left[id(credit)]), today)


def by_date(item: Item) -> tuple[date, int, tuple[int, int]]:
    """Event date, priority of the charge pattern, as they came in (R-RPP-16)."""
    return item.event_date, PRIORITY_RANK[item.charge.pattern_data["priority"]], item.order


def may_be_paid(item: Item, credit: Item, scheme: dict[str, Any]) -> bool:
    """Whether an item of the payer of a credit is one that it may pay (R-RPP-13..15)."""
    if item.amount <= 0 or item.unpaid <= 0 or item.charge.held:
        return False
    if scheme.get("start_date") == "charge_effective_date" and item.event_date < credit.charge.effective_date:
        return False
    mine, other = credit.charge, item.charge
    qualifier = plan_of(mine).get("positive_item_qualifier", "same_policy_period")
    if qualifier == "same_payer_account":
        return True
    if qualifier == "same_policy":
        return other.period is not None and mine.period is not None and other.period.policy is mine.period.policy
    same = {
        "same_policy_period": True,
        "same_policy_period_and_charge_pattern": other.pattern == mine.pattern,
        "same_policy_period_and_charge_category": other.pattern_data["category"] == mine.pattern_data["category"],
        "same_policy_period_and_charge_group": other.charge_group == mine.charge_group,
    }
    return other.period is mine.period and same[qualifier]


def one_after_the_other(available: int, items: list[Item], method: str) -> list[Share]:
    """Items of the first date first, or of the last; those alike share pro rata (R-RPP-16..19)."""
    shares: list[Share] = []
    groups = [list(group) for _, group in groupby(items, key=lambda item: by_date(item)[:2])]
    sign = -1 if method == "last_to_first" else 1
    for group in sorted(groups, key=lambda group: (sign * group[0].event_date.toordinal(), by_date(group[0])[1])):
        total = sum(item.unpaid for item in group)
        spent = min(available, total)
        shares += cumulative(group, Fraction(spent, total))
        available -= spent
    return shares


def cumulative(items: list[Item], ratio: Fraction) -> list[Share]:
    """The same share of what is open of each item, cents by the running total (R-RPP-21)."""
    shares: list[Share] = []
    exact, given = Fraction(0), 0
    for item in items:
        exact += ratio * item.unpaid
        shares.append((item, int(exact) - given))
        given = int(exact)
    return shares


def in_proportion(slices: list[Item], items: list[Item]) -> list[Share]:
    """Every item by the same share, but by no slice that is dated after it (R-RPP-20, R-RPP-21)."""
    shares: list[Share] = []
    while items:
        ratios = {}
        for last in sorted({item.event_date for item in items}):
            balance = sum(item.unpaid for item in items if item.event_date <= last)
            credit = -sum(item.unpaid for item in slices if item.event_date <= last)
            ratios[last] = Fraction(credit, balance)
        lowest = min(ratios.values())
        if lowest >= 1:
            return shares + [(item, item.unpaid) for item in items]
        until = max(last for last, ratio in ratios.items() if ratio == lowest)
        shares += cumulative([item for item in items if item.event_date <= until], lowest)
        items = [item for item in items if item.event_date > until]
        slices = [item for item in slices if item.event_date > until]
    return shares


def in_pairs(slices: list[Item], shares: list[Share]) -> list[tuple[Item, Item, int]]:
    """Which slice paid which item: both by event date (R-RPP-21)."""
    waiting = [[credit, -credit.unpaid] for credit in slices]
    parts = []
    for item, amount in sorted(shares, key=lambda share: by_date(share[0])):
        left = amount
        for entry in waiting:
            part = min(left, entry[1])
            if part:
                parts.append((entry[0], item, part))
                left -= part
                entry[1] -= part
        assert left == 0
    return parts


def pay(model: Model, credit: Item, item: Item, amount: int, stream: Stream, today: date) -> None:
    """What a credit gives and what it pays, through the fund of a stream (A-7)."""
    account, fund = fund_of(credit.payer, stream.policy_id)
    gave = PaymentItem(today, account, fund, credit, -amount, credit=credit)
    paid = PaymentItem(today, account, fund, item, amount, credit=credit, other=gave)
    gave.other = paid
    for part in (gave, paid):
        part.item.paid += part.amount
        record(model, part, today)


def fund_of(account: Account, policy_id: str | None) -> tuple[Account, str | None]:
    """The fund that an account keeps for a policy, or its default fund."""
    return account, policy_id if account.separate_funds and policy_id in account.funds else None


def fund_of_excess(charge: Charge, stream: Stream) -> tuple[Account, str | None]:
    """Where what is left of a credit goes: to its payer; of a list bill account as the plan says (R-RPP-25)."""
    assert charge.period is not None
    payer, owner = stream.payer, charge.period.policy.account
    is_owners = plan_of(charge).get("list_bill_account_excess") == "policy_owner_unapplied"
    if payer.row["account_type"] != "list_bill" or not is_owners:
        return fund_of(payer, stream.policy_id)
    return fund_of(owner, charge.period.policy.policy_id)
