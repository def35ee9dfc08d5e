"""Payment items and write-off items: what paid an invoice item, or is no longer expected of it.

Rows are only ever added: what is taken back is a row with the opposite amount that names the row it reverses. Keys are
packed from the day and a sequence, in the order in which the day adds them.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import TABLES, TRANSACTIONS_PER_DAY, Book, day_number

_POSTED = {"payment_items": "ChargePaidFromAccount", "write_off_items": "ChargeWrittenOff"}
"""By which transaction each row of these tables is posted."""
POSTED_TODAY = -1
"""Stands for the key of a transaction of the day in progress, which has none until the day is posted."""
_RECEIPTS = ("DirectBillMoneyReceivedTxn", "SuspPymtTransaction")


def append_payment_items(book: Book, rows: pl.DataFrame, day: date) -> Book:
    """Add payment items in the order of the rows.

    A row with a `transaction_key` keeps it (0 when nothing is posted for it); the others get theirs at the end of the
    day, in the same order as the ChargePaidFromAccount transactions of the day.
    """
    return _append(book, "payment_items", "payment_item_key", rows, day)


def append_write_off_items(book: Book, rows: pl.DataFrame, day: date) -> Book:
    """Add write-off items in the order of the rows; transaction keys as for payment items, of ChargeWrittenOff."""
    return _append(book, "write_off_items", "write_off_item_key", rows, day)


def _append(book: Book, table: str, key: str, rows: pl.DataFrame, day: date) -> Book:
    first = day_number(day) * TRANSACTIONS_PER_DAY + 1 + book.added(table).height
    if "transaction_key" not in rows.columns:
        rows = rows.with_columns(transaction_key=pl.lit(None, pl.Int64))
    return book.append(table, rows.with_columns((pl.int_range(pl.len(), dtype=pl.Int64) + first).alias(key)))


def standing_payment_items(book: Book, item_keys: pl.Series) -> pl.DataFrame:
    """The payment items of these invoice items that are not taken back, in order."""
    return _standing(book["payment_items"], "payment_item_key", pl.col("item_key").is_in(item_keys.implode()))


def standing_write_off_items(book: Book, item_keys: pl.Series) -> pl.DataFrame:
    """The write-off items of these invoice items that are not taken back, in order."""
    return _standing(book["write_off_items"], "write_off_item_key", pl.col("item_key").is_in(item_keys.implode()))


def standing_parts_of_payments(book: Book, payment_keys: pl.Series) -> pl.DataFrame:
    """What these payments paid of invoice items and was not taken back, in order."""
    chosen = pl.col("payment_key").is_in(payment_keys.implode()) & (pl.col("payment_key") > 0)
    return _standing(book["payment_items"], "payment_item_key", chosen)


def _standing(rows: pl.DataFrame, key: str, is_chosen: pl.Expr) -> pl.DataFrame:
    rows = rows.filter(is_chosen)
    reverses = f"reverses_{key}"
    is_original = pl.col(reverses) == 0
    taken_back = rows.filter(~is_original)[reverses]
    return rows.filter(is_original & ~pl.col(key).is_in(taken_back.implode()))


def number_transactions(book: Book, transactions: pl.DataFrame, day: date) -> tuple[Book, pl.DataFrame]:
    """Give the rows of the day the keys of the transactions by which they are posted.

    transactions: all of the day, in the order in which they are posted, so that row i gets key day x 2^32 + 1 + i. Out:
    the book, and the transactions in which POSTED_TODAY is replaced by the key of what they take back.
    """
    if transactions.is_empty() and all(book.added(table).is_empty() for table in (*_POSTED, "payments")):
        return book, transactions
    first = day_number(day) * TRANSACTIONS_PER_DAY + 1
    kind = transactions["transaction_type"]
    reverses = transactions["reverses_transaction_key"].clone()
    for table, transaction_type in _POSTED.items():
        places = (kind == transaction_type).arg_true()
        added = book.added(table)
        waiting = added["transaction_key"].is_null().arg_true()
        if len(places) != len(waiting):
            msg = f"{len(places)} transactions {transaction_type} for {len(waiting)} rows of {table}"
            raise ValueError(msg)
        if len(places):
            key = TABLES[table].key[0]
            keys = added["transaction_key"].clone().scatter(waiting, places.cast(pl.Int64) + first)
            moved = (keys < 0).arg_true()
            if len(moved):
                keys = keys.scatter(moved, keys.gather(-keys.gather(moved) - added[key][0]))
            book = book.amend_added(table, keys)
            # A key of the day's rows says where it stands among them.
            original = added[f"reverses_{key}"].gather(waiting) - added[key][0]
            is_of_today = reverses.gather(places) < 0
            reverses = reverses.scatter(places.filter(is_of_today), keys.gather(original.filter(is_of_today)))
    received = book.added("payments")
    if received.is_empty():
        return book, transactions.with_columns(reverses)
    receipts = transactions.select(
        "payment_key",
        is_receipt=kind.is_in(_RECEIPTS) & (reverses == 0),
        key=pl.int_range(pl.len(), dtype=pl.Int64) + first,
    )
    receipts = receipts.filter(pl.col("is_receipt") & (pl.col("payment_key") > 0)).drop("is_receipt")
    found = received.select("payment_key").join(receipts, on="payment_key", how="left", maintain_order="left")
    book = book.amend_added("payments", found["key"].fill_null(0).alias("transaction_key"))
    taken_back = (kind.is_in(_RECEIPTS) & (reverses == POSTED_TODAY)).arg_true()
    if len(taken_back):
        wanted = transactions.select("payment_key")[taken_back]
        keys = wanted.join(receipts, on="payment_key", how="left", maintain_order="left")["key"]
        reverses = reverses.scatter(taken_back, keys)
    return book, transactions.with_columns(reverses)


def posted_key(transaction_key: str = "transaction_key") -> pl.Expr:
    """The transaction that something was posted by, or POSTED_TODAY when the day has not numbered it yet."""
    return pl.col(transaction_key).fill_null(POSTED_TODAY)


def carried_key(row_key: str) -> pl.Expr:
    """What a row that stands in the place of another keeps as `transaction_key`: the transaction of the other.

    While the day has not numbered that one yet, the negated key of the row (column `row_key`) stands for it.
    """
    return pl.coalesce("transaction_key", -pl.col(row_key))
