"""Commands about invoices (R-INV-30..32, R-INV-40)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.entities import Invoice, Stream
from tests.reference.equity import check_equity
from tests.reference.refusing import refuse

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


def create_invoice(model: Model, row: Row, stream: Stream, today: date) -> None:
    """An empty planned invoice; by default that of the next unused date of the cadence (R-INV-30).

    With its own bill date it is due as many days later as that one would be (silent).
    """
    params = row.get("params") or {}
    bill, due = params.get("bill_date"), params.get("due_date")
    following = stream.potential(today, today, "bill_date", model.business)
    if bill is None and due is None and not params.get("is_ad_hoc"):
        stream.add(following)
        return
    bill = bill or following.bill_date
    due = due or max(bill, bill + (following.due_date - following.bill_date))
    if bill < today or due < bill:
        refuse("an invoice is billed today or later, and due then or later")
    stream.make(bill, due, is_ad_hoc=bool(params.get("is_ad_hoc")))


def change_invoice_dates(model: Model, row: Row, invoice: Invoice, today: date) -> None:
    """Another bill date or due date of a planned invoice, another due date of a billed one (R-INV-31)."""
    params = row.get("params") or {}
    bill, due = params.get("bill_date"), params.get("due_date")
    if bill is None and due is None:
        refuse("no date is given")
    if invoice.status not in ("Planned", "Billed"):
        refuse("the dates of the invoice are final")
    if invoice.status == "Billed" and (bill is not None or due < today):
        refuse("a billed invoice may only fall due on another day, not a past one")
    bill, due = bill or invoice.bill_date, due or invoice.due_date
    if invoice.status == "Planned" and bill < today:
        refuse("it can not be billed in the past")
    if due < bill:
        refuse("due before it is billed")
    invoice.bill_date, invoice.due_date = bill, due
    check_equity(model, row, {item.charge.period for item in invoice.items}, today)


def resend_invoice(model: Model, row: Row, invoice: Invoice, today: date) -> None:  # noqa: ARG001
    """An invoice is sent once more: nothing changes (R-INV-32)."""
    if invoice.status not in ("Billed", "Due"):
        refuse("it has not been sent")
