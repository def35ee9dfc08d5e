"""Payment requests: what the carrier drafts by itself for invoices of non-responsive payers (R-PR-1..7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from tests.reference.dates import plus_days
from tests.reference.entities import Invoice
from tests.reference.payments import receive_in_order

if TYPE_CHECKING:
    from tests.reference.model import Model


@dataclass(eq=False)
class PaymentRequest:
    """A request for what is open of an invoice; ``amount`` is fixed from the fixed date on."""

    invoice: Invoice
    request_date: date
    fixed_date: date
    draft_date: date
    amount: int
    status: str = "Created"


def request_payment(model: Model, invoice: Invoice, today: date) -> None:
    """The request for an invoice that was billed, when its payer is drafted from (R-PR-2..4)."""
    payer = invoice.stream.payer
    if payer.responsive or invoice.amount_due <= 0:
        return
    date_of_request = plus_days(today, payer.billing_plan.get("request_interval_days", 0))
    request = PaymentRequest(invoice, date_of_request, today, today, invoice.amount_due)
    follow(model, request)
    model.requests.append(request)


def follow(model: Model, request: PaymentRequest) -> None:
    """What a request takes from its invoice and from the plan of the payer as they are (R-PR-3, R-PR-4, R-PR-6)."""
    invoice, plan = request.invoice, request.invoice.stream.payer.billing_plan
    request.amount = invoice.amount_due
    raw = plus_days(invoice.due_date, -plan.get("draft_interval_days", 0))
    draft = model.business.adjust(raw, plan.get("draft_day_logic", "exact_day"))
    request.fixed_date = max(request.request_date, plus_days(draft, -plan.get("change_deadline_days", 0)))
    request.draft_date = max(request.fixed_date, draft)


def draft_payments(model: Model, today: date) -> None:
    """Requests whose day has come are fixed; those to be drafted are paid, each for its invoice (R-PR-5, R-PR-6).

    Of drafts of one day the one for what is due first is the oldest (R-DST-15; silent), then what was billed first.
    """
    rows = []
    for request in sorted(model.requests, key=order_of_draft):
        if request.status in ("Created", "Requested") and request.fixed_date <= today:
            advance(model, request, today)
        if request.status == "Fixed" and request.draft_date <= today:
            request.status = "Drafted"
            invoice = request.invoice
            rows.append(
                {
                    "payment_id": f"draft/{invoice.invoice_key}",
                    "account_id": invoice.stream.payer.account_id,
                    "invoice_id": invoice.invoice_key,
                    "amount": request.amount,
                }
            )
    receive_in_order(model, rows, today)


def follow_invoices(model: Model, today: date) -> None:
    """At the end of the day requests follow what is open by then (R-PR-6, decision 004)."""
    for request in model.requests:
        if request.status in ("Created", "Requested"):
            advance(model, request, today)


def order_of_draft(request: PaymentRequest) -> tuple[date, date, int, int]:
    """Due date, bill date, and which stream of the payer was made first, and which invoice (silent)."""
    invoice, payer = request.invoice, request.invoice.stream.payer
    place = list(payer.streams.values()).index(invoice.stream)
    return invoice.due_date, invoice.bill_date, place, invoice.number


def advance(model: Model, request: PaymentRequest, today: date) -> None:
    """Until it is fixed a request follows what is open, and ends when nothing is (R-PR-6)."""
    follow(model, request)
    if request.amount <= 0 or request.invoice.stream.payer.responsive:
        request.status = "Canceled"
    elif request.fixed_date <= today:
        request.status = "Fixed"
    elif request.request_date <= today:
        request.status = "Requested"
