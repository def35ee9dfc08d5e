"""Commands about invoice items (R-ITM-40..49)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.charging import cutoff_of, stream_of
from tests.reference.entities import Charge, Item, add_item, delete_if_empty, move, take_off
from tests.reference.equity import check_equity
from tests.reference.refusing import refuse
from tests.reference.settling import is_standing, offset, take_back, take_back_write_offs
from tests.reference.targets import find_target

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


def move_invoice_item(model: Model, row: Row, item: Item, today: date) -> None:
    """A planned item goes to another planned invoice of its payer, whatever it does to equity (R-ITM-45, R-EQT-17)."""
    invoice = find_target(model, "invoice", row["params"]["invoice_id"])
    if invoice is None or invoice.stream.payer is not item.payer:
        refuse("no such invoice of the payer")
    if not item.is_planned or not is_standing(item) or invoice.status != "Planned" or invoice.bill_date < today:
        refuse("items move between planned invoices")
    if invoice is item.invoice:
        refuse("it is there already")
    if invoice.stream.is_account_level_only and item.charge.period is not None:
        refuse("that stream is for account-level charges only (R-LB-06)")
    source = item.invoice
    move(item, invoice)
    delete_if_empty(source)


def modify_planned_items(model: Model, row: Row, charge: Charge, today: date) -> None:
    """Amounts of a charge change between its planned items, and new ones (R-ITM-43, R-ITM-44)."""
    params = row["params"]
    changes = {change["item_id"]: change["amount"] for change in params.get("changes") or []}
    changes |= dict.fromkeys(params.get("removals") or [], 0)
    touched = []
    for reference, amount in changes.items():
        item = find_item(model, reference, charge)
        check_amount(item, amount)
        touched.append((item, amount))
    for item, amount in touched:
        item.amount = amount
        if amount == 0:
            remove(item)
    additions = params.get("additions") or []
    for addition in additions:
        add_planned(model, charge, addition, today)
    check_sum(charge)
    for item, _ in touched:
        delete_if_empty(item.invoice)
    check_equity(model, row, [charge.period], today)


def reverse_item_and_reallocate(model: Model, row: Row, item: Item, today: date) -> None:
    """An item of a billed invoice is cancelled; its amount comes back on planned invoices (R-ITM-40..42)."""
    if item.invoice.status not in ("Billed", "Due") or not is_standing(item):
        refuse("only an item that was billed, and still stands, is reversed")
    charge = item.charge
    take_back(model, item, today)
    take_back_write_offs(model, item, today)
    offset(model, item, today)
    for addition in row["params"]["additions"]:
        if addition.get("item_id"):
            existing = find_item(model, addition["item_id"], charge)
            check_amount(existing, existing.amount + addition["amount"])
            existing.amount += addition["amount"]
            if existing.amount == 0:
                remove(existing)
        else:
            add_planned(model, charge, addition, today)
    check_sum(charge)
    check_equity(model, row, [charge.period], today)


def find_item(model: Model, reference: str, charge: Charge) -> Item:
    """A planned item of the charge."""
    item = find_target(model, "invoice_item", reference)
    if not isinstance(item, Item) or item.charge is not charge or not item.is_planned or not is_standing(item):
        refuse("no planned item of the charge")
    return item


def check_amount(item: Item, amount: int) -> None:
    """An item is not reduced below what is paid of it, nor does it change sides (R-ITM-44)."""
    settled = item.paid + item.written_off
    if (settled > 0 and amount < settled) or (settled < 0 and amount > settled):
        refuse("more is paid of it")


def check_sum(charge: Charge) -> None:
    """Nothing is left unallocated (R-CI-06, R-ITM-43)."""
    if sum(item.amount for item in charge.items) != charge.amount:
        refuse("the items do not add up to the charge")


def add_planned(model: Model, charge: Charge, addition: Row, today: date) -> None:
    """A new item, on the invoice of its event date (R-ITM-42), for the default payer of the charge (R-ITM-04)."""
    if not addition.get("event_date") or not addition.get("item_type") or not addition["amount"]:
        refuse("a new item has a date, a type and an amount")
    stream = stream_of(charge, charge.payer)
    invoice = stream.find(addition["event_date"], cutoff_of(charge), today, model.business)
    numbers = [item.installment_number or 0 for item in charge.items]
    number = max(numbers, default=0) + 1 if addition["item_type"] == "installment" else None
    item = Item(
        charge,
        charge.last_item_no + 1,
        addition["item_type"],
        addition["event_date"],
        addition["amount"],
        invoice,
        number,
    )
    add_item(item, invoice)


def remove(item: Item) -> None:
    """Take an item away for good."""
    take_off(item)
    item.charge.items.remove(item)
