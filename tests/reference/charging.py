"""From a charge to items on invoices: streams, plans, special handling, placement (R-CI-10..15, R-CI-25..61)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.dates import (
    PERIODICITY_OF_INTERVAL,
    cadence_of_account,
    cadence_through,
    plus_days,
    resolve_timing,
)
from tests.reference.entities import Account, Charge, Invoice, Item, Period, Stream, add_item
from tests.reference.list_bill import add_stream, stream_for_policies
from tests.reference.settling import is_cancelled
from tests.reference.slicing import Slice, effective_plan, first_periodic_timing, slice_charge

if TYPE_CHECKING:
    from tests.reference.model import Model


NEW_PERIOD = ("issuance", "renewal", "new_renewal", "rewrite")
"""Instructions that create a policy period."""


def plan_for(period: Period, kind: str, effective_date: date, modifiers: dict[str, Any]) -> dict[str, Any]:
    """The effective plan of an instruction: plan, override, modifiers (R-CI-55, R-CI-56, R-PO-8)."""
    if kind == "policy_change" and is_part_of_issuance(period, effective_date):
        kind = "issuance"
    return effective_plan(period.plan, kind) | modifiers


def is_part_of_issuance(period: Period, effective_date: date) -> bool:
    """Whether a policy change counts as part of the issuance (R-CI-56, R-PO-9)."""
    return period.created_by == "issuance" and effective_date == period.start


def stream_of(charge: Charge, payer: Account) -> Stream:
    """The stream of a payer on which the items of a charge belong (R-CI-13, R-CI-28)."""
    return account_stream(payer, "monthly") if charge.period is None else policy_stream(payer, charge.period)


def policy_stream(payer: Account, period: Period) -> Stream:
    """The stream of a payer for a policy period, found or created (R-CI-10..13, R-INV-01..03, R-CI-51)."""
    plan = period.plan
    if payer.is_list_bill:
        return stream_for_policies(payer, plan["interval"])
    periodicity = PERIODICITY_OF_INTERVAL[plan["interval"]]
    if not payer.policy_level:
        return account_stream(payer, periodicity)
    policy_id = period.policy.policy_id
    if (policy_id, periodicity) not in payer.streams:
        if plan["align_installments"]:
            cadence = cadence_through(period.first_periodic_date, periodicity)
        else:
            cadence = cadence_of_account(payer.row, periodicity)
        stream = Stream(payer, policy_id, periodicity, cadence, plan["fix_invoices_on"])
        payer.streams[policy_id, periodicity] = stream
    return payer.streams[policy_id, periodicity]


def account_stream(payer: Account, periodicity: str) -> Stream:
    """The stream of a payer that is shared by policies, or has account-level charges (R-CI-12, R-INV-02, R-LB-06)."""
    if (None, periodicity) not in payer.streams and payer.is_list_bill:
        return add_stream(payer, periodicity, is_account_level_only=True)
    if (None, periodicity) not in payer.streams:
        cadence = cadence_of_account(payer.row, periodicity)
        payer.streams[None, periodicity] = Stream(payer, None, periodicity, cadence, payer.row["fix_invoices_on"])
    return payer.streams[None, periodicity]


def cutoff_of(charge: Charge) -> str:
    """By which date of an invoice the items of a charge must fall (R-CI-45)."""
    return charge.period.plan["item_placement_cutoff"] if charge.period else "bill_date"


def invoice_account_charge(model: Model, charge: Charge, today: date) -> None:
    """An account-level charge: one item, dated at the charge date, on a monthly stream (R-CI-28)."""
    if charge.amount != 0:
        place(model, account_stream(charge.payer, "monthly"), charge, [Slice("onetime", today, charge.amount)], today)


def invoice_at_once(model: Model, charge: Charge, special_handling: str, today: date) -> None:
    """Special handling that overrules the plan: one deposit, billed today or with the next invoice (R-CI-59, 60)."""
    if charge.amount == 0:
        return  # R-CI-43
    stream = stream_of(charge, charge.payer)
    if special_handling == "bill_immediately":
        invoice = invoice_of_today(model, stream, today)
    else:
        invoice = stream.next_one(today, model.business)
    add_item(Item(charge, charge.last_item_no + 1, "deposit", today, charge.amount, invoice), invoice)


def invoice_of_today(model: Model, stream: Stream, today: date) -> Invoice:
    """A planned invoice that is billed today, or a new one outside of the cadence (R-CI-59, R-INV-20)."""
    planned = [invoice for invoice in stream.invoices if invoice.status == "Planned" and invoice.bill_date == today]
    if planned:
        return min(planned, key=lambda invoice: invoice.in_order)
    return stream.make(today, due_date_of(model, stream, today), is_ad_hoc=True)


def due_date_of(model: Model, stream: Stream, bill_date: date) -> date:
    """The due date of an invoice billed on any day (R-INV-04, R-INV-07)."""
    payer = stream.payer
    lead = payer.billing_plan["lead_time_days" if payer.responsive else "non_responsive_lead_time_days"]
    due = model.business.add_lead(bill_date, lead, payer.billing_plan["lead_time_unit"])
    return max(bill_date, model.business.adjust(due, payer.billing_plan["payment_due_day_logic"]))


def invoice_policy_charge(model: Model, charge: Charge, plan: dict[str, Any], today: date) -> None:
    """Slice a charge of a policy period and place its items on the payer's stream (R-CI-25..48)."""
    stream = stream_of(charge, charge.payer)
    place(model, stream, charge, slices_of(model, charge, charge.amount, plan, stream, today), today)


def slices_of(
    model: Model,
    charge: Charge,
    amount: int,
    plan: dict[str, Any],
    stream: Stream,
    today: date,
    *,
    not_before: date | None = None,
) -> list[Slice]:
    """What a plan makes of an amount of a charge of a policy period (R-CI-25..43, R-PS-11)."""
    period = charge.period
    assert period is not None
    cutoff = plan["item_placement_cutoff"]
    resolve = resolver(charge, period, plan)
    limit = plus_days(period.coverage_end, -(plan["blackout_days"] or 0))  # R-CI-33

    def may_be_placed(event_date: date) -> bool:
        invoice = stream.find(event_date, cutoff, today, model.business)
        return (invoice.due_date if plan["blackout_basis"] == "due" else invoice.bill_date) <= limit

    return slice_charge(
        amount,
        charge.pattern_data["invoicing_approach"],
        plan,
        resolve=resolve,
        periodic_dates=periodic_dates(charge, period, plan, stream),
        may_be_placed=may_be_placed,
        remainder_treatment=model.carrier["installment_remainder"],
        not_before=not_before,
    )


def periodic_dates(charge: Charge, period: Period, plan: dict[str, Any], stream: Stream) -> Iterator[date]:
    """The endless series of periodic event dates of a charge (R-CI-38..40, R-CI-51)."""
    first = resolver(charge, period, plan)(first_periodic_timing(plan))
    # Aligned: snap to the dates of the stream (R-CI-39, R-CI-40); else the plan's own dates (R-CI-38, R-CI-51).
    cadence = stream.cadence if plan["align_installments"] else cadence_through(first, stream.periodicity)
    return cadence.series(first, plan["interval"])


def resolver(charge: Charge, period: Period, plan: dict[str, Any]) -> Callable[[tuple[int, str]], date]:
    """What turns a timing of the plan into an event date of a charge (R-CI-20)."""

    def resolve(timing: tuple[int, str]) -> date:
        return resolve_timing(timing, plan["interval"], charge.charge_date, charge.effective_date, period.start)

    return resolve


def place(model: Model, stream: Stream, charge: Charge, slices: list[Slice], today: date) -> None:
    """Make items of a charge and put each on its invoice (R-CI-46)."""
    for part in slices:
        invoice = stream.find(part.event_date, cutoff_of(charge), today, model.business)
        item = Item(
            charge,
            charge.last_item_no + 1,
            part.item_type,
            part.event_date,
            part.amount,
            invoice,
            part.installment_number,
            part.blackout_violation,
        )
        add_item(item, invoice)


# ------------------------------------------------------------------------------------ policy changes


def weights_of(model: Model, charge: Charge) -> list[Item]:
    """The items by which the charge of a policy change is spread: none when nothing matches (R-PO-5, R-PO-6)."""
    items = [item for other in matching_charges(model, charge) for item in other.items if not_reversed(item)]
    return items if sum(item.amount for item in items) else []


def split_like_others(model: Model, charge: Charge, today: date) -> None:
    """Spread the charge of a policy change as matching charges of its period are (R-PO-4, R-PO-6)."""
    weights = weights_of(model, charge)
    total = sum(item.amount for item in weights)
    stream = stream_of(charge, charge.payer)
    sign = 1 if charge.amount > 0 else -1
    amounts = [abs(charge.amount) * item.amount // total for item in weights]
    for position in range(abs(charge.amount) - sum(amounts)):
        amounts[position % len(amounts)] += 1
    for like, amount in zip(weights, amounts, strict=True):
        if amount:
            invoice = like.invoice
            if invoice.stream is not stream or not like.is_planned or invoice.bill_date < today:
                invoice = stream.next_one(today, model.business)
            number, signed = charge.last_item_no + 1, sign * amount
            item = Item(charge, number, like.item_type, like.event_date, signed, invoice, like.installment_number)
            add_item(item, invoice)


def not_reversed(item: Item) -> bool:
    """Whether an item is neither an offset nor cancelled by one (R-PO-6)."""
    return item.reversal_kind != "offset" and not is_cancelled(item)


def matching_charges(model: Model, charge: Charge) -> list[Charge]:
    """The charges of the period from before with the same pattern, and group when both have one (R-PO-5)."""
    return [
        other
        for other in model.all_charges
        if other.period is charge.period
        and other.pattern == charge.pattern
        and other.instruction_id != charge.instruction_id
        and (None in (other.charge_group, charge.charge_group) or other.charge_group == charge.charge_group)
        and other.context in NEW_PERIOD
        and not any(later.reverses is other for later in model.all_charges)
    ]
