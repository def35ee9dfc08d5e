"""Commands about the billing method of a policy period and who pays it (R-LB-12..17, R-ITM-25..28)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.command_payers import may_be_reassigned, reassign
from tests.reference.command_schedules import assign_plan, charges_of_plan, is_chosen, recut
from tests.reference.entities import Account, Charge, Item, Period, Policy
from tests.reference.equity import check_equity
from tests.reference.list_bill import check_offer, stream_for_policies
from tests.reference.refusing import refuse
from tests.reference.settling import is_standing, paid_parts
from tests.reference.targets import period_of

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


def change_list_bill(model: Model, row: Row, policy: Policy, today: date) -> None:
    """Another list bill account, plan or stream (R-LB-13, R-LB-14); a charge with another payer keeps it (R-LB-10).

    The items of the other charges go along, also those that somebody else had been given to pay (silent).
    """
    params = row["params"]
    period = period_of(policy, params.get("term_number"))
    if not period.is_list_bill:
        refuse("the policy period is not on list bill")
    payer, before = list_bill_account(model, params), period.payer
    charges = [charge for charge in model.all_charges if charge.period is period and charge.payer is before]
    items = [item for charge in charges for item in charge.items if is_standing(item)]
    is_whole = params.get("items") != "planned_items"
    hand_over(model, period, payer, charges, params)
    reverse = "only_for_non_planned" if params.get("payments") == "billed_or_due_items" else "yes"
    items = [item for item in items if is_whole or item.is_planned]
    bill_to(model, period, items, params | {"reverse_payments": reverse}, today, is_whole=is_whole)
    check_equity(model, row, [period], today)


def change_billing_method(model: Model, row: Row, policy: Policy, today: date) -> None:
    """From the owner to a list bill account, or back: all items get the new payer (R-ITM-25, 27, 28, R-LB-12)."""
    params = dict(row["params"])
    period = period_of(policy, params.get("term_number"))
    if params["method"] == "agency_bill":
        refuse("there is no producer with an agency bill plan")
    if params["method"] == ("list_bill" if period.is_list_bill else "direct_bill"):
        refuse("the policy period has that billing method")
    charges = [charge for charge in model.all_charges if charge.period is period]
    items = [item for charge in charges for item in charge.items if is_standing(item)]
    if params["method"] == "direct_bill":
        params = {"method": "direct_bill", "payment_plan": name_of_plan(model, period)} | {
            "catch_up": params.get("catch_up"),
            "reverse_payments": "yes" if params.get("reverse_payments") else "no",
        }
        payer = policy.account
    else:
        payer = list_bill_account(model, params)
        params["payment_plan"] = params.get("payment_plan") or name_of_plan(model, period)
        params["reverse_payments"] = "only_for_non_planned" if params.get("payments") == "billed_and_due" else "yes"
    hand_over(model, period, payer, charges, params)
    bill_to(model, period, items, params, today, is_whole=True)
    check_equity(model, row, [period], today)


def list_bill_account(model: Model, params: Row) -> Account:
    """The list bill account that shall pay (R-LB-13)."""
    payer = model.accounts.get(params.get("payer_account_id") or "")
    if payer is None or not payer.is_list_bill:
        refuse("who shall pay is no list bill account")
    return payer


def name_of_plan(model: Model, period: Period) -> str:
    """The name of the plan that a period has."""
    return next(name for name, plan in model.carrier["payment_plans"].items() if plan is period.plan)


def hand_over(model: Model, period: Period, payer: Account, charges: list[Charge], params: Row) -> None:
    """The period and its charges have another payer; plan and stream must suit a list bill account (R-LB-08, 09)."""
    if params["payment_plan"] not in model.carrier["payment_plans"]:
        refuse("unknown payment plan")
    if payer.is_list_bill:
        check_offer(payer, params["payment_plan"])
        stream = stream_for_policies(payer, model.carrier["payment_plans"][params["payment_plan"]]["interval"])
        if params.get("stream_id") not in (None, stream.stream_key):
            refuse("no such stream of the account, or none for the plan")
    period.payer = payer
    for charge in charges:
        charge.payer = payer


def bill_to(model: Model, period: Period, items: list[Item], params: Row, today: date, *, is_whole: bool) -> None:
    """Items move to the payer of the period; by another plan those that follow it are cut anew (R-LB-15..17).

    As in a change of plan, that is so whoever pays a charge, and down payments are not cut anew unless all items are
    (R-PS-6): they just move. What just moves is numbered offset first by change_list_bill (silent).
    """
    plan = model.carrier["payment_plans"][params["payment_plan"]]
    if plan is period.plan:
        reassign(model, items, period.payer, params, today, is_offset_first="method" not in params)
        return
    assign_plan(period, plan)
    how = {"items": "all_items" if is_whole else "planned_items"}
    chosen = [
        (charge, [item for item in charge.items if is_chosen(item, how)]) for charge in charges_of_plan(model, period)
    ]
    cut = [item for _, of_charge in chosen for item in of_charge]
    others = [item for item in items if item not in cut]
    payers = {part.account for item in others if is_reversed(item, period, params) for part in paid_parts(model, item)}
    reassign(model, others, period.payer, params, today, is_offset_first="method" not in params)
    recut(model, chosen, how, today, payers=payers)


def is_reversed(item: Item, period: Period, params: Row) -> bool:
    """Whether what was paid of an item that just moves is taken back (R-LB-16)."""
    how = params["reverse_payments"]
    return may_be_reassigned(item, period.payer) and (how == "yes" or (how != "no" and not item.is_planned))
