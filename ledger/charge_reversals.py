"""Charge reversals: a charge raised in error, or waived, is undone by one of the opposite amount (R-CR).

A reversal is no write-off: what was charged was never owed (R-CR-1). Money that paid the charge is free again.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import ITEMS_PER_CHARGE, Book, default_fund_key, number_from
from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.invoicing import initial_transactions
from ledger.item_changes import items_with_status
from ledger.payment_items import append_payment_items, standing_payment_items, standing_write_off_items
from ledger.posting import transaction_frame
from ledger.segments import place_in_run
from ledger.taking_back import change_paid, take_back_payment_items, take_back_write_off_items

NOT_REVERSIBLE = ("pro_rata", "recapture")
"""Subtypes of charges that cannot be reversed (R-CR-2, R-RC-3)."""


def reverse_charges(book: Book, reversals: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Reverse charges, each by a new charge of the same pattern, owner and group with the opposite amount.

    reversals: charge_key, reversal_reason, command_id; charges that may be reversed, each once. What paid the items of
    a charge, or was written off of them, is taken back first: its money returns to the fund that it came from. Then
    every item gets one of the opposite amount on the same invoice, planned ones too; the two settle each other. As they
    belong to two charges, that is posted: through the default fund of the payer, which stays as it is. A hold on the
    charge ends. Rules: R-CR-1, R-CR-4, R-CR-5.
    """
    if reversals.is_empty():
        return Effects(book)
    items = book["invoice_items"].filter(pl.col("charge_key").is_in(reversals["charge_key"].implode()))
    effects = take_back_payment_items(book, standing_payment_items(book, items["item_key"]), day)
    effects = effects.then(
        take_back_write_off_items(effects.book, standing_write_off_items(effects.book, items["item_key"]), day)
    )
    book, reversing = _reversing_charges(_release(effects.book, reversals), reversals, day)
    book, opposite = _opposite_items(book, items["item_key"], reversing, day, carrier)
    billed = opposite.filter(pl.col("status").is_in(["Billed", "Due", "Written Off"]))
    due = opposite.filter(pl.col("status").is_in(["Due", "Written Off"]))
    effects = effects.with_book(book).posting(
        initial_transactions(reversing),
        transaction_frame(billed, "ChargeBilled", transaction_date=day),
        transaction_frame(due, "ChargeDue", transaction_date=day),
    )
    return effects.then(_settle(book, opposite, day)).recording(item_events=_events(opposite))


def _release(book: Book, reversals: pl.DataFrame) -> Book:
    held = book["charges"].select("charge_key", "hold_reason").with_row_index("row")
    held = held.filter(
        pl.col("charge_key").is_in(reversals["charge_key"].implode()) & pl.col("hold_reason").is_not_null()
    )
    return book.update(
        "charges", held["row"], {"hold_reason": pl.Series([None], dtype=pl.String).new_from_index(0, held.height)}
    )


def _reversing_charges(book: Book, reversals: pl.DataFrame, day: date) -> tuple[Book, pl.DataFrame]:
    """Book the new charges; they take effect today, or with their original where that is later."""
    originals = book["charges"].filter(pl.col("charge_key").is_in(reversals["charge_key"].implode()))
    reasons = reversals.select("charge_key", "command_id", new_reason="reversal_reason")
    none = pl.lit(0, pl.Int64)
    reversing = (
        originals.join(reasons, on="charge_key", how="left")
        .sort("charge_key")
        .with_columns(
            number_from(book.next_key("charges"), "charge_key"),
            instruction_key=none,
            charge_no=none,
            amount=-pl.col("amount"),
            charge_date=pl.lit(day),
            effective_date=pl.max_horizontal("effective_date", pl.lit(day)),
            context=pl.lit("reversal"),
            reverses_charge_key="charge_key",
            reversal_reason="new_reason",
            collateral_key=pl.when(pl.col("owner_type") == "Collateral").then("owner_key").otherwise(0),
        )
    )
    return book.append("charges", reversing), reversing


def _opposite_items(
    book: Book, item_keys: pl.Series, reversing: pl.DataFrame, day: date, carrier: Carrier
) -> tuple[Book, pl.DataFrame]:
    """Book an item for what each item of the original still amounts to after its own offsets.

    Out: the book, and the new items with the status of their invoice and the command that asked for them.
    """
    items = items_with_status(book, item_keys, day, carrier)
    is_offset = pl.col("reversal_kind").cast(pl.String) == "offset"
    taken_back = items.filter(is_offset).group_by(item_key="related_item_key").agg(taken_back=pl.col("amount").sum())
    charges = reversing.select("command_id", charge_key="reverses_charge_key", reversing_key="charge_key")
    opposite = (
        items.filter(~is_offset)
        .join(taken_back, on="item_key", how="left", maintain_order="left")
        .with_columns(amount=-(pl.col("amount") + pl.col("taken_back").fill_null(0)))
        .filter(pl.col("amount") != 0)
        .join(charges, on="charge_key", how="left", maintain_order="left")
        .sort("reversing_key", "item_key")
        .with_columns(
            charge_key="reversing_key",
            item_key=pl.col("reversing_key") * ITEMS_PER_CHARGE + place_in_run("reversing_key") + 1,
            related_item_key="item_key",
            reversal_kind=pl.lit("offset"),
            original_charge_key="charge_key",
            paid=pl.lit(0, pl.Int64),
            written_off=pl.lit(0, pl.Int64),
        )
    )
    return book.append("invoice_items", opposite), opposite


def _settle(book: Book, opposite: pl.DataFrame, day: date) -> Effects:
    """The items and their opposites pay each other: two parts each, one after the other."""
    amount = pl.col("amount")
    original = opposite.with_columns(
        item_key="related_item_key", charge_key="original_charge_key", amount=-amount, side=pl.lit(1)
    )
    parts = pl.concat([opposite.with_columns(side=pl.lit(0)), original]).with_columns(
        pair=pl.when(pl.col("side") == 0).then("related_item_key").otherwise("item_key")
    )
    credit = pl.when(amount < 0).then("item_key").max().over("pair")
    no_key = pl.lit(0, pl.Int64)
    parts = parts.sort("pair", "side").with_columns(
        credit_item_key=credit,
        kind=pl.lit("settlement"),
        payment_key=no_key,
        fund_key=no_key,
        through_fund_key=default_fund_key(pl.col("account_key")),
    )
    book = append_payment_items(change_paid(book, parts, "paid"), parts, day)
    return Effects(book, (transaction_frame(parts, "ChargePaidFromAccount", transaction_date=day),))


def _events(opposite: pl.DataFrame) -> pl.DataFrame:
    """What happened to the items: the originals were reversed, their opposites were created."""
    created = opposite.select(
        "item_key",
        "related_item_key",
        "invoice_key",
        "account_key",
        "command_id",
        gross="amount",
        event_type=pl.lit("Item Created as Reversal"),
    )
    reversed_ones = created.with_columns(
        item_key="related_item_key",
        related_item_key="item_key",
        gross=-pl.col("gross"),
        event_type=pl.lit("Item Reversed"),
    )
    return pl.concat([reversed_ones, created])
