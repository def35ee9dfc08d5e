"""A journal made by hand: transactions in words, posted day by day, and the balances of its T-accounts by name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from ledger.balances import t_account_balances, t_account_name, trial_balance
from ledger.chart import load_chart
from ledger.posting import post, reverse, transaction_frame
from schemas.journal import JOURNAL

PARTIES: Mapping[str, Mapping[str, Any]] = {
    "account": {"account_key": 1},
    "period": {"owner_type": "PolicyPeriod", "owner_key": 2, "period_key": 2},
    "producer": {"producer_key": 3, "producer_code_key": 4, "policy_commission_key": 5, "charge_commission_key": 6},
    "collateral": {"collateral_key": 7, "requirement_key": 8},
}
"""Who takes part unless a transaction says otherwise."""
EVERYBODY = {name: key for party in PARTIES.values() for name, key in party.items()}


def minor_units(amount: str) -> int:
    """`"12.50"` in cents."""
    return int(Decimal(amount) * 100)


def transaction(transaction_type: str, amount: str, day: date, **columns: Any) -> pl.DataFrame:
    """One transaction of an amount such as "12.50", between EVERYBODY unless columns say otherwise."""
    amounts = {name: columns.pop(name) for name in ("net_amount", "commission_amount") if name in columns}
    given = {"currency": "USD", **EVERYBODY, **columns}
    given |= {name: minor_units(text) for name, text in {"amount": amount, **amounts}.items()}
    given.setdefault("transaction_date", day)
    return transaction_frame(pl.DataFrame({"row": [0]}), transaction_type, **given)


class Postings:
    """A journal that grows; every posting leaves the book in balance (R-LED-22)."""

    def __init__(self) -> None:
        self.journal = JOURNAL.empty()

    def post(self, day: date, *transactions: tuple[Any, ...]) -> pl.DataFrame:
        """Post (type, amount) or (type, amount, columns) on a day; returns the new lines."""
        frames = [
            transaction(transaction_type, amount, day, **(columns[0] if columns else {}))
            for transaction_type, amount, *columns in transactions
        ]
        return self._add(post(pl.concat(frames), day, load_chart(), first_sequence=self._next(day)))

    def reverse(self, day: date, lines: pl.DataFrame) -> pl.DataFrame:
        """Take back whole transactions on a day; returns the new lines."""
        return self._add(reverse(lines, day, first_sequence=self._next(day), transaction_date=day))

    def balances(self, as_of: date | None = None) -> dict[tuple[str, str], str]:
        """Natural balances by (T-account name, owner type), without those that are zero."""
        named = t_account_balances(self.journal, as_of).select(
            t_account_name(), pl.col("owner_type").cast(pl.String), "balance"
        )
        total = named.group_by("t_account", "owner_type").agg(pl.col("balance").sum()).filter(pl.col("balance") != 0)
        return {(name, owner): f"{Decimal(balance) / 100:.2f}" for name, owner, balance in total.rows()}

    def balance(self, name: str, owner_type: str, as_of: date | None = None) -> str:
        """The natural balance of a T-account."""
        return self.balances(as_of).get((name, owner_type), "0.00")

    def _next(self, day: date) -> int:
        return self.journal.filter(pl.col("business_date") == day)["transaction_key"].n_unique() + 1

    def _add(self, lines: pl.DataFrame) -> pl.DataFrame:
        self.journal = pl.concat([self.journal, lines])
        totals = trial_balance(self.journal).select(pl.col("debit_balance", "credit_balance").sum())
        assert totals.item(0, 0) == totals.item(0, 1)
        return lines


def in_words(lines: pl.DataFrame) -> list[str]:
    """Lines as `Dr Premium Due [PolicyPeriod] 12.00`."""
    rows = lines.select("side", t_account_name(), "owner_type", "amount").rows()
    return [
        f"{'Dr' if side == 'D' else 'Cr'} {name} [{owner}] {Decimal(amount) / 100:.2f}"
        for side, name, owner, amount in rows
    ]
