"""Taking back what was applied to invoice items: payments, credits and write-offs (R-ITM-16, R-PS-7, R-LED-13).

Taking back a payment item puts its money into the fund that it came from and opens the item again. A credit and what it
paid are taken back together. Every transaction is mirrored by one that names it.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book, default_fund_key
from ledger.effects import Effects
from ledger.funds import change_balances, separates_funds
from ledger.payment_items import append_payment_items, append_write_off_items, posted_key
from ledger.posting import transaction_frame
from ledger.recaptures import refill_policy_key, refills

_OF_ITEM = (
    *("item_key", "owner_type", "owner_key", "policy_key", "period_key"),
    *("charge_pattern", "is_recapture", "currency"),
)


def take_back_payment_items(book: Book, parts: pl.DataFrame, day: date) -> Effects:
    """Take back standing payment items; the money is in its fund again, the items are open again.

    parts: rows of the book's payment items, none of them taken back (`ledger.payment_items.standing_payment_items`);
    the other half of a credit is taken back with it. A settlement by an offset cannot be taken back and is left alone.
    Where the account no longer keeps a fund for the policy, the money goes on to its default fund. Transactions carry
    the business date and name what they reverse. Rules: R-ITM-16, R-ITM-17, R-PS-7, R-TXN-04.
    """
    parts = _with_other_halves(book, parts.filter(pl.col("kind") != "settlement"))
    if parts.is_empty():
        return Effects(book)
    parts = _with_items(book, parts)
    is_designated = pl.col("through_fund_key") % 2 == 1
    parts = parts.with_columns(
        fund_policy_key=pl.when(is_designated).then(pl.col("through_fund_key") // 2).otherwise(0),
        amount=-pl.col("amount"),
        destination_fund_policy_key=refill_policy_key(),
        reverses_payment_item_key="payment_item_key",
        reverses_transaction_key=posted_key(),
    )
    book = change_paid(book, parts, "paid")
    book = change_balances(book, _fund_moves(parts))
    book = append_payment_items(book, parts.drop("payment_item_key", "transaction_key"), day)
    variant = pl.when("is_recapture").then(pl.lit("recapture")).otherwise(pl.lit("standard"))
    transactions = transaction_frame(parts, "ChargePaidFromAccount", transaction_date=day, variant=variant)
    effects = Effects(book, (transactions,))
    funds = pl.concat([parts["through_fund_key"], refills(parts)["fund_key"]])
    return effects.then(empty_designated_funds(book, funds, day))


def take_back_write_off_items(book: Book, parts: pl.DataFrame, day: date) -> Effects:
    """Take back standing write-off items; the items are open again. Rules: R-ITM-16, R-LED-13."""
    if parts.is_empty():
        return Effects(book)
    parts = _with_items(book, parts).with_columns(
        amount=-pl.col("amount"),
        reverses_write_off_item_key="write_off_item_key",
        reverses_transaction_key=posted_key(),
    )
    book = change_paid(book, parts, "written_off")
    book = append_write_off_items(book, parts.drop("write_off_item_key", "transaction_key"), day)
    return Effects(book, (transaction_frame(parts, "ChargeWrittenOff", transaction_date=day),))


def change_paid(book: Book, changes: pl.DataFrame, column: str) -> Book:
    """Add to what is paid (or `written_off`) of items: item_key, amount; any number of rows per item."""
    sums = changes.group_by("item_key").agg(change=pl.col("amount").sum())
    rows = book["invoice_items"].select("item_key", column).with_row_index("row")
    rows = rows.filter(pl.col("item_key").is_in(sums["item_key"].implode()))
    rows = rows.join(sums, on="item_key", how="inner", maintain_order="left")
    return book.update("invoice_items", rows["row"], {column: rows[column] + rows["change"]})


def empty_designated_funds(book: Book, fund_keys: pl.Series, day: date) -> Effects:
    """Empty designated funds, of these, of accounts that no longer keep any, into their default fund (R-BL-10).

    Money goes from the designated fund, a deficit is filled from the default fund.
    """
    designated = book["funds"].filter(
        pl.col("fund_key").is_in(fund_keys.implode()) & (pl.col("policy_key") > 0) & (pl.col("balance") != 0)
    )
    keeps = book["accounts"].filter(separates_funds())["account_key"]
    moving = designated.filter(~pl.col("account_key").is_in(keeps.implode())).sort("fund_key")
    if moving.is_empty():
        return Effects(book)
    amount = pl.col("balance")
    out = moving.select("fund_key", "account_key", "policy_key", "currency", amount=-amount)
    into = moving.select(
        "account_key",
        "currency",
        amount=amount,
        fund_key=default_fund_key(pl.col("account_key")),
        policy_key=pl.lit(0, pl.Int64),
    )
    book = change_balances(book, pl.concat([out, into.select(out.columns)]))
    return Effects(book, (_to_default_fund(moving, day),))


def _to_default_fund(moves: pl.DataFrame, day: date) -> pl.DataFrame:
    """Transactions for money that leaves designated funds for the default fund of their account (R-TXN-14)."""
    return transaction_frame(
        moves.with_columns(fund_policy_key="policy_key", amount="balance"),
        "TransferTransaction",
        transaction_date=day,
        variant="within_account",
    )


def _with_other_halves(book: Book, parts: pl.DataFrame) -> pl.DataFrame:
    """Add to each part of a credit the part that stands beside it: the credit used, or the debt that it paid."""
    of_credits = parts.filter(pl.col("credit_item_key") > 0)
    if of_credits.is_empty():
        return parts.sort("payment_item_key")
    is_use = pl.col("item_key") == pl.col("credit_item_key")
    partner = of_credits.select(pl.col("payment_item_key") + pl.when(is_use).then(1).otherwise(-1)).to_series()
    others = book["payment_items"].filter(pl.col("payment_item_key").is_in(partner.implode()))
    return pl.concat([parts, others]).unique("payment_item_key", maintain_order=True).sort("payment_item_key")


def _with_items(book: Book, parts: pl.DataFrame) -> pl.DataFrame:
    keys = parts["item_key"].unique().implode()
    items = book["invoice_items"].filter(pl.col("item_key").is_in(keys)).select(_OF_ITEM)
    return parts.join(items, on="item_key", how="left", maintain_order="left")


def _fund_moves(parts: pl.DataFrame) -> pl.DataFrame:
    """Money back into the funds that paid (`amount` is negated already), and out of those that recaptures refilled."""
    back = parts.select(
        "account_key", "currency", fund_key="through_fund_key", policy_key="fund_policy_key", amount=-pl.col("amount")
    )
    return pl.concat([back, refills(parts).select(back.columns)])
