"""The billing day, from top to bottom.

`close` is a pure function: the same book, inbox, day and carrier give the same bytes. Every process reads the book and
returns it changed, with the transactions to post; none looks at what a later one does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from ledger.accounts import book_accounts
from ledger.billing import bill_invoices, make_invoices_due
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.chart import load_chart
from ledger.contracts import ContractViolationError, DayOutcome, check_day
from ledger.earning import earn_premium
from ledger.instructions import book_instructions
from ledger.intake import accept
from ledger.payments import distribute_new_payments, distribute_on_turned_invoices, number_payment_items
from ledger.posting import post, transaction_frame
from ledger.quarantine import complete_refused, counts
from ledger.receipts import receive_payments
from schemas.journal import QUARANTINE, WARNINGS


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A closed day: the book after it (with its changes) and the events that it added, by table name."""

    day: date
    book: Book
    events: Mapping[str, pl.DataFrame]

    @property
    def changes(self) -> dict[str, pl.DataFrame]:
        """Rows of the state tables that the day added or changed."""
        return self.book.changes()


def close(book: Book, inbox: Mapping[str, pl.DataFrame], day: date, carrier: Carrier) -> ClosedDay:
    """Close one business day.

    In: the book after the day before; the raw landing rows of the day, as text, by table. Out: the closed day. Raises
    ContractViolationError when a blocking contract does not hold; then nothing of the day may be kept. Rules: R-LIF-23,
    with new payments distributed before invoices are billed and become due, so that a payment's own association is
    honoured first (R-DST-16).
    """
    before = book
    book = book.open_day()
    yesterday = day - timedelta(days=1)

    landed = accept(book, inbox, day, carrier)
    book = book_accounts(book, landed, day, carrier)

    instructed = book_instructions(book, landed.billing_instructions, landed.charges, day, carrier)
    received = receive_payments(instructed.book, landed.payments, day, carrier)
    paid = distribute_new_payments(received.book, day, carrier, billed_through=yesterday, due_through=yesterday)

    billed = bill_invoices(paid.book, day, carrier)
    due = make_invoices_due(billed.book, day, carrier)
    settled = distribute_on_turned_invoices(due.book, billed.account_keys, due.account_keys, day, carrier)
    book = settled.book
    earned = transaction_frame(earn_premium(book["charges"], day, carrier), "ProRataChargeEarned", transaction_date=day)

    steps = (instructed, received, paid, billed, due, settled)
    transactions = pl.concat([*(step.transactions for step in steps), earned])
    refused = complete_refused(inbox, pl.concat([landed.refused, instructed.refused, received.refused]))
    warnings = complete_refused(inbox, pl.concat([landed.warnings, received.warnings]))
    recorded = pl.lit(day).alias("business_date")
    events = {
        "journal": post(transactions, day, load_chart()),
        "payment_items": number_payment_items([paid.payment_items, settled.payment_items], day),
        "quarantine": QUARANTINE.conform(refused.with_columns(recorded)),
        "warnings": WARNINGS.conform(warnings.with_columns(recorded)),
        "intake": counts(inbox, landed, refused, day),
    }
    violations = check_day(DayOutcome(before, book, events, day), carrier)
    if not violations.is_empty():
        raise ContractViolationError(day, violations)
    return ClosedDay(day, book, events)
