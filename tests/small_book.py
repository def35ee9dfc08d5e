"""A small book for tests of single processes: accounts, policies, invoices and items written down one by one.

The tests name things by the order in which they made them; keys are dense, as in a real book.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl

from carriers import standard
from ledger.book import Book, day_number
from ledger.carrier import Carrier
from ledger.plans import PaymentAllocationPlan
from schemas.book import BOOK_TABLES
from schemas.landing import PAYMENTS

DAY = date(2026, 3, 15)
DEFAULT_PLAN = "Default Payment Allocation Plan"
_TABLES = {table.name: table for table in BOOK_TABLES}
_FILLER = {pl.Int64: 0, pl.Int8: 1, pl.Int16: 0, pl.String: "", pl.Date: date(2026, 1, 1), pl.Boolean: False}


def allocation_plan(name: str = "Test Plan", **settings: Any) -> PaymentAllocationPlan:
    """A payment allocation plan that holds for ever."""
    return (
        Carrier.from_toml(standard())
        .payment_allocation_plans[DEFAULT_PLAN]
        .model_copy(update={"name": name} | {key: tuple(words) for key, words in settings.items()})
    )


def carrier(*plans: PaymentAllocationPlan, **settings: Any) -> Carrier:
    """The standard carrier with further payment allocation plans and other settings."""
    base = Carrier.from_toml(standard())
    named = dict(base.payment_allocation_plans) | {plan.name: plan for plan in plans}
    return base.model_copy(update={"payment_allocation_plans": named} | settings)


def payments(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Accepted payment rows with file and row number; what a row does not say is empty."""
    frame = (
        PAYMENTS.empty()
        if not rows
        else pl.DataFrame(
            [{name: row.get(name) for name in PAYMENTS.column_names} for row in rows], schema=PAYMENTS.schema
        )
    )
    return frame.with_columns(file=pl.lit("payments/test.csv"), row_no=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))


@dataclass
class SmallBook:
    """Rows of the state tables, filled in where a test says nothing."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in _TABLES})

    def add(self, table: str, **values: Any) -> int:
        """Add a row; returns its key."""
        filled = {}
        for column in _TABLES[table].columns:
            default = None if column.nullable else column.values[0] if column.values else _FILLER[column.dtype]
            filled[column.name] = values.get(column.name, default)
        unknown = set(values) - set(filled)
        assert not unknown, f"{table} has no columns {unknown}"
        self.rows[table].append(filled)
        return int(filled[_TABLES[table].key[0]])

    def account(self, account_id: str, **values: Any) -> int:
        """An insured account that keeps invoices and funds per account."""
        key = len(self.rows["accounts"]) + 1
        given = {
            "account_key": key,
            "account_id": account_id,
            "currency": "USD",
            "invoice_by": "account",
            "separate_funds_by": "account",
            "payment_allocation_plan": DEFAULT_PLAN,
        }
        return self.add("accounts", **(given | values))

    def policy(self, policy_id: str, account_key: int) -> int:
        """A policy without periods."""
        key = len(self.rows["policies"]) + 1
        return self.add("policies", policy_key=key, policy_id=policy_id, account_key=account_key)

    def period(self, policy_key: int, term_number: int = 1, **values: Any) -> int:
        """A policy period; terms start a year apart."""
        policy = self.rows["policies"][policy_key - 1]
        given = {
            "period_key": len(self.rows["policy_periods"]) + 1,
            "policy_key": policy_key,
            "account_key": policy["account_key"],
            "term_number": term_number,
            "effective_date": date(2025 + term_number, 1, 1),
        }
        return self.add("policy_periods", **(given | values))

    def invoice(
        self,
        account_key: int,
        bill_date: date,
        due_date: date | None = None,
        *,
        stream: int = 1,
        cadence_date: date | None = None,
    ) -> int:
        """An invoice of a stream of an account; due 20 days after it is billed."""
        stream_key = account_key * 100 + stream
        key = stream_key * 2**20 + day_number(cadence_date or bill_date) * 8
        return self.add(
            "invoices",
            invoice_key=key,
            stream_key=stream_key,
            account_key=account_key,
            bill_date=bill_date,
            due_date=due_date or bill_date + timedelta(days=20),
        )

    def item(self, invoice_key: int, amount: int, *, period_key: int = 0, **values: Any) -> int:
        """An item on an invoice, one to a charge; its event date is the bill date of the invoice."""
        invoice = next(row for row in self.rows["invoices"] if row["invoice_key"] == invoice_key)
        charge_key = len(self.rows["invoice_items"]) + 1
        period = self.rows["policy_periods"][period_key - 1] if period_key else None
        given = {
            "item_key": charge_key * 1024 + 1,
            "charge_key": charge_key,
            "invoice_key": invoice_key,
            "account_key": invoice["account_key"],
            "owner_type": "PolicyPeriod" if period else "Account",
            "owner_key": period_key or invoice["account_key"],
            "policy_key": period["policy_key"] if period else 0,
            "period_key": period_key,
            "charge_pattern": "Premium",
            "priority": 2,
            "event_date": invoice["bill_date"],
            "amount": amount,
            "paid": 0,
            "currency": "USD",
        }
        return self.add("invoice_items", **(given | values))

    def fund(self, account_key: int, balance: int, policy_key: int = 0) -> int:
        """An unapplied fund."""
        key = policy_key * 2 + 1 if policy_key else account_key * 2
        return self.add(
            "funds", fund_key=key, account_key=account_key, policy_key=policy_key, balance=balance, currency="USD"
        )

    def book(self) -> Book:
        """The book at the start of a day."""
        frames = {
            name: table.conform(pl.DataFrame(self.rows[name], schema=table.schema, orient="row"))
            for name, table in _TABLES.items()
        }
        return Book(frames).open_day()


def billed(days_ago: int = 5) -> date:
    """A bill date before DAY whose invoice is not due yet."""
    return DAY - timedelta(days=days_ago)
