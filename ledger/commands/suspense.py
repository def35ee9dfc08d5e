"""Commands about money in suspense (R-SUS-03..15)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.commands.refusals import split_refused
from ledger.disbursements import pending_suspense_payments
from ledger.effects import Effects
from ledger.money import minor_units
from ledger.payment_details import change_details
from ledger.payment_items import standing_parts_of_payments
from ledger.payments import distribute_payments_anew
from ledger.suspense import apply_suspense_payments
from ledger.suspense_items import release_items, suspend_parts

_OPEN = "suspended"


def edit_suspense_payments(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Note other numbers, method, reference or text on open suspense payments (R-SUS-03, R-SUS-07)."""
    del day, carrier
    both = pl.col("account_number").is_not_null() & pl.col("policy_number").is_not_null()
    right, refused = split_refused(
        _with_payments(book, commands),
        {"E-SUSPENSE-STATUS": pl.col("known_status") != _OPEN, "E-SUSPENSE-TARGET": both},
    )
    right = right.sort("row")
    names = {"method": "method", "reference": "reference", "comment": "description"}
    values = {
        column: right.select(pl.coalesce(given, f"known_{column}")).to_series() for column, given in names.items()
    }
    renumbered = pl.any_horizontal(pl.col("account_number", "policy_number").is_not_null())
    numbers = {"account_id": "account_number", "policy_id": "policy_number"}
    values |= {
        column: right.select(pl.when(renumbered).then(given).otherwise(f"known_{column}")).to_series()
        for column, given in numbers.items()
    }
    return Effects(change_details(book, right["row"], values), refused=(refused,))


def apply_payments(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Apply open suspense payments by hand; the money is distributed today unless it came not to be.

    In: commands with payment_key and one of account_id and policy_id. Rules: R-SUS-05, R-SUS-06, R-SUS-08, R-SUS-09.
    """
    accounts = book["accounts"].select("account_id", named="account_key")
    policies = book["policies"].select("policy_id", to_policy_key="policy_key", owner="account_key")
    wanted = (
        _with_payments(book, commands.drop("policy_key", "currency"))
        .join(accounts, on="account_id", how="left", maintain_order="left")
        .join(policies, on="policy_id", how="left", maintain_order="left")
        .with_columns(to_account_key=pl.coalesce("named", "owner"), to_policy_key=pl.col("to_policy_key").fill_null(0))
    )
    currencies = book["accounts"].select(to_account_key="account_key", to_currency="currency")
    wanted = wanted.join(currencies, on="to_account_key", how="left", maintain_order="left")
    right, refused = split_refused(
        wanted,
        {
            "E-SUSPENSE-STATUS": pl.col("known_status") != _OPEN,
            "E-SUSPENSE-REFUND": pl.col("payment_key").is_in(pending_suspense_payments(book).implode()),
            "E-SUSPENSE-TARGET": pl.col("account_id").is_null() == pl.col("policy_id").is_null(),
            "E-TARGET-UNKNOWN": pl.col("to_account_key").is_null(),
            "E-SUSPENSE-CURRENCY": pl.col("to_currency") != pl.col("known_currency"),
        },
    )
    applied = right.select("payment_key", "to_account_key", "to_policy_key", suffix="command_id")
    effects = Effects(book, refused=(refused,)).then(apply_suspense_payments(book, applied, day))
    new = effects.book.added("payments").filter(
        pl.col("from_payment_key").is_in(applied["payment_key"].implode()) & (pl.col("distribute") == "auto")
    )
    done = distribute_payments_anew(effects.book, new, day, carrier)
    return effects.then(Effects(done.book, (done.transactions,)))


def create_items(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Set parts of payments aside, as much as is neither applied to items nor in suspense (R-SUS-11, R-SUS-12)."""
    del carrier
    wanted = _with_payments(book, commands).with_columns(part=minor_units(pl.col("amount"), pl.col("decimals")))
    wanted = wanted.join(_used(book, wanted["payment_key"]), on="payment_key", how="left", maintain_order="left")
    free = pl.col("known_amount") - pl.col("used").fill_null(0)
    funds = book["funds"].select(known_fund_key="fund_key", balance="balance")
    wanted = wanted.join(funds, on="known_fund_key", how="left", maintain_order="left")
    right, refused = split_refused(
        wanted,
        {
            "E-PAYMENT-STATUS": pl.col("known_status") != "executed",
            "E-AMOUNT-UNREADABLE": pl.col("part").is_null(),
            "E-SUSPENSE-AMOUNT": (pl.col("part") <= 0) | (pl.col("part") > free) | (pl.col("part") > pl.col("balance")),
        },
    )
    items = right.select(
        "payment_key",
        "account_key",
        "policy_number",
        "currency",
        suspense_item_id="command_id",
        fund_key="known_fund_key",
        amount="part",
    )
    return Effects(book, refused=(refused,)).then(suspend_parts(book, items, day))


def release_suspense(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Release open suspense items; what comes free is distributed with the settings of its payment (R-SUS-13, 14)."""
    open_items = book["suspense_items"].filter(pl.col("status") == "open")
    named = commands.select("command_id", "payment_key", "items").explode("items")
    named = named.join(open_items, on="payment_key", how="left", maintain_order="left").filter(
        pl.col("suspense_item_key").is_not_null()
        & (pl.col("items").is_null() | (pl.col("items") == pl.col("suspense_item_id")))
    )
    found = named.group_by("command_id").agg(found=pl.len())
    asked = commands.join(found, on="command_id", how="left", maintain_order="left").with_columns(
        wanted=pl.col("items").list.len()
    )
    right, refused = split_refused(
        asked, {"E-SUSPENSE-ITEM": pl.col("found").is_null() | (pl.col("found") < pl.col("wanted"))}
    )
    released = named.join(right.select("command_id"), on="command_id", how="semi")
    effects = Effects(book, refused=(refused,)).then(
        release_items(book, released["suspense_item_key"], "released", day)
    )
    sums = released.group_by("payment_key").agg(free=pl.col("amount").sum())
    payments = (
        effects.book["payments"]
        .join(sums, on="payment_key", how="inner", maintain_order="left")
        .filter(pl.col("distribute") == "auto")
        .with_columns(amount="free")
    )
    done = distribute_payments_anew(effects.book, payments, day, carrier)
    return effects.then(Effects(done.book, (done.transactions,)))


def _used(book: Book, payment_keys: pl.Series) -> pl.DataFrame:
    """payment_key, used: what of these payments is applied to items or open in suspense."""
    applied = standing_parts_of_payments(book, payment_keys).select("payment_key", "amount")
    held = book["suspense_items"].filter(
        pl.col("payment_key").is_in(payment_keys.implode()) & (pl.col("status") == "open")
    )
    both = pl.concat([applied, held.select("payment_key", "amount")])
    return both.group_by("payment_key").agg(used=pl.col("amount").sum())


def _with_payments(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """The commands with the place of their payment in the book and what it has, named known_..."""
    payments = (
        book["payments"].with_row_index("row").filter(pl.col("payment_key").is_in(commands["payment_key"].implode()))
    )
    names = ("account_id", "policy_id", "amount", "currency", "fund_key", "method", "reference", "comment")
    known = payments.select(
        "row",
        "payment_key",
        *(pl.col(name).alias(f"known_{name}") for name in names),
        known_status=pl.col("status").cast(pl.String),
    )
    return commands.join(known, on="payment_key", how="left", maintain_order="left")


PROCESSES = {
    "edit_suspense_payment": edit_suspense_payments,
    "apply_suspense_payment": apply_payments,
    "create_suspense_item": create_items,
    "release_suspense_items": release_suspense,
}
"""Which process carries out which command."""
