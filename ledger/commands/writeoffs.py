"""Commands about amounts that will not be collected (R-WO-1..9)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.commands.refusals import split_refused
from ledger.distribution import distribute
from ledger.effects import Effects
from ledger.money import minor_units
from ledger.payment_items import append_write_off_items
from ledger.posting import transaction_frame
from ledger.segments import run_number
from ledger.taking_back import change_paid, take_back_write_off_items

_COLUMN_OF_TARGET = {"policy": "policy_key", "charge": "charge_key", "invoice_item": "item_key"}


def write_off(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Write off what is open of the positive items that a command is about, all of it or an amount.

    In: commands with KEYS, target_type, amount (text or null), charge_pattern, term_number, write_off_reason. An
    account means the charges that it owns. The amount goes to the items by event date, within a date pro rata by what
    is open of them. Refused: nothing open, or an amount that is not more than zero or more than what is open. Rules:
    R-WO-1..3, R-WO-6, R-TXN-07.
    """
    del carrier
    commands = commands.sort("command_id").with_columns(
        pool=pl.int_range(pl.len(), dtype=pl.Int64), wanted=minor_units(pl.col("amount"), pl.col("decimals"))
    )
    items = _open_items(book, commands)
    sums = items.group_by("pool").agg(open=pl.col("balance").sum())
    right, refused = split_refused(
        commands.join(sums, on="pool", how="left", maintain_order="left"),
        {
            "E-WRITE-OFF-NOTHING": pl.col("open").is_null(),
            "E-AMOUNT-UNREADABLE": pl.col("amount").is_not_null() & pl.col("wanted").is_null(),
            "E-WRITE-OFF-AMOUNT": (pl.col("wanted") <= 0) | (pl.col("wanted") > pl.col("open")),
        },
    )
    payers = right.select("pool", payment="pool", amount=pl.coalesce("wanted", "open"))
    items = items.join(right.select("pool"), on="pool", how="semi").sort("pool", "event_date", "item_key")
    ranked = items.with_columns(rank=run_number("pool", "event_date"))
    shares = distribute(payers, ranked.select("pool", "rank", "balance", item="item_key"))
    facts = right.select("pool", "command_id", reason="write_off_reason")
    parts = (
        shares.select("amount", pool="payment", item_key="item")
        .join(facts, on="pool", how="left")
        .join(items.drop("amount", "balance"), on=["pool", "item_key"], how="left")
        .sort("pool", "item_key")
    )
    book = change_paid(book, parts, "written_off")
    book = append_write_off_items(book, parts, day)
    return Effects(book, (transaction_frame(parts, "ChargeWrittenOff", transaction_date=day),), (refused,))


def reverse_write_offs(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Take write-offs back, each once; their items are open again, in the status of their invoices (R-WO-9).

    In: commands with account_key and `command`, the id of the command that wrote off.
    """
    del carrier
    rows = book["write_off_items"].filter(pl.col("command_id").is_in(commands["command"].implode()))
    taken_back = rows.filter(pl.col("reverses_write_off_item_key") > 0)["reverses_write_off_item_key"]
    is_standing = (pl.col("reverses_write_off_item_key") == 0) & ~pl.col("write_off_item_key").is_in(
        taken_back.implode()
    )
    standing = rows.filter(is_standing)
    known = standing.select(command="command_id", stands=pl.lit(value=True)).unique()
    first = (
        commands.sort("command_id").unique("command", keep="first").select("command_id", is_first=pl.lit(value=True))
    )
    wanted = commands.join(known, on="command", how="left", maintain_order="left").join(
        first, on="command_id", how="left", maintain_order="left"
    )
    right, refused = split_refused(
        wanted, {"E-WRITE-OFF-UNKNOWN": pl.col("stands").is_null() | pl.col("is_first").is_null()}
    )
    parts = standing.filter(pl.col("command_id").is_in(right["command"].implode()))
    return Effects(book, refused=(refused,)).then(take_back_write_off_items(book, parts, day))


def _open_items(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """The open positive items that each command is about: `pool`, what posting needs, and `balance`."""
    terms = book["policy_periods"].select("period_key", item_term="term_number")
    parts = []
    for (kind,), asked in commands.partition_by("target_type", as_dict=True).items():
        items, column = book["invoice_items"], _COLUMN_OF_TARGET.get(str(kind), "owner_account_key")
        if kind == "account":
            charges = book["charges"].filter(pl.col("account_key").is_in(asked["account_key"].unique().implode()))
            items = items.join(
                charges.select("charge_key", owner_account_key="account_key"), on="charge_key", how="inner"
            )
        target = "account_key" if kind == "account" else column
        wants = asked.select("pool", "term_number", wanted_pattern="charge_pattern", target=target)
        found = items.with_columns(
            balance=pl.col("amount") - pl.col("paid") - pl.col("written_off"), target=pl.col(column)
        ).filter(
            pl.col("target").is_in(wants["target"].unique().implode())
            & (pl.col("balance") > 0)
            & (pl.col("amount") > 0)
        )
        found = found.join(wants, on="target", how="inner").join(terms, on="period_key", how="left")
        is_pattern = pl.col("wanted_pattern").is_null() | (pl.col("wanted_pattern") == pl.col("charge_pattern"))
        is_term = pl.col("term_number").is_null() | (pl.col("term_number") == pl.col("item_term"))
        parts.append(
            found.filter(is_pattern & is_term.fill_null(value=False)).select(
                "pool", "balance", *book["invoice_items"].columns
            )
        )
    return pl.concat(parts)


PROCESSES = {"write_off": write_off, "reverse_write_off": reverse_write_offs}
"""Which process carries out which command."""
