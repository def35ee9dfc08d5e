"""Invoice items get another payer (R-ITM-10..22): planned items move, billed ones are replaced by new ones.

The owner of an item never changes, and neither does its charge (R-ITM-01). Which items get another payer, and whether
later ones of the charge do, is decided by the commands (`ledger.commands.payers`).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.item_changes import (
    append_items_to_charges,
    item_events,
    item_numbers_left,
    items_with_status,
    move_payment_items,
    move_planned_items,
    move_write_off_items,
    offset_items,
)
from ledger.item_placing import Way, invoices_for_items
from ledger.list_bill import without_stream
from ledger.payment_items import standing_payment_items, standing_write_off_items
from ledger.taking_back import take_back_payment_items, take_back_write_off_items

REVERSE_PAYMENTS = ("yes", "no", "only_for_non_planned")
"""Whether what was paid of reassigned items is taken back: of all, of none, or of billed and due ones (R-ITM-12)."""
_ITEMS_PER_REPLACEMENT = 2
_LIVE = ("Planned", "Billed", "Due")


def reassignable_items(book: Book, item_keys: pl.Series, day: date, carrier: Carrier) -> pl.DataFrame:
    """Those of these items that may get another payer, as `items_with_status` gives them.

    Not offsets, nor what an offset took back or what was removed, nor items on invoices that ended without being
    billed. Rules: R-ITM-14, R-ITM-25.
    """
    items = items_with_status(book, item_keys, day, carrier)
    return items.filter(pl.col("is_standing") & pl.col("status").is_in(_LIVE))


def charges_without_numbers(book: Book, items: pl.DataFrame) -> pl.Series:
    """Keys of charges that cannot number an offset and an onset for each of their billed items among these.

    items: rows of `reassignable_items`.
    """
    billed = items.filter(pl.col("status") != "Planned")
    needed = billed.group_by("charge_key").agg(needed=pl.len() * _ITEMS_PER_REPLACEMENT)
    left = item_numbers_left(book, needed["charge_key"])
    return needed.join(left, on="charge_key").filter(pl.col("needed") > pl.col("numbers_left"))["charge_key"]


def pairs_without_stream(book: Book, pairs: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """Which charges an account could not be invoiced for: list bill accounts have the streams of their plans only.

    pairs: charge_key, payer_account_key, and other columns. Out: those of them whose payer is a list bill account
    without a stream of the periodicity of the charge's policy period. Rules: R-LB-04, R-LB-06, R-LB-10.
    """
    charges = book["charges"].filter(pl.col("period_key") > 0).select("charge_key", "period_key")
    charges = charges.filter(pl.col("charge_key").is_in(pairs["charge_key"].implode()))
    periods = book["policy_periods"].select("period_key", "payment_plan")
    needs = pairs.join(charges, on="charge_key").join(periods, on="period_key")
    return without_stream(book, needs, carrier).select(pairs.columns)


def set_default_payers(book: Book, payers: pl.DataFrame) -> Book:
    """Charges get another default payer: that of the items that come later (R-ITM-04, R-ITM-11).

    payers: charge_key (each once), payer_account_key.
    """
    if payers.is_empty():
        return book
    rows = book["charges"].select("charge_key").with_row_index("row")
    rows = rows.filter(pl.col("charge_key").is_in(payers["charge_key"].implode()))
    wanted = payers.select("charge_key", "payer_account_key")
    rows = rows.join(wanted, on="charge_key", how="left", maintain_order="left")
    return book.update("charges", rows["row"], {"payer_account_key": rows["payer_account_key"]})


def reassign_items(book: Book, wanted: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Give items another payer.

    wanted: item_key (each once; one of `reassignable_items`), payer_account_key (not its payer now), reverse_payments
    (REVERSE_PAYMENTS), is_catch_up (billed and due items go on an invoice of today, else on the payer's next planned
    one), is_next (so do planned items, instead of by their event date) and command_id (text or null).

    A planned item moves, with what is paid of it. A billed or due one is taken back by an offset on its invoice, and an
    onset of the same amount on an invoice of the new payer takes its place, with what was paid and written off of it
    unless that is taken back: then the money is in the fund of the account that had paid. Invoices left empty are
    deleted. The caller has refused charges in `charges_without_numbers`. Rules: R-ITM-02, R-ITM-10, R-ITM-13..18,
    R-ITM-20, R-ITM-22, A-7, A-9.
    """
    if wanted.is_empty():
        return Effects(book)
    items = items_with_status(book, wanted["item_key"], day, carrier)
    items = items.join(wanted, on="item_key", how="left", maintain_order="left")
    items = items.with_columns(is_planned=pl.col("status") == "Planned")
    effects = _take_back(book, items, day)
    book, items = _find_invoices(effects.book, items, day, carrier)
    effects = effects.with_book(book)
    effects = effects.then(_move(effects.book, items.filter("is_planned"), day))
    return effects.then(_replace(effects.book, items.filter(~pl.col("is_planned")), day, carrier))


def _take_back(book: Book, items: pl.DataFrame, day: date) -> Effects:
    """Take back what is paid and written off of the items whose command says so (R-ITM-12, R-ITM-16, R-ITM-17)."""
    of_billed = (pl.col("reverse_payments") == "only_for_non_planned") & ~pl.col("is_planned")
    keys = items.filter((pl.col("reverse_payments") == "yes") | of_billed)["item_key"]
    if keys.is_empty():
        return Effects(book)
    effects = take_back_payment_items(book, standing_payment_items(book, keys), day)
    written_off = standing_write_off_items(effects.book, keys)
    return effects.then(take_back_write_off_items(effects.book, written_off, day))


def _find_invoices(book: Book, items: pl.DataFrame, day: date, carrier: Carrier) -> tuple[Book, pl.DataFrame]:
    """Add to_invoice_key, the new payer's invoice; out: also the book with it (R-ITM-13, R-ITM-18, R-ITM-06)."""
    billed_way = pl.when("is_catch_up").then(pl.lit("today")).otherwise(pl.lit("next"))
    planned_way = pl.when("is_next").then(pl.lit("next")).otherwise(pl.lit("event_date"))
    to_place = items.select(
        "item_key",
        "charge_key",
        "event_date",
        account_key="payer_account_key",
        invoice_key=pl.lit(0, pl.Int64),
        way=pl.when("is_planned").then(planned_way).otherwise(billed_way),
    )
    found = []
    ways: tuple[Way, ...] = ("event_date", "next", "today")
    for way in ways:
        rows = to_place.filter(pl.col("way") == way).drop("way")
        if not rows.is_empty():
            book, placed = invoices_for_items(book, rows, day, carrier, way=way)
            found.append(placed.select("item_key", "to_invoice_key"))
    return book, items.join(pl.concat(found), on="item_key", how="left", maintain_order="left")


def _move(book: Book, items: pl.DataFrame, day: date) -> Effects:
    """Planned items go on the new payer's invoices; what is paid of them stays on them (R-ITM-13)."""
    if items.is_empty():
        return Effects(book)
    book = move_planned_items(book, items.select("item_key", invoice_key="to_invoice_key"), day)
    assigned = items.select(
        "item_key",
        "command_id",
        gross=pl.lit(0, pl.Int64),
        invoice_key="to_invoice_key",
        account_key="payer_account_key",
    )
    return Effects(book).recording(item_events=item_events(assigned, "Item Assigned to Payer"))


def _replace(book: Book, items: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Billed and due items: an onset for the new payer, what was paid of the item with it, and an offset (R-ITM-14)."""
    if items.is_empty():
        return Effects(book)
    before = book["invoice_items"].height
    book = append_items_to_charges(
        book,
        items.select(
            *("charge_key", "item_type", "installment_number", "event_date", "amount"),
            invoice_key="to_invoice_key",
            account_key="payer_account_key",
            reversal_kind=pl.lit("onset"),
            related_item_key="item_key",
        ),
    )
    onsets = book["invoice_items"].slice(before)
    commands = items.select("item_key", "command_id")
    created = onsets.select(*("item_key", "related_item_key", "invoice_key", "account_key"), gross="amount").join(
        commands.rename({"item_key": "related_item_key"}), on="related_item_key", how="left", maintain_order="left"
    )
    effects = Effects(book).recording(item_events=item_events(created, "Item Created as Onset"))
    assigned = created.with_columns(gross=pl.lit(0, pl.Int64))
    effects = effects.recording(item_events=item_events(assigned, "Item Assigned to Payer"))
    effects = effects.then(_move_what_was_paid(effects.book, onsets, day, commands))
    return effects.then(offset_items(effects.book, items["item_key"], day, carrier, commands))


def _move_what_was_paid(book: Book, onsets: pl.DataFrame, day: date, commands: pl.DataFrame) -> Effects:
    """Payments and write-offs of the items that these onsets replace go with them (R-ITM-15)."""
    destinations = onsets.select(item_key="related_item_key", to_item_key="item_key")
    paid = standing_payment_items(book, destinations["item_key"])
    effects = move_payment_items(book, paid.join(destinations, on="item_key"), day, commands)
    written_off = standing_write_off_items(effects.book, destinations["item_key"])
    return effects.then(
        move_write_off_items(effects.book, written_off.join(destinations, on="item_key"), day, commands)
    )
