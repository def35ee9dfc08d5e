"""Charges that are held back from billing: for a dispute, or until the final audit (R-CHD, R-CI-61).

A hold is about a whole charge. While it lasts, its items are not billed but go from one planned invoice of their stream
to the next (R-CHD-6); nothing is posted for it, they stay unbilled. Money and credits are not applied to them either
(R-CHD-9). What is billed of it and open when the hold begins is taken off its invoices at once (R-CHD-4).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.invoice_batch import InvoiceBatch, carry_forward, items_on, open_next_invoices
from ledger.item_changes import append_items_to_charges, item_numbers_left, items_with_status
from ledger.payment_items import append_payment_items, standing_payment_items
from ledger.posting import transaction_frame
from ledger.taking_back import change_paid, take_back_payment_items

_OPEN = pl.col("amount") - pl.col("paid") - pl.col("written_off")
_OF_EVENT = ("invoice_key", "account_key", "command_id")


def held_charges(book: Book) -> pl.Series:
    """Keys of the charges that are held back."""
    reasons = book["charges"]["hold_reason"]
    if reasons.null_count() == len(reasons):
        return pl.Series("charge_key", dtype=pl.Int64)
    return book["charges"].filter(pl.col("hold_reason").is_not_null())["charge_key"]


def is_held(book: Book) -> pl.Expr:
    """Whether the charge of an item is held back; reads `charge_key`."""
    held = held_charges(book)
    return pl.lit(value=False) if held.is_empty() else pl.col("charge_key").is_in(held.implode())


def carry_held_items(batch: InvoiceBatch, day: date, carrier: Carrier) -> InvoiceBatch:
    """Move the items of held charges to the next planned invoice of their stream, which is opened if there is none.

    An invoice that is left without items is carried forward (R-INV-23); one that keeps others is billed with them.
    Rules: R-CHD-6, R-CHD-7, R-INV-12, R-INV-23.
    """
    held = held_charges(batch.book)
    is_held = pl.col("charge_key").is_in(held.implode())
    items = batch.items.clear() if held.is_empty() else batch.items.filter(is_held)
    if items.is_empty():
        return batch
    invoices = batch.invoices.join(items, on="invoice_key", how="semi").select("invoice_key", "stream_key")
    book, following = open_next_invoices(batch.book, invoices["stream_key"], day, carrier)
    following = following.rename({"invoice_key": "to_invoice_key"})
    targets = invoices.join(following, on="stream_key", how="inner").select("invoice_key", "to_invoice_key")
    effects = carry_forward(book, items, targets)
    left = batch.items.filter(~is_held)
    emptied = invoices.join(left, on="invoice_key", how="anti")["invoice_key"]
    return InvoiceBatch(batch.effects, batch.invoices, left).without(emptied, "carried_forward", effects)


def clear_billed_items(book: Book, charges: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Take what is open of newly held charges off billed and due invoices, to the next planned ones of their streams.

    charges: charge_key, command_id. A positive item keeps what is paid of it; the open rest is offset on its invoice
    and stands again, with its event date, on the next planned invoice (R-CHD-5). What a negative item has paid is taken
    back first (R-CHD-4). Each invoice that changes is sent again without what is held (R-CHD-10). Posted are the
    offsets, from Billed or Due back to Unbilled (07 section 4.3). Rules: R-CHD-4, R-CHD-5, R-CHD-7, R-CHD-10.
    """
    items = _open_billed_items(book, charges["charge_key"], day, carrier)
    negative = items.filter(pl.col("amount") < 0)["item_key"]
    effects = take_back_payment_items(book, standing_payment_items(book, negative), day)
    items = _open_billed_items(effects.book, charges["charge_key"], day, carrier).filter(pl.col("open") != 0)
    if items.is_empty():
        return effects
    items = items.join(charges, on="charge_key", how="left", maintain_order="left")
    streams = effects.book["invoices"].select("invoice_key", "stream_key")
    items = items.join(streams, on="invoice_key", how="left", maintain_order="left")
    book, following = open_next_invoices(effects.book, items["stream_key"], day, carrier)
    items = items.join(
        following.rename({"invoice_key": "to_invoice_key"}), on="stream_key", how="left", maintain_order="left"
    )
    book, offsets, onsets = _append_offsets_and_onsets(book, items)
    book = _settle_offsets(book, offsets, day)
    due = offsets.filter(pl.col("status") == "Due")
    return (
        effects.with_book(book)
        .posting(
            transaction_frame(offsets, "ChargeBilled", transaction_date=day),
            transaction_frame(due, "ChargeDue", transaction_date=day),
        )
        .recording(item_events=_events(offsets, onsets), outbound_events=_sent_again(book, items))
    )


def lacks_item_numbers(book: Book, charge_keys: pl.Series, day: date, carrier: Carrier) -> pl.Expr:
    """Whether the charge of a row, of these, has not enough item numbers left for an offset and an onset each."""
    items = _open_billed_items(book, charge_keys, day, carrier)
    needed = items.group_by("charge_key").agg(needed=2 * pl.len())
    left = item_numbers_left(book, needed["charge_key"])
    short = needed.join(left, on="charge_key").filter(pl.col("needed") > pl.col("numbers_left"))
    return pl.col("charge_key").is_in(short["charge_key"].implode())


def _open_billed_items(book: Book, charge_keys: pl.Series, day: date, carrier: Carrier) -> pl.DataFrame:
    """Items of these charges on billed and due invoices that a hold moves, open or negative, with what is `open`."""
    of_charges = book["invoice_items"].filter(pl.col("charge_key").is_in(charge_keys.implode()))
    items = items_with_status(book, of_charges["item_key"], day, carrier)
    is_open = (_OPEN != 0) | ((pl.col("amount") < 0) & (pl.col("written_off") == 0))
    is_billed = pl.col("status").is_in(["Billed", "Due"])
    return items.filter(is_billed & pl.col("is_standing") & is_open).with_columns(open=_OPEN)


def _append_offsets_and_onsets(book: Book, items: pl.DataFrame) -> tuple[Book, pl.DataFrame, pl.DataFrame]:
    """Book both for each item. Out: the book, and the new items with status of the invoice and command."""
    offset = items.with_columns(amount=-pl.col("open"), kind=pl.lit("offset"))
    onset = items.with_columns(amount=pl.col("open"), kind=pl.lit("onset"), invoice_key="to_invoice_key")
    new = pl.concat([offset, onset]).sort("item_key", "kind").drop("written_off")
    before = book["invoice_items"].height
    book = append_items_to_charges(book, new.with_columns(reversal_kind="kind", related_item_key="item_key"))
    told = items.select("status", "command_id", related_item_key="item_key")
    added = book["invoice_items"].slice(before).join(told, on="related_item_key", how="left", maintain_order="left")
    kind = pl.col("reversal_kind").cast(pl.String)
    return book, added.filter(kind == "offset"), added.filter(kind == "onset")


def _settle_offsets(book: Book, offsets: pl.DataFrame, day: date) -> Book:
    """An offset and the open part of its original settle each other; nothing is posted for it (R-ITM-14, A-10)."""
    original = offsets.with_columns(item_key="related_item_key", amount=-pl.col("amount"))
    no_key = pl.lit(0, pl.Int64)
    parts = pl.concat([original, offsets]).sort("charge_key", "related_item_key", "item_key")
    parts = parts.with_columns(
        kind=pl.lit("settlement"), payment_key=no_key, fund_key=no_key, credit_item_key=no_key, transaction_key=no_key
    )
    return append_payment_items(change_paid(book, parts, "paid"), parts, day)


def _events(offsets: pl.DataFrame, onsets: pl.DataFrame) -> pl.DataFrame:
    """What happened to the items: reversed, and created as reversal and as onset."""
    created = [
        frame.select(*_OF_EVENT, "item_key", "related_item_key", gross="amount", event_type=pl.lit(event_type))
        for frame, event_type in ((offsets, "Item Created as Reversal"), (onsets, "Item Created as Onset"))
    ]
    reversed_ones = offsets.select(
        *_OF_EVENT,
        item_key="related_item_key",
        related_item_key="item_key",
        gross=-pl.col("amount"),
        event_type=pl.lit("Item Reversed"),
    )
    return pl.concat([reversed_ones.select(created[0].columns), *created])


def _sent_again(book: Book, items: pl.DataFrame) -> pl.DataFrame:
    """Documents for the invoices of these items as they are now, one per invoice and command."""
    amounts = items_on(book, items["invoice_key"].unique()).group_by("invoice_key").agg(pl.col("amount").sum())
    asked = items.select("account_key", "invoice_key", "command_id").unique().sort("invoice_key", "command_id")
    sent = asked.join(amounts, on="invoice_key", how="left", maintain_order="left")
    return sent.with_columns(event_type=pl.lit("InvoiceResent"))
