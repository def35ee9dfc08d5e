"""Another payment plan for a policy period (R-PS-5..11, R-PP-16, R-INV-24, R-INV-33)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.charging import place, plan_for, slices_of, stream_of
from tests.reference.dates import resolve_timing
from tests.reference.entities import Charge, Item, Policy, add_item, delete_if_empty, take_off
from tests.reference.equity import check_equity
from tests.reference.payments import distribute_account
from tests.reference.refusing import refuse
from tests.reference.settling import is_cancelled, offset, paid_parts, take_back
from tests.reference.slicing import Slice, effective_plan, first_periodic_timing, installment_amounts
from tests.reference.targets import period_of

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


def change_payment_schedule(model: Model, row: Row, policy: Policy, today: date) -> None:
    """Cut what was not yet invoiced, or more, into items of another plan."""
    params = row["params"]
    period = period_of(policy, params.get("term_number"))
    plan = model.carrier["payment_plans"].get(params.get("payment_plan"))
    if plan is None:
        refuse("unknown payment plan")
    period.plan = plan
    now = effective_plan(plan, period.created_by)
    timing = first_periodic_timing(now)
    period.first_periodic_date = resolve_timing(timing, plan["interval"], period.created_on, period.start, period.start)
    payers = set()
    for charge in [charge for charge in model.all_charges if charge.period is period]:
        items = [item for item in charge.items if is_chosen(item, params)]
        payers |= {part.account for item in items for part in paid_parts(model, item)}
        rebuild(model, charge, items, params, today)
    if params.get("payments") != "reverse_only":
        for account in sorted(payers, key=lambda account: account.account_id):
            distribute_account(model, account, today)
    check_equity(model, row, [period], today)


def is_chosen(item: Item, params: Row) -> bool:
    """Whether an item is to be made anew (R-PS-5, R-PS-6)."""
    if item.reversal_kind == "offset" or is_cancelled(item):
        return False
    which = params.get("items") or "planned_items"
    if which == "all_items":
        return True
    if item.item_type == "deposit":
        return bool(params.get("include_down_payment"))
    return item.is_planned if which == "planned_items" else bool(item.unpaid)


def rebuild(model: Model, charge: Charge, items: list[Item], params: Row, today: date) -> None:
    """Take items of a charge away and make others of the same sum (R-PS-9..11)."""
    total = sum(item.amount for item in items)
    for item in items:
        take_back(model, item, today)
        source = item.invoice
        if item.is_planned:
            take_off(item)
            charge.items.remove(item)
            delete_if_empty(source)
        else:
            offset(model, item, today)
    if total == 0:
        return
    assert charge.period is not None
    plan = plan_for(charge.period, charge.context or "", charge.effective_date, {})
    stream = stream_of(charge, charge.payer)
    if params.get("items") == "all_items":
        place(model, stream, charge, slices_of(model, charge, total, plan, stream, today), today)
        return
    if not any(item.item_type == "deposit" for item in items):
        plan = plan | {"has_down_payment": False}
    slices = slices_of(model, charge, total, plan, stream, today)
    kept = [part for part in slices if part.event_date >= today]
    if not kept:
        last = slices[-1]
        invoice = stream.next_one(today, model.business)
        number = 1 if last.item_type == "installment" else None
        add_item(Item(charge, charge.last_item_no + 1, last.item_type, today, total, invoice, number), invoice)
        return
    place(model, stream, charge, again(kept, total, model.carrier["installment_remainder"]), today)


def again(kept: list[Slice], total: int, remainder: str) -> list[Slice]:
    """The amounts once more, over the dates that are left (R-PS-11)."""
    installments = [part for part in kept if part.item_type == "installment"]
    rest = total - sum(part.amount for part in kept if part.item_type != "installment")
    if not installments:
        kept[-1].amount += rest
        return kept
    for number, amount in enumerate(installment_amounts(rest, len(installments), remainder)):
        installments[number].amount = amount
        installments[number].installment_number = number + 1
    return kept
