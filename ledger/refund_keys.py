"""By which transaction ad hoc credits and disbursements are posted: known once the day's transactions are in order."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.ad_hoc_credits import CREDIT_TRANSACTIONS
from ledger.book import TABLES, TRANSACTIONS_PER_DAY, Book, day_number
from ledger.disbursements import PAYOUT_TRANSACTIONS
from ledger.payment_items import POSTED_TODAY

_POSTED = {"ad_hoc_credits": tuple(CREDIT_TRANSACTIONS.values()), "disbursements": PAYOUT_TRANSACTIONS}


def number_refunds(book: Book, transactions: pl.DataFrame, day: date) -> tuple[Book, pl.DataFrame]:
    """Give credits and disbursements the keys of the transactions of the day by which they are posted.

    transactions: all of the day, in the order in which they are posted. Out: the book, and the transactions in which
    POSTED_TODAY is replaced by the key of the transaction that is taken back.
    """
    for table, types in _POSTED.items():
        if book.added(table).is_empty() and table not in book.changed_rows:
            continue
        places = transactions["transaction_type"].is_in(types).arg_true()
        if places.is_empty():
            continue
        key = TABLES[table].key[0]
        first = day_number(day) * TRANSACTIONS_PER_DAY + 1
        posted = transactions[places].select(
            "reverses_transaction_key", pl.col("subject_key").alias(key), posted=places.cast(pl.Int64) + first
        )
        originals = posted.filter(pl.col("reverses_transaction_key") == 0).select(key, "posted")
        rows = book[table].select(key).with_row_index("row")
        rows = rows.join(originals, on=key, how="inner", maintain_order="left")
        book = book.update(table, rows["row"], {"transaction_key": rows["posted"]})
        is_of_today = (posted["reverses_transaction_key"] == POSTED_TODAY).arg_true()
        if len(is_of_today):
            found = posted[is_of_today].select(key).join(originals, on=key, how="left", maintain_order="left")
            reverses = transactions["reverses_transaction_key"].clone()
            transactions = transactions.with_columns(reverses.scatter(places.gather(is_of_today), found["posted"]))
    return book, transactions
