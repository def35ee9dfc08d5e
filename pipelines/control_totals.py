"""Control totals of a batch: what its sender says that it comes to, and what it does come to (R-DBP-19)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from pipelines.homes import HomeError
from schemas.landing import LandingTable
from warehouse.landing import Code, LandingError

_AMOUNT = r"^\s*[+-]?[0-9]{1,18}(?:\.[0-9]{1,9})?\s*$"
_EXACT = pl.Decimal(38, 9)


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """The sum of the amounts of a batch and the number of its rows, as far as its sender says them."""

    total: Decimal | None = None
    count: int | None = None

    @classmethod
    def read(cls, total: str | None, count: int | None) -> ControlTotals:
        """From the words of the command line. Raises HomeError."""
        if total is not None and not re.match(_AMOUNT, total):
            msg = f"--control-total {total!r} is no amount such as 1234.50"
            raise HomeError(msg)
        return cls(Decimal(total) if total is not None else None, count)

    def __bool__(self) -> bool:
        return self.total is not None or self.count is not None


@dataclass(frozen=True, slots=True)
class Batch:
    """What rows come to: their number, the sum of their amounts, and their currencies."""

    rows: int
    total: Decimal
    currencies: frozenset[str]


def batch_of(rows: pl.DataFrame, name: str, table: LandingTable) -> Batch:
    """What the rows of a file come to, amounts and currencies as text. Raises LandingError when an amount is none."""
    if not table.money:
        return Batch(rows.height, Decimal(0), frozenset())
    amount = pl.col("amount").cast(pl.String)
    is_wrong = rows.select(~amount.str.contains(_AMOUNT).fill_null(value=False)).to_series()
    if (row := is_wrong.arg_max()) is not None and is_wrong[row]:
        msg = f"{name}, row {row + 1}: amount {rows['amount'][row]!r} is none, so that no control total can be checked"
        raise LandingError(Code.CONTROL, msg)
    total = rows.select(amount.str.strip_chars().str.strip_prefix("+").cast(_EXACT).sum()).item()
    named = rows["currency"].drop_nulls().unique().to_list() if "currency" in rows.columns else []
    return Batch(rows.height, Decimal(total or 0), frozenset(named))


def check_control(said: ControlTotals, batches: list[Batch], names: str) -> None:
    """Refuse a batch that does not add up to its control totals (R-DBP-19). Raises LandingError."""
    total, count = sum((batch.total for batch in batches), Decimal(0)), sum(batch.rows for batch in batches)
    currencies = sorted(frozenset().union(*(batch.currencies for batch in batches)))
    if said.total is not None and len(currencies) > 1:
        msg = f"{names}: a control total has one currency, the batch has {', '.join(currencies)}"
        raise LandingError(Code.CONTROL, msg)
    if said.count is not None and said.count != count:
        msg = f"{names}: control count {said.count}, the batch has {count} rows; nothing has landed (R-DBP-19)"
        raise LandingError(Code.CONTROL, msg)
    if said.total is not None and said.total != total:
        msg = f"{names}: control total {said.total}, the batch comes to {_plain(total)}; nothing has landed (R-DBP-19)"
        raise LandingError(Code.CONTROL, msg)


def _plain(amount: Decimal) -> str:
    """An amount with at least two decimals, and no zeros beyond."""
    text = f"{amount.normalize():f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(2, '0')}"
