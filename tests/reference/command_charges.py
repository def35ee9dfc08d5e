"""Commands about charges: reversal, recapture, holds (R-CR, R-RC, R-CHD)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.charging import account_stream
from tests.reference.dates import plus_days
from tests.reference.entities import Account, Charge, Item, add_item
from tests.reference.refusing import refuse
from tests.reference.settling import is_standing, like, offset, onset, settle, take_back, take_back_write_offs

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


def reverse_charge(model: Model, row: Row, charge: Charge, today: date) -> None:
    """A charge of the opposite amount, item by item on the same invoices; what was paid comes back (R-CR-5).

    It takes effect with the charge or today, whichever is later; an item is cancelled by what its own offsets have left
    of it; a hold of the charge ends (silent).
    """
    if charge.pattern_data["subtype"] in ("pro_rata", "recapture"):
        refuse("such a charge cannot be reversed (R-CR-2)")
    if charge.reverses is not None or any(other.reverses is charge for other in model.all_charges):
        refuse("a charge is reversed once (R-CR-6)")
    reversing = Charge(
        instruction_id=None,
        charge_no=None,
        pattern=charge.pattern,
        pattern_data=charge.pattern_data,
        amount=-charge.amount,
        charge_date=today,
        effective_date=max(charge.effective_date, today),
        owner=charge.owner,
        period=charge.period,
        payer=charge.payer,
        context="reversal",
        charge_group=charge.charge_group,
        made_as=f"reversal/{charge.charge_key}",
        reverses=charge,
        reversal_reason=row.get("reason"),
    )
    model.add_charge(reversing)
    model.posted.initial_charge(reversing, today)
    charge.held = None
    for item in charge.items:
        take_back(model, item, today)
        take_back_write_offs(model, item, today)
    for item in charge.items:
        own = [other.amount for other in charge.items if other.related is item and other.reversal_kind == "offset"]
        left = item.amount + sum(own)
        if left and item.reversal_kind != "offset":
            opposite = like(item, -left, item.invoice, "offset", reversing)
            model.posted.as_its_invoice(opposite, today)
            settle(model, item, opposite, today)


def create_recapture(model: Model, row: Row, account: Account, today: date) -> None:
    """A charge that brings money back into a fund (R-RC-1..5)."""
    params = row.get("params") or {}
    policy_id, amount = params.get("policy_id"), row.get("amount")
    names = [name for name, data in model.carrier["charge_patterns"].items() if data["subtype"] == "recapture"]
    name = params.get("charge_pattern") or names[0]
    if not amount or amount <= 0:
        refuse("more than zero is recaptured (R-RC-2)")
    if name not in names:
        refuse("no recapture pattern")
    if policy_id not in account.funds:
        refuse("the account has no such fund")
    same_day = [c for c in model.all_charges if c.pattern_data["subtype"] == "recapture" and c.charge_date == today]
    number = len([charge for charge in same_day if charge.owner is account]) + 1
    charge = Charge(
        instruction_id=None,
        charge_no=None,
        pattern=name,
        pattern_data=model.carrier["charge_patterns"][name],
        amount=amount,
        charge_date=today,
        effective_date=today,
        owner=account,
        period=None,
        payer=account,
        context="account_general",
        made_as=f"recapture/{account.account_id}/{today}/{number}",
        fund_policy_id=policy_id,
    )
    model.add_charge(charge)
    model.posted.initial_charge(charge, today)
    invoice = account_stream(account, "monthly").find(today, "bill_date", today, model.business)
    add_item(Item(charge, 1, "onetime", today, amount, invoice), invoice)


def hold_charge(model: Model, row: Row, charge: Charge, today: date) -> None:  # noqa: ARG001
    """Hold a charge: what is billed and open of it goes to the next planned invoice (R-CHD-4, R-CHD-5).

    Not to one that is billed today: from there it would go on at once (R-INV-23).
    """
    if charge.held:
        refuse("it is held already")
    billed = [item for item in charge.items if is_standing(item) and not item.is_planned]
    for item in billed:
        if item.amount < 0:
            take_back(model, item, today)
    for item in [item for item in billed if item.unpaid]:
        left = item.unpaid
        offset(model, item, today, left)
        onset(item, item.invoice.stream.next_one(plus_days(today, 1), model.business), left)
    charge.held = "dispute"


def release_charge_hold(model: Model, row: Row, charge: Charge, today: date) -> None:  # noqa: ARG001
    """Release a hold: the items are billed with the invoice on which they wait (R-CHD-11)."""
    if not charge.held:
        refuse("it is not held")
    charge.held = None
