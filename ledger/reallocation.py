"""Amounts go from item to item within a charge: planned items change, are removed or are added (R-ITM-40..44).

Together the changes of a command leave the items of the charge at its amount (R-CI-06); the commands see to that
(`ledger.commands.items`). Nothing is posted for planned items.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.item_changes import append_items_to_charges, item_events, with_command_ids
from ledger.item_placing import invoices_for_items
from ledger.segments import place_in_run


def is_paid_beyond(amount: pl.Expr) -> pl.Expr:
    """Whether more is paid or written off of an item than an amount, or against its sign (R-ITM-44, I-21)."""
    low, high = pl.min_horizontal(amount, pl.lit(0)), pl.max_horizontal(amount, pl.lit(0))
    parts = (pl.col("paid"), pl.col("written_off"), pl.col("paid") + pl.col("written_off"))
    return ~pl.all_horizontal(part.is_between(low, high) for part in parts)


def change_planned_amounts(book: Book, changes: pl.DataFrame) -> Effects:
    """Give planned items more or less; an item left with nothing is removed.

    changes: item_key, change (minor units, signed), command_id; any number of rows per item. Nothing paid may stand
    beyond the amount that is left (`is_paid_beyond`). The caller deletes invoices that are left empty when all changes
    of the day's command are made. Rules: R-ITM-43.
    """
    if changes.is_empty():
        return Effects(book)
    items = book["invoice_items"].select("item_key", "amount", "invoice_key", "account_key").with_row_index("row")
    items = items.filter(pl.col("item_key").is_in(changes["item_key"].implode()))
    sums = changes.group_by("item_key").agg(pl.col("change").sum())
    items = items.join(sums, on="item_key", how="left", maintain_order="left").with_columns(
        pl.col("amount") + pl.col("change")
    )
    items = items.with_columns(invoice_key=pl.when(pl.col("amount") == 0).then(0).otherwise("invoice_key"))
    book = book.update("invoice_items", items["row"], {name: items[name] for name in ("amount", "invoice_key")})
    changed = changes.sort("item_key", "command_id").select("item_key", "command_id", gross="change")
    changed = changed.join(
        items.select("item_key", "invoice_key", "account_key"), on="item_key", how="left", maintain_order="left"
    )
    return Effects(book).recording(item_events=item_events(changed, "Item Gross Amount Changed"))


def add_planned_items(book: Book, additions: pl.DataFrame, day: date, carrier: Carrier) -> Book:
    """Add items to charges on planned invoices of their default payer, by event date.

    additions: charge_key, event_date, item_type, amount (minor units, not 0), in the order in which they are numbered
    within a charge. Installments are numbered after those that stand. The caller has refused charges without so many
    numbers left (`ledger.item_changes.item_numbers_left`). Rules: R-ITM-04, R-ITM-42, R-CI-46.
    """
    if additions.is_empty():
        return book
    additions = additions.sort("charge_key", maintain_order=True)
    of_charges = pl.col("charge_key").is_in(additions["charge_key"].implode())
    payers = book["charges"].filter(of_charges).select("charge_key", account_key="payer_account_key")
    stands = of_charges & (pl.col("invoice_key") > 0)
    last = book["invoice_items"].filter(stands).group_by("charge_key")
    numbers = last.agg(last_installment=pl.col("installment_number").max().cast(pl.Int64))
    items = additions.join(payers, on="charge_key", how="left", maintain_order="left")
    items = items.join(numbers, on="charge_key", how="left", maintain_order="left")
    is_installment = pl.col("item_type") == "installment"
    items = items.with_columns(is_installment=is_installment, place=pl.int_range(pl.len(), dtype=pl.Int64))
    numbered = items.filter("is_installment").select(
        "place", installment_number=pl.col("last_installment").fill_null(0) + 1 + place_in_run("charge_key")
    )
    items = items.join(numbered, on="place", how="left", maintain_order="left")
    to_place = items.select(
        "charge_key", "account_key", "event_date", item_key="place", invoice_key=pl.lit(0, pl.Int64)
    )
    book, placed = invoices_for_items(book, to_place, day, carrier)
    targets = placed.select(place="item_key", invoice_key="to_invoice_key")
    items = items.join(targets, on="place", how="left", maintain_order="left")
    return append_items_to_charges(book, items.with_columns(pl.col("installment_number").fill_null(0)))


def move_events(book: Book, moves: pl.DataFrame) -> pl.DataFrame:
    """Item events of planned items that moved to another invoice of their payer: item_key, command_id (R-ITM-20)."""
    items = book["invoice_items"].filter(pl.col("item_key").is_in(moves["item_key"].implode())).sort("item_key")
    items = with_command_ids(items.drop("related_item_key"), "item_key", moves)
    return item_events(items.with_columns(gross=pl.lit(0, pl.Int64)), "Item Moved to a New Instance")
