"""What was paid of items: recorded, taken back, moved; items cancelled by an offset (R-LED-13, R-ITM-13..17)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tests.reference.distribution import Applied
from tests.reference.entities import Account, Charge, Invoice, Item, PaymentItem, WriteOffItem, add_item

if TYPE_CHECKING:
    from tests.reference.model import Model


def record(model: Model, part: PaymentItem, today: date) -> None:
    """Enter what was paid of an item in the fund and the journal (R-BL-7)."""
    part.account.funds[part.fund_policy_id] -= part.amount
    charge = part.item.charge
    if charge.pattern_data["subtype"] == "recapture":  # R-TXN-04
        charge.owner.funds[charge.fund_policy_id] += part.amount
    model.posted.item_paid(part, today)
    model.all_payment_items.append(part)


def record_parts(
    model: Model, account: Account, fund: str | None, parts: list[Applied], payment_id: str | None, today: date
) -> None:
    """Enter what a distribution paid; a credit pays without a payment, also where a payment is the occasion."""
    first_half = None
    for part in parts:
        payer = payment_id if part.credit is None else None
        paid = PaymentItem(today, account, fund, part.item, part.amount, payer, part.credit)
        if part.credit is not None and part.item is part.credit:
            first_half = paid
        elif part.credit is not None and first_half is not None:
            paid.other, first_half.other = first_half, paid
        record(model, paid, today)


def paid_parts(model: Model, item: Item) -> list[PaymentItem]:
    """What was paid of an item and stands."""
    return [part for part in model.all_payment_items if part.item is item and not part.is_undone]


def take_back(model: Model, item: Item, today: date) -> None:
    """Everything that was paid of an item goes back to the funds it came from (A-7, R-ITM-17).

    A credit and what it paid are taken back together: neither stands without the other.
    """
    parts = paid_parts(model, item)
    parts += [part.other for part in parts if part.other is not None and part.other not in parts]
    for part in sorted(parts, key=model.all_payment_items.index):
        undo(model, part, today)


def empty_designated_funds(model: Model, today: date) -> None:
    """Where no funds are kept per policy all money is in the default fund (R-BL-10), also what comes back later."""
    for account in model.accounts.values():
        for policy_id, balance in account.funds.items():
            if policy_id is not None and not account.separate_funds:
                model.posted.between_funds(account, policy_id, balance, today)
                account.funds[None] += balance
                account.funds[policy_id] = 0


def take_back_write_offs(model: Model, item: Item, today: date) -> None:
    """What was written off of an item is owed again (R-ITM-16)."""
    for part in standing_write_offs(model, item):
        take_back_write_off(model, part, today)


def standing_write_offs(model: Model, item: Item) -> list[WriteOffItem]:
    """What was written off of an item and has not been taken back."""
    return [part for part in model.all_write_off_items if part.item is item and not part.is_undone]


def take_back_write_off(model: Model, part: WriteOffItem, today: date) -> None:
    """What was written off once is owed again; it can be taken back once (R-WO-9, A-WO-3)."""
    part.is_undone = True
    part.item.written_off -= part.amount
    model.all_write_off_items.append(WriteOffItem(today, "reversed", part.item, -part.amount, is_undone=True))
    model.posted.written_off(part.item, part.amount, today, back=True)


def move_write_offs(model: Model, item: Item, to: Item) -> None:
    """What was written off of an item is written off of the one that takes its place (R-ITM-15)."""
    for part in standing_write_offs(model, item):
        part.item = to
        item.written_off -= part.amount
        to.written_off += part.amount


def undo(model: Model, part: PaymentItem, today: date) -> None:
    """The same once more, the other way round (R-LED-13)."""
    part.is_undone = True
    back = PaymentItem(
        today, part.account, part.fund_policy_id, part.item, -part.amount, part.payment_id, part.credit, is_undone=True
    )
    part.item.paid -= part.amount
    record(model, back, today)


def move_parts(model: Model, item: Item, to: Item, today: date) -> None:
    """What was paid of an item is paid of another one of the same charge: nothing is posted (R-ITM-15).

    What a credit paid is paid by the other item then.
    """
    for part in paid_parts(model, item):
        credit = to if part.credit is item else part.credit
        new = replace(model, part, to, credit, today)
        if part.other is not None:
            other = part.other
            new.other = replace(model, other, other.item, credit, today) if part.credit is item else other
            new.other.other = new


def replace(model: Model, part: PaymentItem, to: Item, credit: Item | None, today: date) -> PaymentItem:
    """The same part on an item, by a credit, instead of where it was."""
    away = PaymentItem(today, part.account, part.fund_policy_id, part.item, -part.amount, part.payment_id, part.credit)
    new = PaymentItem(today, part.account, part.fund_policy_id, to, part.amount, part.payment_id, credit)
    away.is_undone = part.is_undone = True
    for moved in (away, new):
        moved.item.paid += moved.amount
        model.all_payment_items.append(moved)
    return new


def offset(model: Model, item: Item, today: date, amount: int | None = None) -> Item:
    """An item of the opposite amount on the same invoice; the two settle each other (R-ITM-14, A-8, A-10)."""
    amount = item.amount if amount is None else amount
    opposite = like(item, -amount, item.invoice, "offset")
    model.posted.as_its_invoice(opposite, today)
    settle(model, item, opposite, today)
    return opposite


def settle(model: Model, item: Item, opposite: Item, today: date) -> None:
    """An item and what cancels it pay each other without money (A-10).

    Those of two charges do so through the default fund of the payer, the negative one as the credit (silent).
    """
    is_posted = opposite.charge is not item.charge
    credit = (opposite if opposite.amount < 0 else item) if is_posted else None
    for one, amount in ((item, -opposite.amount), (opposite, opposite.amount)):
        one.paid += amount
        part = PaymentItem(today, item.payer, None, one, amount, credit=credit, is_settlement=True, is_undone=True)
        model.all_payment_items.append(part)
        if is_posted:
            model.posted.item_paid(part, today)


def onset(item: Item, invoice: Invoice, amount: int | None = None) -> Item:
    """The item that takes the place of a cancelled one, on another invoice (R-ITM-14)."""
    return like(item, item.amount if amount is None else amount, invoice, "onset")


def like(item: Item, amount: int, invoice: Invoice, reversal_kind: str, charge: Charge | None = None) -> Item:
    """A new item that has what another one has, but its amount, its invoice, and maybe its charge."""
    charge = charge or item.charge
    new = Item(
        charge,
        charge.last_item_no + 1,
        item.item_type,
        item.event_date,
        amount,
        invoice,
        item.installment_number,
        reversal_kind=reversal_kind,
        related=item,
    )
    return add_item(new, invoice)


def is_cancelled(item: Item) -> bool:
    """Whether an offset, of the same charge or of one that reverses it, has cancelled an item."""
    beside = item.invoice.items
    return any(other.related is item and other.reversal_kind == "offset" for other in beside)


def is_standing(item: Item) -> bool:
    """Neither an offset nor taken back by one, on an invoice that was not ended otherwise than by billing (silent)."""
    in_use = item.invoice.status in ("Planned", "Billed", "Due")
    return in_use and item.reversal_kind != "offset" and not is_cancelled(item)
