"""What of a carrier file cannot be taken away: the plans and charge patterns that the book follows."""

from __future__ import annotations

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.carrier_file import CarrierError, Problem

_NAMES = (
    ("accounts", "billing_plan", "billing_plans"),
    ("accounts", "payment_allocation_plan", "payment_allocation_plans"),
    ("policy_periods", "payment_plan", "payment_plans"),
    ("policy_periods", "return_premium_plan", "return_premium_plans"),
    ("charges", "charge_pattern", "charge_patterns"),
)
"""Table and column of the book that names something, and the table of the carrier file that must have it."""


def check_names_in_use(book: Book, carrier: Carrier, source: str) -> None:
    """Raises CarrierError when the book follows a plan or a charge pattern that the carrier file no longer has.

    `source` is what messages call the file.
    """
    problems = []
    for table, column, key in _NAMES:
        names = book[table][column]
        known = getattr(carrier, key)
        lost = names.filter(~names.is_in(list(known))).drop_nulls().value_counts(sort=True).rows()
        problems += [
            Problem(
                source, None, key, f'has no "{name}"', f"every name in use; {rows} {table} in the book use this one"
            )
            for name, rows in lost
        ]
    if problems:
        raise CarrierError(problems)
