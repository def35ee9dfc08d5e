"""Books made by hand in which only money moves: funds that receive it, pay items, pay it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ledger.book import TRANSACTIONS_PER_DAY, day_number
from tests.warehouse.published_books import line, write_book
from warehouse.catalogue import Published, connect, publish, query

Row = dict[str, Any]
DUE = "<Charge Pattern> Due"


def key(day: date, number: int) -> int:
    """The key of the n-th transaction of a day."""
    return day_number(day) * TRANSACTIONS_PER_DAY + number


def posted(
    day: date, number: int, kind: str, debit: str, credit: str, amount: int, *, on: date | None = None, **more: Any
) -> list[Row]:
    """The lines of a transaction of two sides; a negative amount swaps them, as taking back does."""
    sides = ("D", "C") if amount > 0 else ("C", "D")
    named = {"transaction_type": kind, **more}
    return [
        line(key(day, number), place, side, pattern, abs(amount), on or day, **named)
        for place, (side, pattern) in enumerate(zip(sides, (debit, credit), strict=True), 1)
    ]


def received(day: date, number: int, payment: int, amount: int, **more: Any) -> list[Row]:
    """Money comes into the default fund of account 1; negative: the receipt is taken back."""
    kind = "DirectBillMoneyReceivedTxn"
    return posted(day, number, kind, "Cash", "Unapplied", amount, payment_key=payment, **more)


def paid(day: date, number: int, amount: int, period: int = 1, **more: Any) -> list[Row]:
    """The fund pays an item of a policy period."""
    return posted(day, number, "ChargePaidFromAccount", "Unapplied", DUE, amount, period_key=period, **more)


def disbursed(day: date, number: int, amount: int, **more: Any) -> list[Row]:
    """The fund is paid out."""
    return posted(day, number, "DisbursementPaid", "Unapplied", "Cash", amount, **more)


def payment(number: int, amount: int, day: date, **more: Any) -> Row:
    """A payment of account 1, applied to nothing."""
    return {
        "payment_key": number,
        "payment_id": f"R{number}",
        "account_key": 1,
        "amount": amount,
        "payment_date": day,
        "received_date": day,
        "transaction_key": key(day, number),
        **more,
    }


class MoneyBook:
    """A book of one account, A, with two policy periods, P/1 and Q/1, that can be asked."""

    def __init__(
        self, home: Path, days: Mapping[date, Mapping[str, Sequence[Row]]], *, tracked_since: date | None = None
    ) -> None:
        self.home = home
        first = min(days)
        known: dict[str, Sequence[Row]] = {
            "accounts": [{"account_key": 1, "account_id": "A"}],
            "policies": [{"policy_key": n, "policy_id": name, "account_key": 1} for n, name in ((1, "P"), (2, "Q"))],
            "policy_periods": [{"period_key": n, "policy_key": n, "account_key": 1, "term_number": 1} for n in (1, 2)],
        }
        made = write_book(home / "warehouse", {**days, first: {**known, **days[first]}})
        publish(home, tracked(made, tracked_since))

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with connect(self.home) as connection:
            return query(connection, sql).rows()


def tracked(made: Published, since: date | None) -> Published:
    """The same, with funds tracked since that day."""
    setting = pl.DataFrame({"enabled_on": [since]}, {"enabled_on": pl.Date}).drop_nulls()
    return replace(made, plans={**made.plans, "funds_tracking": setting})
