"""Suspense items: parts of payments of known payers, set aside where no distribution sees them (R-SUS-11..20)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book, number_from
from ledger.effects import Effects
from ledger.funds import change_balances
from ledger.posting import transaction_frame


def suspend_parts(book: Book, items: pl.DataFrame, day: date) -> Effects:
    """Set parts of payments aside: out of their fund, into the Suspense of the account (R-SUS-11, R-SUS-12, T-09).

    In: suspense_item_id, payment_key, account_key, fund_key, policy_number, amount, currency.
    """
    if items.is_empty():
        return Effects(book)
    new = items.sort("suspense_item_id").with_columns(
        number_from(book.next_key("suspense_items"), "suspense_item_key"),
        status=pl.lit("open"),
        created_date=pl.lit(day),
        closed_date=pl.lit(None, pl.Date),
    )
    book = book.append("suspense_items", new)
    return _move(book, new, -1, "AcctUnappliedSuspTxn", day)


def release_items(book: Book, item_keys: pl.Series, status: str, day: date) -> Effects:
    """Give open suspense items back to their funds: released, or reversed with their payment (R-SUS-14, 20, T-10)."""
    items = book["suspense_items"].with_row_index("row")
    items = items.filter(pl.col("suspense_item_key").is_in(item_keys.implode()) & (pl.col("status") == "open"))
    if items.is_empty():
        return Effects(book)
    book = book.update(
        "suspense_items",
        items["row"],
        {
            "status": pl.Series([status]).new_from_index(0, items.height),
            "closed_date": pl.Series([day]).new_from_index(0, items.height),
        },
    )
    return _move(book, items.sort("suspense_item_key"), 1, "AcctSuspenseReleaseTxn", day)


def _move(book: Book, items: pl.DataFrame, sign: int, transaction_type: str, day: date) -> Effects:
    """Money of these items into their funds, or out of them."""
    fund_policy_key = pl.when(pl.col("fund_key") % 2 == 1).then(pl.col("fund_key") // 2).otherwise(0)
    items = items.with_columns(fund_policy_key=fund_policy_key)
    moves = items.select(
        "fund_key", "account_key", "currency", amount=pl.col("amount") * sign, policy_key="fund_policy_key"
    )
    return Effects(change_balances(book, moves), (transaction_frame(items, transaction_type, transaction_date=day),))
