"""Ad hoc credits: money given to an account by placing it in one of its funds, and taken back (R-AHC-1..5, A-1..A-5).

An ad hoc credit never pays items itself. Nothing is posted before it is approved (R-AHC-3, R-LED-21).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.effects import Effects
from ledger.funds import change_balances, fund_policy_key
from ledger.payment_items import POSTED_TODAY
from ledger.posting import transaction_frame
from ledger.taking_back import empty_designated_funds

CREDIT_TRANSACTIONS = {
    "Goodwill": "AccountGoodwillTxn",
    "Interest": "AccountInterestTxn",
    "Collections": "AccountCollectionTxn",
    "Other": "AccountOtherTxn",
}
"""By which transaction a credit of each type is posted (R-TXN-09)."""


def execute_credits(book: Book, credit_keys: pl.Series, day: date) -> Effects:
    """Place the money of these credits in their funds, dated today; they are Executed (A-1..A-4, R-ACT-4)."""
    rows = _rows(book, credit_keys)
    if rows.is_empty():
        return Effects(book)
    book = _with_status(book, rows, "Executed", executed_date=day)
    return _move(book, rows, day)


def reverse_credits(book: Book, credit_keys: pl.Series, day: date) -> Effects:
    """Take these executed credits back in full; each transaction names the one that it takes back (R-AHC-4, A-5).

    The money may have been spent: the fund is then in deficit.
    """
    rows = _rows(book, credit_keys)
    if rows.is_empty():
        return Effects(book)
    book = _with_status(book, rows, "Reversed", reversed_date=day)
    is_of_today = pl.col("transaction_key") == 0
    original = pl.when(is_of_today).then(POSTED_TODAY).otherwise("transaction_key")
    return _move(book, rows.with_columns(amount=-pl.col("amount"), reverses_transaction_key=original), day)


def set_credit_status(book: Book, credit_keys: pl.Series, status: str) -> Book:
    """Give these credits a status with which nothing is posted."""
    return _with_status(book, _rows(book, credit_keys), status)


def _rows(book: Book, credit_keys: pl.Series) -> pl.DataFrame:
    rows = book["ad_hoc_credits"].with_row_index("row")
    return rows.filter(pl.col("credit_key").is_in(credit_keys.implode())).sort("credit_key")


def _with_status(book: Book, rows: pl.DataFrame, status: str, **dates: date) -> Book:
    height = rows.height
    values = {"status": pl.Series([status]).new_from_index(0, height)}
    values |= {name: pl.Series([day]).new_from_index(0, height) for name, day in dates.items()}
    return book.update("ad_hoc_credits", rows["row"], values)


def _move(book: Book, rows: pl.DataFrame, day: date) -> Effects:
    """Money into the funds of these credits, or out of them where the amount is negative."""
    moves = rows.with_columns(fund_policy_key=fund_policy_key(), policy_key=fund_policy_key())
    book = change_balances(book, moves)
    transactions = tuple(
        transaction_frame(
            moves.filter(pl.col("credit_type") == name),
            transaction_type,
            transaction_date=day,
            subject_key=pl.col("credit_key"),
        )
        for name, transaction_type in CREDIT_TRANSACTIONS.items()
        if name in moves["credit_type"].cast(pl.String)
    )
    effects = Effects(book, transactions)
    return effects.then(empty_designated_funds(book, moves["fund_key"], day))
