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
from ledger.automatic_disbursements import disburse
from ledger.billing import bill_invoices, make_invoices_due
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.chart import load_chart
from ledger.closure import close_and_reopen
from ledger.commands import execute_commands
from ledger.contracts import ContractViolationError, DayOutcome, check_day
from ledger.earning import earn_premium
from ledger.instructions import book_instructions
from ledger.intake import accept
from ledger.payment_items import number_transactions
from ledger.payment_requests import advance_payment_requests, follow_invoices
from ledger.payments import distribute_new_payments, distribute_on_turned_invoices
from ledger.pending import let_wait, with_waiting_rows
from ledger.posting import post, transaction_frame
from ledger.quarantine import complete_refused, counts
from ledger.receipts import receive_payments
from ledger.refund_keys import number_refunds
from ledger.return_premiums import allocate_credits
from ledger.suspense import match_suspense_payments
from ledger.working_book import WorkingBook
from schemas.journal import EQUITY_WARNINGS, ITEM_EVENTS, OUTBOUND_EVENTS, QUARANTINE, WARNINGS


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A closed day: the book after it, and its outcome, by which it is proven."""

    book: Book
    outcome: DayOutcome

    @property
    def day(self) -> date:
        """The business date."""
        return self.outcome.day

    @property
    def changes(self) -> Mapping[str, pl.DataFrame]:
        """The rows of the book that the day added or changed, by table."""
        return self.outcome.changes

    @property
    def events(self) -> Mapping[str, pl.DataFrame]:
        """The rows that the day added to the event tables, by table."""
        return self.outcome.events


def close(book: Book, inbox: Mapping[str, pl.DataFrame], day: date, carrier: Carrier) -> ClosedDay:
    """Close one business day: compute it, and prove it.

    Takes and returns what `compute` does. Raises ContractViolationError when a blocking contract does not hold; then
    nothing of the day may be kept.
    """
    closed = compute(book, inbox, day, carrier)
    prove(closed, carrier)
    return closed


def prove(closed: ClosedDay, carrier: Carrier) -> None:
    """Hold a computed day against every blocking contract. Raises ContractViolationError."""
    violations = check_day(closed.outcome, carrier)
    if not violations.is_empty():
        raise ContractViolationError(closed.outcome.day, violations)


def compute(book: Book, inbox: Mapping[str, pl.DataFrame], day: date, carrier: Carrier) -> ClosedDay:
    """Compute a business day, which may be kept once it is proven.

    In: the book after the day before; the raw landing rows of the day, as text, by table. Out: the closed day. Rules:
    R-LIF-23, with new payments distributed before invoices are billed and become due, so that a payment's own
    association is honoured first (R-DST-16).
    """
    yesterday = day - timedelta(days=1)

    inbox = with_waiting_rows(book, inbox)
    landed = accept(book, inbox, day, carrier)
    working = WorkingBook.of_day(book, landed, day, carrier)
    book = book_accounts(working.book, landed, day, carrier)

    instructed = book_instructions(book, landed.billing_instructions, landed.charges, day, carrier)
    waiting = let_wait(instructed.book, inbox, pl.concat([landed.refused, instructed.refused]), day, carrier)
    received = receive_payments(waiting.book, landed.payments, day, carrier)
    matched = match_suspense_payments(received.book, day, carrier)
    paid = distribute_new_payments(matched.book, day, carrier, billed_through=yesterday, due_through=yesterday)

    commanded = execute_commands(paid.book, landed.commands, day, carrier)

    returned = allocate_credits(commanded.book, day, carrier, billed_through=yesterday, due_through=yesterday)

    billed = bill_invoices(returned.book, day, carrier)
    drafted = advance_payment_requests(billed.book, day, carrier)
    due = make_invoices_due(drafted.book, day, carrier)
    settled = distribute_on_turned_invoices(due.book, billed.account_keys, due.account_keys, day, carrier)
    refunded = disburse(settled.book, day, carrier)
    book = follow_invoices(refunded.book, carrier)
    earned = transaction_frame(earn_premium(book["charges"], day, carrier), "ProRataChargeEarned", transaction_date=day)

    transactions = pl.concat(
        [
            instructed.transactions,
            received.transactions,
            *matched.transactions,
            paid.transactions,
            *commanded.transactions,
            returned.transactions,
            *billed.effects.transactions,
            *drafted.transactions,
            *due.effects.transactions,
            settled.transactions,
            *refunded.transactions,
            earned,
        ]
    )
    book, transactions = number_transactions(book, transactions, day)
    book, transactions = number_refunds(book, transactions, day)
    refused = complete_refused(inbox, pl.concat([waiting.refused, received.refused, *commanded.refused]))
    warnings = complete_refused(
        inbox, pl.concat([landed.warnings, instructed.warnings, received.warnings, *commanded.warnings])
    )
    recorded = pl.lit(day).alias("business_date")
    happened = (
        instructed.effects.then(commanded).then(billed.effects).then(drafted).then(due.effects).then(refunded).events
    )
    journal = post(transactions, day, load_chart())
    book = close_and_reopen(book, journal, day, carrier)
    events = {
        "journal": journal,
        "quarantine": QUARANTINE.conform(refused.with_columns(recorded)),
        "warnings": WARNINGS.conform(warnings.with_columns(recorded)),
        "intake": counts(inbox, landed, refused, day, waiting.rows),
        **{
            table.name: pl.concat(
                [table.empty(), *(table.conform(rows.with_columns(recorded)) for rows in happened.get(table.name, ()))]
            )
            for table in (ITEM_EVENTS, OUTBOUND_EVENTS, EQUITY_WARNINGS)
        },
    }
    outcome = DayOutcome(working.book, book, book.changes(), events, day)
    return ClosedDay(working.put_back(book, outcome.changes), outcome)
