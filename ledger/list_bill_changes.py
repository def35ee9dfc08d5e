"""List bill of a policy period changes: the account that pays it, the payment plan, or the stream (R-LB-13..17)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.item_changes import append_items_to_charges, item_events, move_planned_items, offset_items
from ledger.item_placing import invoices_for_items
from ledger.payment_items import standing_payment_items, standing_write_off_items
from ledger.schedules import change_schedules, items_of_charges, redistribute
from ledger.taking_back import take_back_payment_items, take_back_write_off_items

ITEMS_TO_MOVE = ("all_items", "planned_items")
"""Which items of the period move (R-LB-15)."""
PAYMENTS_TO_REVERSE = ("all_items", "billed_or_due_items")
"""On which of the items that move payments are taken back (R-LB-16)."""


def change_list_bills(book: Book, requests: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Let another list bill account pay policy periods, or the same by another plan or on another stream.

    requests: period_key (each once, on list bill), payer_account_key, payment_plan (one that it offers), stream_key
    (one of its streams of the plan's periodicity; 0 for that which it has), items (ITEMS_TO_MOVE), payments
    (PAYMENTS_TO_REVERSE), command_id. Charges whose default payer was the old account get the new one; what another
    account pays stays with it (R-LB-10).

    With another plan the items are cut anew (`ledger.schedules`), and what was paid of these is taken back and
    distributed again. Whatever else of the old account's items is not on the right stream then moves: planned items go
    there, billed ones get an offset, and an onset on the next planned invoice. What was paid of them is taken back and
    stays in its fund; with billed_or_due_items, planned items keep it. Rules: R-LB-10, R-LB-13..17.
    """
    if requests.is_empty():
        return Effects(book)
    periods = book["policy_periods"].select("period_key", old_payer="payer_account_key", old_plan="payment_plan")
    requests = requests.sort("period_key").join(periods, on="period_key", how="left", maintain_order="left")
    book = _set_payers(book, requests)
    added = book.added("payment_items").height
    by_new_plan = requests.filter(pl.col("payment_plan") != pl.col("old_plan"))
    effects = change_schedules(
        book,
        by_new_plan.with_columns(include_down_payment=pl.lit(value=False), payments=pl.lit("reverse_only")),
        day,
        carrier,
    )
    effects = effects.then(_move_items(effects.book, requests, day, carrier))
    taken_back = effects.book.added("payment_items").slice(added).filter(pl.col("reverses_payment_item_key") > 0)
    of_new_plan = effects.book["invoice_items"].filter(pl.col("period_key").is_in(by_new_plan["period_key"].implode()))
    redistributed = taken_back.join(of_new_plan, on="item_key", how="semi")
    return effects.then(redistribute(effects.book, redistributed, day, carrier))


def _set_payers(book: Book, requests: pl.DataFrame) -> Book:
    """Periods get their payer and stream, and charges that the old payer paid by default the new one."""
    rows = book["policy_periods"].select("period_key").with_row_index("row")
    wanted = requests.select("period_key", "payer_account_key", "stream_key")
    rows = rows.join(wanted, on="period_key", how="inner", maintain_order="left")
    values = {name: rows[name] for name in ("payer_account_key", "stream_key")}
    book = book.update("policy_periods", rows["row"], values)
    charges = book["charges"].select("period_key", "payer_account_key").with_row_index("row")
    payers = requests.select("period_key", new_payer="payer_account_key", payer_account_key="old_payer")
    charges = charges.join(payers, on=["period_key", "payer_account_key"], how="inner", maintain_order="left")
    return book.update("charges", charges["row"], {"payer_account_key": charges["new_payer"]})


def _move_items(book: Book, requests: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Move the items of the old payers that are not on the right stream of the new ones."""
    items = _items_in_scope(book, requests, day, carrier)
    if items.is_empty():
        return Effects(book)
    wanted = items.select("item_key", "charge_key", "event_date", "invoice_key", account_key="new_payer")
    book, placed = invoices_for_items(book, wanted, day, carrier)
    moving = placed.filter(pl.col("to_invoice_key") != pl.col("invoice_key")).select("item_key", "to_invoice_key")
    moving = items.join(moving, on="item_key", how="inner", maintain_order="left").with_columns(
        invoice_key="to_invoice_key", account_key="new_payer", gross=pl.lit(0, pl.Int64)
    )
    billed = moving.filter(pl.col("status") != "Planned")
    reversed_ones = moving.filter((pl.col("status") != "Planned") | (pl.col("payments") == "all_items"))
    effects = take_back_payment_items(book, standing_payment_items(book, reversed_ones["item_key"]), day)
    written_off = standing_write_off_items(effects.book, billed["item_key"])
    effects = effects.then(take_back_write_off_items(effects.book, written_off, day))
    planned = moving.filter(pl.col("status") == "Planned")
    book = move_planned_items(effects.book, planned.select("item_key", "invoice_key"), day)
    effects = effects.then(Effects(book).recording(item_events=_moved(planned)))
    effects = effects.then(offset_items(effects.book, billed["item_key"], day, carrier, billed))
    return effects.then(_replace(effects.book, billed))


def _items_in_scope(book: Book, requests: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    """Standing items of the periods that their old or new payer pays, with the request's words."""
    charges = book["charges"].filter(pl.col("period_key").is_in(requests["period_key"].implode()))
    items = items_of_charges(book, charges["charge_key"], day, carrier)
    words = requests.select("period_key", "old_payer", "items", "payments", "command_id", new_payer="payer_account_key")
    items = items.join(words, on="period_key", how="left", maintain_order="left")
    is_theirs = (pl.col("account_key") == pl.col("old_payer")) | (pl.col("account_key") == pl.col("new_payer"))
    return items.filter(is_theirs & ((pl.col("items") == "all_items") | (pl.col("status") == "Planned")))


def _replace(book: Book, billed: pl.DataFrame) -> Effects:
    """Onsets on the invoices of the new payer in place of billed items that have an offset (R-LB-15, R-ITM-14)."""
    if billed.is_empty():
        return Effects(book)
    before = book["invoice_items"].height
    book = append_items_to_charges(
        book, billed.with_columns(reversal_kind=pl.lit("onset"), related_item_key="item_key", written_off=0)
    )
    onsets = book["invoice_items"].slice(before).with_columns(gross="amount")
    asked = billed.select("command_id", "old_payer", "new_payer", related_item_key="item_key")
    onsets = onsets.join(asked, on="related_item_key", how="left", maintain_order="left")
    created = item_events(onsets, "Item Created as Onset")
    moved = _moved(onsets.with_columns(gross=pl.lit(0, pl.Int64)))
    return Effects(book).recording(item_events=pl.concat([created, moved]))


def _moved(items: pl.DataFrame) -> pl.DataFrame:
    """Item events of items that have another payer now, or are on another invoice of the same one (R-ITM-20)."""
    has_new_payer = pl.col("old_payer") != pl.col("new_payer")
    assigned = item_events(items.filter(has_new_payer), "Item Assigned to Payer")
    return pl.concat([assigned, item_events(items.filter(~has_new_payer), "Item Moved to a New Instance")])
