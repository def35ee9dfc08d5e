"""Suspense payments: money from nobody we know, in an Unapplied of its own until its payer is found (R-SUS-01..10)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.disbursements import pending_suspense_payments
from ledger.effects import Effects
from ledger.funds import fund_key, separates_funds
from ledger.reversals import receive_instead, reverse_receipts


def match_suspense_payments(book: Book, day: date, carrier: Carrier) -> Effects:
    """Apply the suspense payments whose account or policy number is known by now (R-SUS-04, R-SUS-06, R-SUS-19).

    The account number counts first. A policy number only names the account: the money goes to its default fund and may
    pay any of its policies. Another currency than the account's keeps the money in suspense (R-SUS-08), and so does a
    disbursement that waits to send it back.
    """
    del carrier
    waiting = _waiting(book)
    waiting = waiting.filter(~pl.col("payment_key").is_in(pending_suspense_payments(book).implode()))
    if waiting.is_empty():
        return Effects(book)
    accounts, policies = _named_by(book, waiting)
    found = (
        waiting.join(
            accounts.select("account_id", named="account_key"), on="account_id", how="left", maintain_order="left"
        )
        .join(policies.select("policy_id", owner="account_key"), on="policy_id", how="left", maintain_order="left")
        .select(
            "payment_key",
            "currency",
            to_account_key=pl.when(pl.col("account_id").is_not_null()).then("named").otherwise("owner"),
            to_policy_key=pl.lit(0, pl.Int64),
        )
        .filter(pl.col("to_account_key").is_not_null())
    )
    currencies = book["accounts"].select(to_account_key="account_key", account_currency="currency")
    right = found.join(currencies, on="to_account_key", how="left", maintain_order="left").filter(
        pl.col("currency") == pl.col("account_currency")
    )
    return apply_suspense_payments(book, right.with_columns(suffix=pl.lit("applied")), day)


def accounts_named_in_suspense(book: Book) -> pl.Series:
    """Keys of the accounts that suspense payments name, themselves or by a policy."""
    return pl.concat([found["account_key"] for found in _named_by(book, _waiting(book))])


def _waiting(book: Book) -> pl.DataFrame:
    """The suspense payments that name an account or a policy."""
    names_somebody = pl.col("account_id").is_not_null() | pl.col("policy_id").is_not_null()
    return book["payments"].filter((pl.col("status") == "suspended") & names_somebody)


def _named_by(book: Book, payments: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The accounts and the policies of the book that these payments name."""
    accounts = book["accounts"].filter(pl.col("account_id").is_in(payments["account_id"].implode()))
    return accounts, book["policies"].filter(pl.col("policy_id").is_in(payments["policy_id"].implode()))


def apply_suspense_payments(book: Book, applications: pl.DataFrame, day: date) -> Effects:
    """Turn suspense payments into payments of an account: the one is reversed, the other received (R-SUS-05, T-04).

    In: payment_key, to_account_key, to_policy_key (0, or the policy for whose designated fund a person meant it) and
    `suffix`, which makes the id of the new payment. It keeps date, method and reference and is distributed like a
    payment of the day when it came to be distributed at once.
    """
    if applications.is_empty():
        return Effects(book)
    ended = applications.select("payment_key", new_status=pl.lit("applied"), reversal_reason=pl.lit(None, pl.String))
    effects = reverse_receipts(book, ended, day)
    accounts = book["accounts"].select(
        to_account_key="account_key", to_account_id="account_id", separates=separates_funds()
    )
    rows = (
        book["payments"]
        .join(applications.drop("currency", strict=False), on="payment_key", how="inner", maintain_order="left")
        .join(accounts, on="to_account_key", how="left", maintain_order="left")
    )
    fund_policy_key = pl.when("separates").then("to_policy_key").otherwise(0)
    none = pl.lit(None, pl.String)
    rows = rows.with_columns(
        pl.col("distribute").cast(pl.String),
        payment_id=pl.concat_str("payment_id", pl.lit("/"), "suffix"),
        from_payment_key="payment_key",
        status=pl.lit("executed"),
        kind=pl.lit("direct_bill"),
        account_key="to_account_key",
        fund_key=fund_key(pl.col("to_account_key"), fund_policy_key),
        policy_key=pl.lit(0, pl.Int64),
        period_key=pl.lit(0, pl.Int64),
        invoice_key=pl.lit(0, pl.Int64),
        account_id="to_account_id",
        policy_id=none,
        invoice_id=none,
        term_number=pl.lit(None, pl.Int64),
    )
    received, _ = receive_instead(effects.book, rows, day)
    return effects.then(received)
