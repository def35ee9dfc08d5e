"""Another payment plan for a policy period (R-PS-5..11, R-PP-16, R-INV-24, R-INV-33)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.charging import place, plan_for, slices_of, stream_of
from tests.reference.dates import resolve_timing
from tests.reference.entities import Account, Charge, Item, Period, Policy, delete_if_empty, take_off
from tests.reference.equity import check_equity
from tests.reference.list_bill import check_plan_of_period
from tests.reference.payments import distribute_accounts
from tests.reference.refusing import refuse
from tests.reference.settling import (
    empty_designated_funds,
    is_standing,
    offset,
    paid_parts,
    take_back,
    take_back_write_offs,
)
from tests.reference.slicing import effective_plan, first_periodic_timing
from tests.reference.targets import period_of

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]
MOST_EQUITY_DAYS = 3660


def change_payment_schedule(model: Model, row: Row, policy: Policy, today: date) -> None:
    """Cut what was not yet invoiced, or more, into items of another plan."""
    params = row["params"]
    period = period_of(policy, params.get("term_number"))
    plan = model.carrier["payment_plans"].get(params.get("payment_plan"))
    if plan is None:
        refuse("unknown payment plan")
    check_plan_of_period(period, params.get("payment_plan"))
    assign_plan(period, plan)
    chosen = [(c, [item for item in c.items if is_chosen(item, params)]) for c in charges_of_plan(model, period)]
    recut(model, chosen, params, today)
    check_equity(model, row, [period], today)


def assign_plan(period: Period, plan: Row) -> None:
    """The period has another plan, and other dates by it."""
    period.plan = plan
    now = effective_plan(plan, period.created_by)
    timing = first_periodic_timing(now)
    period.first_periodic_date = resolve_timing(timing, plan["interval"], period.created_on, period.start, period.start)


def recut(
    model: Model,
    chosen: list[tuple[Charge, list[Item]]],
    params: Row,
    today: date,
    *,
    payers: AbstractSet[Account] = frozenset(),
) -> None:
    """Take back what was paid of items, cut them anew by the plan of their period, and distribute again (R-PS-7).

    ``payers`` are others of whom something was taken back.
    """
    items = [item for _, of_charge in chosen for item in of_charge]
    sources = [item.invoice for item in items]
    payers = payers | {part.account for item in items for part in paid_parts(model, item)}
    for item in items:
        take_back(model, item, today)
        take_back_write_offs(model, item, today)
    empty_designated_funds(model, today)
    for charge, of_charge in chosen:
        rebuild(model, charge, of_charge, params, today)
    for source in sources:
        if source in source.stream.invoices:
            delete_if_empty(source)
    if params.get("payments") != "reverse_only":
        distribute_accounts(model, sorted(payers, key=lambda account: account.account_id), today)


def charges_of_plan(model: Model, period: Period) -> list[Charge]:
    """The charges of a period that follow its plan: of an instruction, neither reversed nor a reversal (silent)."""
    charges = [charge for charge in model.all_charges if charge.period is period and charge.instruction_id]
    return [charge for charge in charges if not any(charge is other.reverses for other in model.all_charges)]


def is_chosen(item: Item, params: Row) -> bool:
    """Whether an item is to be made anew (R-PS-5, R-PS-6)."""
    if not is_standing(item):
        return False
    which = params.get("items") or "planned_items"
    if which == "all_items":
        return True
    if item.item_type == "deposit":
        return bool(params.get("include_down_payment"))
    return item.is_planned if which == "planned_items" else bool(item.unpaid)


def rebuild(model: Model, charge: Charge, items: list[Item], params: Row, today: date) -> None:
    """Take items of a charge away and make others of the same sum (R-PS-9..11).

    New installments are numbered after those that stay; without all items, or down payments among those that are
    processed, the new plan makes no down payment (silent).
    """
    total = sum(item.amount for item in items)
    for item in items:
        if item.is_planned:
            take_off(item)
            charge.items.remove(item)
        else:
            offset(model, item, today)
    if total == 0:
        return
    assert charge.period is not None
    plan = plan_for(charge.period, charge.context or "", charge.effective_date, {})
    stream = stream_of(charge, charge.payer)
    is_whole = params.get("items") == "all_items"
    if not is_whole and not params.get("include_down_payment"):
        plan = plan | {"has_down_payment": False}
    last_number = max((item.installment_number or 0 for item in charge.items if is_standing(item)), default=0)
    slices = slices_of(model, charge, total, plan, stream, today, not_before=None if is_whole else today)
    for part in slices:
        if part.installment_number:
            part.installment_number += last_number
    place(model, stream, charge, slices, today)


def set_policy_equity_warning(model: Model, row: Row, policy: Policy, today: date) -> None:  # noqa: ARG001
    """Whether a period falls short of equity matters or not, and from how few days on (R-EQT-12, R-EQT-18)."""
    params = row["params"]
    period = period_of(policy, params.get("term_number"))
    days = period.min_equity_days if params.get("min_days") is None else params["min_days"]
    if not 0 <= days <= MOST_EQUITY_DAYS:
        refuse("so many days of equity are not preferred")
    period.has_equity_warnings, period.min_equity_days = params["enabled"], days
