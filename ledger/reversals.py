"""Receipts taken back: what a payment paid is open again, and its money leaves the fund that received it.

The money may have left the fund meanwhile; the fund is then in deficit, which is seen and can be recaptured (R-PMV-08).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book, number_from
from ledger.effects import Effects
from ledger.funds import change_balances
from ledger.payment_items import POSTED_TODAY, standing_parts_of_payments
from ledger.posting import transaction_frame
from ledger.suspense_items import release_items
from ledger.taking_back import empty_designated_funds, take_back_payment_items

RECEIPTS = {"executed": "DirectBillMoneyReceivedTxn", "suspended": "SuspPymtTransaction"}
"""By which transaction a payment was received, by its status."""


def reverse_receipts(book: Book, reversals: pl.DataFrame, day: date) -> Effects:
    """Take payments back: first what they paid, then the receipt itself.

    In: payment_key of executed or suspended payments, or of suspense payments that were sent back, whose own Unapplied
    is in deficit then (R-SUS-10); `new_status`, `reversal_reason`; one row per payment. Out: the payments have that
    status; each receipt is mirrored by a transaction that names it, dated today. Rules: R-PMV-05, R-PMV-08, R-SUS-09,
    R-TXN-13.
    """
    if reversals.is_empty():
        return Effects(book)
    effects = undo_distribution(book, reversals["payment_key"], day)
    effects = effects.then(_give_back_suspended(effects.book, reversals["payment_key"], day))
    book = effects.book
    rows = (
        book["payments"]
        .with_row_index("row")
        .join(
            reversals.select("payment_key", "new_status", new_reason="reversal_reason"), on="payment_key", how="inner"
        )
    )
    rows = rows.sort("payment_key")
    executed = rows.filter(pl.col("status") == "executed")
    suspended = rows.filter(pl.col("status").is_in(["suspended", "disbursed"]))
    fund_policy_key = pl.when(pl.col("fund_key") % 2 == 1).then(pl.col("fund_key") // 2).otherwise(0)
    out = executed.with_columns(fund_policy_key=fund_policy_key, amount=-pl.col("amount"))
    book = change_balances(
        book, out.select("fund_key", "account_key", "currency", "amount", policy_key="fund_policy_key")
    )
    book = book.update(
        "payments",
        rows["row"],
        {
            "status": rows["new_status"],
            "reversal_reason": rows["new_reason"],
            "reversed_date": pl.Series([day]).new_from_index(0, rows.height),
        },
    )
    is_of_today = pl.col("received_date") == day
    mirrored = pl.when(is_of_today).then(POSTED_TODAY).otherwise("transaction_key")
    transactions = (
        transaction_frame(out, RECEIPTS["executed"], transaction_date=day, reverses_transaction_key=mirrored),
        transaction_frame(
            suspended.with_columns(amount=-pl.col("amount")),
            RECEIPTS["suspended"],
            transaction_date=day,
            owner_type="SuspensePayment",
            owner_key=pl.col("payment_key"),
            reverses_transaction_key=mirrored,
        ),
    )
    effects = effects.then(Effects(book, transactions))
    return effects.then(empty_designated_funds(effects.book, out["fund_key"], day))


def _give_back_suspended(book: Book, payment_keys: pl.Series, day: date) -> Effects:
    """The open suspense items of payments end with them (R-SUS-20)."""
    items = book["suspense_items"].filter(pl.col("payment_key").is_in(payment_keys.implode()))
    return release_items(book, items["suspense_item_key"], "reversed", day)


def undo_distribution(book: Book, payment_keys: pl.Series, day: date) -> Effects:
    """Take back everything that these payments paid; their money is in the fund again (R-PMV-05, R-PMV-13)."""
    return take_back_payment_items(book, standing_parts_of_payments(book, payment_keys), day)


def receive_instead(book: Book, payments: pl.DataFrame, day: date) -> tuple[Effects, pl.Series]:
    """Book payments that stand in the place of others which were taken back; out: also their keys, in order.

    In: rows of the book's payments with `payment_id`, `status`, `account_key`, `fund_key`, `from_payment_key` and the
    rest of what they have; `payment_key`, `received_date` and `transaction_key` are given here. The receipt is dated
    with the payment date, as that of the original was. Rules: R-PMV-02, R-PMV-03, R-PMV-10, T-06, T-07.
    """
    new = payments.sort("payment_id").with_columns(
        number_from(book.next_key("payments"), "payment_key"),
        received_date=pl.lit(day),
        transaction_key=pl.lit(0, pl.Int64),
        reversal_reason=pl.lit(None, pl.String),
        reversed_date=pl.lit(None, pl.Date),
        landed_details=pl.lit(None, pl.String),
    )
    book = book.append("payments", new)
    executed = new.filter(pl.col("status").cast(pl.String) == "executed").with_columns(
        fund_policy_key=pl.when(pl.col("fund_key") % 2 == 1).then(pl.col("fund_key") // 2).otherwise(0)
    )
    suspended = new.filter(pl.col("status").cast(pl.String) == "suspended")
    book = change_balances(
        book, executed.select("fund_key", "account_key", "currency", "amount", policy_key="fund_policy_key")
    )
    transactions = (
        transaction_frame(executed, RECEIPTS["executed"], transaction_date=pl.col("payment_date")),
        transaction_frame(
            suspended,
            RECEIPTS["suspended"],
            transaction_date=pl.col("payment_date"),
            owner_type="SuspensePayment",
            owner_key=pl.col("payment_key"),
        ),
    )
    return Effects(book, transactions), new["payment_key"]
