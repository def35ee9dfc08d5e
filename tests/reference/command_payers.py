"""Commands that change who pays (R-ITM-10..22)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.charging import cutoff_of, invoice_of_today, stream_of
from tests.reference.entities import Account, Charge, Item, Policy, delete_if_empty, move
from tests.reference.list_bill import check_payer
from tests.reference.refusing import refuse
from tests.reference.settling import (
    is_cancelled,
    move_parts,
    move_write_offs,
    offset,
    onset,
    take_back,
    take_back_write_offs,
)
from tests.reference.targets import find_account

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


def set_charge_default_payer(model: Model, row: Row, charge: Charge, today: date) -> None:  # noqa: ARG001
    """Another payer for items that the charge may get later (R-ITM-04, R-ITM-11)."""
    payer = find_account(model, row["params"].get("payer_account_id"))
    check_payer(payer, charge)
    charge.payer = payer


def reassign_charge_payer(model: Model, row: Row, charge: Charge, today: date) -> None:
    """Another payer for the charge and for all of its items, or those not fully paid (R-ITM-10, R-ITM-11)."""
    params = row["params"]
    payer = find_account(model, params.get("payer_account_id"))
    check_payer(payer, charge)
    charge.payer = payer
    items = list(charge.items)
    if params.get("items") == "not_fully_paid":
        items = [item for item in items if item.amount != item.paid]
    reassign(model, items, payer, params, today)


def reassign_item_payer(model: Model, row: Row, item: Item, today: date) -> None:
    """Another payer for one item (R-ITM-11)."""
    payer = find_account(model, row["params"].get("payer_account_id"))
    check_payer(payer, item.charge)
    if not may_be_reassigned(item, payer):
        refuse("it was cancelled, or is paid by that account already")
    reassign(model, [item], payer, row["params"], today)


def refer_to_collection_agency(model: Model, row: Row, target: Account | Policy, today: date) -> None:
    """What is open of items that an account pays, or of those of its policy, is paid by an agency (R-ITM-06)."""
    agency = find_account(model, row["params"].get("agency_account_id"))
    if agency.row["account_type"] != "collection_agency":
        refuse("it is no collection agency")
    items = list(target.items if isinstance(target, Account) else target.account.items)
    if isinstance(target, Policy):
        items = [item for item in items if item.charge.period and item.charge.period.policy is target]
    items = [item for item in items if item.unpaid and may_be_reassigned(item, agency)]
    if not items:
        refuse("nothing is open")
    reassign(model, sorted(items, key=lambda item: item.order), agency, {}, today, is_forward=True)


def may_be_reassigned(item: Item, payer: Account) -> bool:
    """Neither an offset nor an item that one has cancelled (R-ITM-14); and it does not have that payer already."""
    in_use = item.invoice.status in ("Planned", "Billed", "Due")
    return in_use and item.reversal_kind != "offset" and not is_cancelled(item) and item.payer is not payer


def reassign(
    model: Model,
    items: list[Item],
    payer: Account,
    params: Row,
    today: date,
    *,
    is_offset_first: bool = False,
    is_forward: bool = False,
) -> None:
    """Planned items move; billed ones are cancelled and come back at the new payer (R-ITM-13..18).

    They move to the invoice of their date, or forward to the next one (R-ITM-06).
    Planned ones go first; of the billed ones of a charge the new items are numbered before the offsets (silent).
    """
    items = [item for item in items if may_be_reassigned(item, payer)]
    reverse = params.get("reverse_payments") or "no"
    sources = [item.invoice for item in items]
    for item in items:
        if reverse == "yes" or (reverse == "only_for_non_planned" and not item.is_planned):
            take_back(model, item, today)
            take_back_write_offs(model, item, today)
    for item in [item for item in items if item.is_planned]:
        stream = stream_of(item.charge, payer)
        of_date = stream.find(item.event_date, cutoff_of(item.charge), today, model.business)
        move(item, stream.next_one(today, model.business) if is_forward else of_date)
    billed = [item for item in items if not item.is_planned]
    for item in billed if is_offset_first else []:
        offset(model, item, today)
    for item in billed:
        stream = stream_of(item.charge, payer)
        invoice = invoice_of_today(model, stream, today) if params.get("catch_up") else None
        new = onset(item, invoice or stream.next_one(today, model.business))
        move_parts(model, item, new, today)
        move_write_offs(model, item, new)
    for item in [] if is_offset_first else billed:
        offset(model, item, today)
    for source in sources:
        if source in source.stream.invoices:
            delete_if_empty(source)
