"""The book as a value: what is done to one book is not seen in the book from which it came."""

from __future__ import annotations

import polars as pl

from ledger.book import Book


def test_an_earlier_book_does_not_learn_of_later_changes() -> None:
    """R-EQT-16: a command that is refused after it was tried leaves the book that was there before, whole."""
    table = "funds"
    rows = pl.DataFrame({"fund_key": [2, 4], "account_key": [1, 2], "policy_key": [0, 0], "currency": "USD"})
    opened = Book.empty().append(table, rows.with_columns(balance=pl.lit(0, pl.Int64))).open_day()
    before = opened.update(table, pl.Series([0]), {"balance": pl.Series([10])})
    grown = before.append(table, rows.with_columns(fund_key=pl.col("fund_key") + 10, balance=pl.lit(0, pl.Int64)))
    after = grown.update(table, pl.Series([1, 3]), {"balance": pl.Series([20, 30])})
    assert after.changed_rows[table].to_list() == [0, 1, 3]
    assert before.changed_rows[table].to_list() == [0]
    assert before.changes()[table].select("fund_key", "balance").rows() == [(2, 10)]
