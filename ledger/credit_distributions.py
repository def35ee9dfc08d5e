"""Credit distributions that somebody asks for: funds and negative items pay, no new money comes in (06 section 3.C).

What is applied is recorded by payment items like any other distribution; a credit distribution is a stretch of them.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book, default_fund_key, number_from
from ledger.charge_holds import is_held
from ledger.credit_allocation import allocate_slices
from ledger.effects import Effects
from ledger.payment_items import standing_payment_items
from ledger.settlement import ITEM_COLUMNS, PARTS, Distributed, Settlement, book_settlement, with_parts
from ledger.taking_back import take_back_payment_items

_STRETCH = ("distribution_key", "first_payment_item_key", "payment_items")


def open_items(book: Book, account_keys: pl.Series) -> pl.DataFrame:
    """The items of these accounts that a credit may pay or that are credits: on an invoice, open, not held back.

    Out: ITEM_COLUMNS, `open` (what is neither paid nor written off, with its sign) and `at`, the place in the frame.
    """
    items = book["invoice_items"].with_row_index("row").select(ITEM_COLUMNS)
    is_theirs = pl.col("account_key").is_in(account_keys.implode()) & (pl.col("invoice_key") > 0)
    items = items.filter(is_theirs & ~is_held(book)).with_columns(pl.col("amount") - pl.col("written_off"))
    items = items.filter(pl.col("amount") != pl.col("paid"))
    return items.with_columns(open=pl.col("amount") - pl.col("paid"), at=pl.int_range(pl.len(), dtype=pl.Int64))


def apply_by_hand(book: Book, shares: pl.DataFrame, day: date) -> Distributed:
    """Apply amounts per item through a fund, what uses a negative item before what pays a positive one (R-CD-3).

    shares: account_key, fund_key, item_key, amount (minor units, with the sign of the item); they are within what is
    open, and their sum within what the fund has.
    """
    items = open_items(book, shares["account_key"].unique())
    parts = (
        shares.filter(pl.col("amount") != 0)
        .join(items.select("item_key", "at"), on="item_key", how="left")
        .sort("account_key", pl.col("amount") > 0, "item_key")
        .rename({"fund_key": "paying_fund_key"})
    )
    return _book(book, items, parts, day)


def apply_default_funds(book: Book, amounts: pl.DataFrame, day: date) -> Distributed:
    """Let an amount of each default fund pay the items of its account, the earliest first (R-CD-5).

    amounts: account_key, amount (minor units, not more than the fund has). What finds no item stays in the fund.
    """
    items = open_items(book, amounts["account_key"])
    units = amounts.sort("account_key").with_columns(unit=pl.int_range(pl.len(), dtype=pl.Int64))
    slices = units.select("unit", at="unit", credit="amount", event_date=pl.lit(day))
    debts = items.filter(pl.col("open") > 0).join(units.select("unit", "account_key"), on="account_key", how="inner")
    eligible = debts.select(
        "unit", "at", "item_key", "event_date", "priority", method=pl.lit("first_to_last"), balance="open"
    )
    parts = allocate_slices(slices, eligible).join(units.select("unit", "account_key"), on="unit", how="left")
    parts = parts.with_columns(paying_fund_key=default_fund_key(pl.col("account_key")))
    return _book(book, items, parts.sort("account_key", "at"), day)


def _book(book: Book, items: pl.DataFrame, parts: pl.DataFrame, day: date) -> Distributed:
    none = pl.lit(0, pl.Int64)
    parts = parts.with_columns(kind=pl.lit("credit"), payment_key=none, credit_item_key=none)
    parts = parts.select(pl.col(name).cast(dtype) for name, dtype in PARTS.items())
    settlement = Settlement((), items.select("account_key").unique(), with_parts(items, parts), parts)
    return book_settlement(book, settlement, day)


def record(book: Book, distributions: pl.DataFrame, applied: pl.DataFrame, day: date) -> Book:
    """Keep what was distributed: one row per account of these commands, with the payment items that record it.

    distributions: distribution_id, account_key, kind; one per account. applied: the payment items, those of an account
    one after the other, with `payer_key`, the account.
    """
    new = distributions.join(_stretches(applied), on="account_key", how="left", maintain_order="left")
    new = new.sort("distribution_id").with_columns(
        number_from(book.next_key("credit_distributions"), "distribution_key"),
        pl.col("first_payment_item_key", "payment_items").fill_null(0),
        status=pl.lit("Executed"),
        version=pl.lit(1, pl.Int64),
        executed_date=pl.lit(day),
    )
    return book.append("credit_distributions", new)


def record_change(book: Book, rows: pl.DataFrame, applied: pl.DataFrame, day: date) -> Book:
    """Keep what a changed distribution applied instead. rows: `row` in the book, account_key, version."""
    new = rows.join(_stretches(applied), on="account_key", how="left", maintain_order="left")
    return book.update(
        "credit_distributions",
        new["row"],
        {
            "version": new["version"] + 1,
            "first_payment_item_key": new["first_payment_item_key"].fill_null(0),
            "payment_items": new["payment_items"].fill_null(0),
            "executed_date": pl.repeat(day, new.height, dtype=pl.Date, eager=True),
        },
    )


def _stretches(applied: pl.DataFrame) -> pl.DataFrame:
    return applied.group_by(account_key="payer_key").agg(
        first_payment_item_key=pl.col("payment_item_key").min(), payment_items=pl.len().cast(pl.Int64)
    )


def take_back_distributions(book: Book, distributions: pl.DataFrame, day: date) -> Effects:
    """Take back what of these distributions still stands: items are open again, money is in its fund (R-CD-6).

    distributions: distribution_key, first_payment_item_key, payment_items.
    """
    ranges = distributions.select(_STRETCH).filter(pl.col("payment_items") > 0)
    keys = ranges.select(
        payment_item_key=pl.int_ranges(
            "first_payment_item_key", pl.col("first_payment_item_key") + pl.col("payment_items")
        )
    ).explode("payment_item_key")
    recorded = book["payment_items"].join(keys, on="payment_item_key", how="semi")
    standing = standing_payment_items(book, recorded["item_key"].unique()).join(keys, on="payment_item_key", how="semi")
    return take_back_payment_items(book, standing.sort("payment_item_key"), day)
