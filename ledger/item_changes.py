"""Changes of invoice items after charge invoicing: more of them, offsets, and moving what paid them (R-ITM-13..15, 41).

Every change keeps the items of a charge at its amount only together with its counterpart, which the caller adds
(R-CI-06). What is paid or written off moves between items of one charge without a posting: the charge is the same, and
the rows that move keep the transaction that once paid them.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from ledger.book import ITEMS_PER_CHARGE, Book
from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.invoices import delete_empty_invoices, invoice_status
from ledger.payment_items import append_payment_items, append_write_off_items, carried_key
from ledger.posting import transaction_frame
from ledger.segments import place_in_run
from ledger.taking_back import change_paid

_OF_CHARGE = (
    *("owner_type", "owner_key", "policy_key", "period_key"),
    *("charge_pattern", "priority", "is_recapture", "currency"),
)


def items_with_status(book: Book, item_keys: pl.Series, day: date, carrier: Carrier) -> pl.DataFrame:
    """These items by key, with the `status`, `bill_date` and `due_date` of their invoice before it is billed today.

    Status is Planned, Billed, Due, Written Off, or null for an item that was removed. `is_standing` says whether the
    item counts by itself: it is no offset, none took it back, and it was not removed.
    """
    items = book["invoice_items"].filter(pl.col("item_key").is_in(item_keys.implode())).sort("item_key")
    yesterday = day - timedelta(days=1)
    status = invoice_status(yesterday, yesterday - timedelta(days=carrier.invoice_due_lag_days))
    invoices = book["invoices"].filter(pl.col("invoice_key").is_in(items["invoice_key"].unique().implode()))
    invoices = invoices.select("invoice_key", "bill_date", "due_date", status=status)
    items = items.join(invoices, on="invoice_key", how="left", maintain_order="left")
    is_offset = pl.col("reversal_kind").cast(pl.String) == "offset"
    # What takes an item back belongs to its charge, or to the charge that reverses it (R-CR-5).
    of_items = pl.col("related_item_key").is_in(items["item_key"].implode())
    taken_back = book["invoice_items"].filter(is_offset & of_items)["related_item_key"]
    stands = (pl.col("invoice_key") > 0) & ~is_offset & ~pl.col("item_key").is_in(taken_back.implode())
    return items.with_columns(is_standing=stands)


def item_numbers_left(book: Book, charge_keys: pl.Series) -> pl.DataFrame:
    """How many more items each of these charges can number: charge_key, numbers_left (at most 1023)."""
    items = book["invoice_items"].filter(pl.col("charge_key").is_in(charge_keys.unique().implode()))
    last_number = pl.col("item_key").max() % ITEMS_PER_CHARGE
    return items.group_by("charge_key").agg(numbers_left=ITEMS_PER_CHARGE - 1 - last_number)


def append_items_to_charges(book: Book, items: pl.DataFrame) -> Book:
    """Add items to charges that have some, numbered after them in order of charge and then of these rows.

    items: charge_key, item_type, installment_number, event_date, amount (minor units), invoice_key, account_key
    (payer), and reversal_kind and related_item_key where they replace or take back another. What belongs to the charge
    is copied from its other items. The caller has refused what needs more numbers than a charge has left
    (`item_numbers_left`).
    """
    if items.is_empty():
        return book
    items = items.sort("charge_key", maintain_order=True)
    siblings = book["invoice_items"].filter(pl.col("charge_key").is_in(items["charge_key"].implode()))
    charges = siblings.group_by("charge_key").agg(pl.col(_OF_CHARGE).first(), last_item_key=pl.col("item_key").max())
    items = items.join(charges, on="charge_key", how="left", maintain_order="left").with_columns(
        item_key=pl.col("last_item_key") + 1 + place_in_run("charge_key"), paid=pl.lit(0, pl.Int64)
    )
    return book.append("invoice_items", items)


def offset_items(
    book: Book, item_keys: pl.Series, day: date, carrier: Carrier, commands: pl.DataFrame | None = None
) -> Effects:
    """Take back items on billed or due invoices: each gets an offset of the opposite amount on its own invoice.

    The item and its offset settle each other, so that both are closed. Nothing may be paid or written off of the items
    any more (taken back or moved before); raises ValueError otherwise, or when one is on another kind of invoice. The
    offset leaves Billed, and Due where its invoice is due, for Unbilled; the caller adds as much again to the charge.
    commands: item_key and command_id, where commands ask for it. Rules: R-ITM-14, R-ITM-20, R-ITM-40, A-8, A-9, A-10.
    """
    if item_keys.is_empty():
        return Effects(book)
    items = items_with_status(book, item_keys, day, carrier)
    can_be_offset = pl.col("is_standing") & pl.col("status").is_in(["Billed", "Due"])
    is_open = (pl.col("paid") == 0) & (pl.col("written_off") == 0)
    if not items.select((can_be_offset & is_open).fill_null(value=False).all()).item():
        msg = "items that are paid, written off, taken back or not billed cannot be offset"
        raise ValueError(msg)
    before = book["invoice_items"].height
    book = append_items_to_charges(
        book,
        items.with_columns(
            amount=-pl.col("amount"), reversal_kind=pl.lit("offset"), related_item_key=pl.col("item_key")
        ),
    )
    offsets = book["invoice_items"].slice(before)
    book = _settle(book, offsets, day)
    due = items.filter(pl.col("status") == "Due")["item_key"]
    turned_due = offsets.filter(pl.col("related_item_key").is_in(due.implode()))
    transactions = (
        transaction_frame(offsets, "ChargeBilled", transaction_date=day),
        transaction_frame(turned_due, "ChargeDue", transaction_date=day),
    )
    reversed_ones = items.with_columns(gross=pl.lit(0, pl.Int64)).drop("related_item_key", "reversal_kind")
    reversed_ones = reversed_ones.join(
        offsets.select(item_key="related_item_key", related_item_key="item_key"), on="item_key", maintain_order="left"
    )
    created = offsets.with_columns(gross="amount", of_item="related_item_key")
    events = pl.concat(
        [
            item_events(with_command_ids(reversed_ones, "item_key", commands), "Item Reversed"),
            item_events(with_command_ids(created, "of_item", commands), "Item Created as Reversal"),
        ]
    )
    return Effects(book, transactions).then(Effects(book).recording(item_events=events))


def _settle(book: Book, offsets: pl.DataFrame, day: date) -> Book:
    """Offsets and what they take back pay each other: two payment items each, nothing is posted (R-ITM-14, A-10)."""
    offsets = offsets.filter(pl.col("amount") != 0)
    if offsets.is_empty():
        return book
    nothing = pl.lit(0, pl.Int64)
    pairs = offsets.sort("item_key").select(
        "charge_key",
        "account_key",
        item_key=pl.concat_list("related_item_key", "item_key"),
        amount=pl.concat_list(-pl.col("amount"), "amount"),
        credit_item_key=nothing,
        kind=pl.lit("settlement"),
        payment_key=nothing,
        fund_key=nothing,
        transaction_key=nothing,
    )
    rows = pairs.explode("item_key", "amount")
    return append_payment_items(change_paid(book, rows, "paid"), rows, day)


def move_payment_items(book: Book, moves: pl.DataFrame, day: date, commands: pl.DataFrame | None = None) -> Effects:
    """Put what paid items on other items of the same charge instead; nothing is posted.

    moves: payment_item_key (standing, no settlement), to_item_key. Each becomes a row that takes it back and one like
    it on the other item, which keeps its payment, payer, fund and transaction: taken back later, the money goes to
    where it came from. The two halves of a credit stay side by side. commands: item_key (where the payment was) and
    command_id, where commands ask for it. Rules: R-ITM-15, R-ITM-20.
    """
    if moves.is_empty():
        return Effects(book)
    parts = _with_destinations(book, moves)
    back = parts.with_columns(
        amount=-pl.col("amount"), reverses_payment_item_key="payment_item_key", transaction_key=pl.lit(0, pl.Int64)
    )
    is_credit = pl.col("credit_item_key") > 0
    is_use = pl.col("item_key") == pl.col("credit_item_key")
    credit = pl.when(is_use).then("to_item_key").otherwise(pl.col("to_item_key").shift(1))
    onto = parts.with_columns(
        credit_item_key=pl.when(is_credit).then(credit).otherwise(0),
        transaction_key=carried_key("payment_item_key"),
    ).with_columns(item_key="to_item_key")
    rows = pl.concat([back, onto]).drop("payment_item_key", "to_item_key")
    book = append_payment_items(change_paid(book, rows, "paid"), rows, day)
    return Effects(book).recording(
        item_events=_moved(book, parts.filter(pl.col("item_key") != pl.col("to_item_key")), commands)
    )


def _with_destinations(book: Book, moves: pl.DataFrame) -> pl.DataFrame:
    """The payment items of moves in order, each with to_item_key, and the other halves of credits, which stay."""
    table = book["payment_items"]
    parts = table.filter(pl.col("payment_item_key").is_in(moves["payment_item_key"].implode()))
    of_credits = parts.filter(pl.col("credit_item_key") > 0)
    if not of_credits.is_empty():
        is_use = pl.col("item_key") == pl.col("credit_item_key")
        partner = of_credits.select(pl.col("payment_item_key") + pl.when(is_use).then(1).otherwise(-1)).to_series()
        others = table.filter(pl.col("payment_item_key").is_in(partner.implode()))
        parts = pl.concat([parts, others]).unique("payment_item_key", maintain_order=True)
    destinations = moves.select("payment_item_key", "to_item_key")
    parts = parts.sort("payment_item_key").join(destinations, on="payment_item_key", how="left", maintain_order="left")
    return parts.with_columns(pl.coalesce("to_item_key", "item_key"))


def move_write_off_items(book: Book, moves: pl.DataFrame, day: date, commands: pl.DataFrame | None = None) -> Effects:
    """Put what was written off of items on other items of the same charge instead; nothing is posted.

    moves: write_off_item_key (standing), to_item_key. The rest as in `move_payment_items`. Rules: R-ITM-15, R-ITM-20.
    """
    if moves.is_empty():
        return Effects(book)
    table = book["write_off_items"]
    parts = table.filter(pl.col("write_off_item_key").is_in(moves["write_off_item_key"].implode()))
    parts = parts.join(moves.select("write_off_item_key", "to_item_key"), on="write_off_item_key", how="left")
    parts = parts.sort("write_off_item_key")
    back = parts.with_columns(
        amount=-pl.col("amount"), reverses_write_off_item_key="write_off_item_key", transaction_key=pl.lit(0, pl.Int64)
    )
    onto = parts.with_columns(transaction_key=carried_key("write_off_item_key"), item_key="to_item_key")
    rows = pl.concat([back, onto]).drop("write_off_item_key", "to_item_key")
    book = append_write_off_items(change_paid(book, rows, "written_off"), rows, day)
    return Effects(book).recording(item_events=_moved(book, parts, commands))


def move_planned_items(book: Book, moves: pl.DataFrame, day: date) -> Book:
    """Put items that are on planned invoices on other planned ones; their payer is that of the invoice (R-ITM-02).

    moves: item_key, invoice_key. Nothing is posted, payments stay on the items. Planned invoices that are left empty
    are deleted. Rules: R-ITM-13, R-ITM-22, R-ITM-47, A-11.
    """
    if moves.is_empty():
        return book
    payers = book["invoices"].filter(pl.col("invoice_key").is_in(moves["invoice_key"].unique().implode()))
    targets = moves.select("item_key", to_invoice_key="invoice_key").join(
        payers.select(to_invoice_key="invoice_key", to_account_key="account_key"), on="to_invoice_key", how="left"
    )
    items = book["invoice_items"].select("item_key", "invoice_key").with_row_index("row")
    items = items.filter(pl.col("item_key").is_in(targets["item_key"].implode()))
    items = items.join(targets, on="item_key", how="left", maintain_order="left")
    book = book.update(
        "invoice_items", items["row"], {"invoice_key": items["to_invoice_key"], "account_key": items["to_account_key"]}
    )
    return delete_empty_invoices(book, items["invoice_key"], day)


def item_events(items: pl.DataFrame, event_type: str) -> pl.DataFrame:
    """Rows of `item_events` for items with item_key, gross (what it changes of what is open), invoice_key, account_key.

    related_item_key and command_id come along where there are such columns.
    """
    nothing = pl.lit(0, pl.Int64)
    return items.select(
        "item_key",
        "gross",
        "invoice_key",
        "account_key",
        event_type=pl.lit(event_type),
        related_item_key=pl.col("related_item_key") if "related_item_key" in items.columns else nothing,
        command_id=pl.col("command_id") if "command_id" in items.columns else pl.lit(None, pl.String),
    )


def with_command_ids(rows: pl.DataFrame, item_column: str, commands: pl.DataFrame | None) -> pl.DataFrame:
    """Add the command_id of what happens to an item, null where no command asks for it.

    rows: with the item's key in `item_column`. commands: item_key and command_id, or None.
    """
    if commands is None:
        return rows.with_columns(command_id=pl.lit(None, pl.String))
    ids = commands.select(pl.col("item_key").alias(item_column), "command_id")
    return rows.join(ids, on=item_column, how="left", maintain_order="left")


def _moved(book: Book, parts: pl.DataFrame, commands: pl.DataFrame | None) -> pl.DataFrame:
    """Item events for parts that went from item_key to to_item_key: what is open of the two changes by the amount."""
    keys = pl.concat([parts["item_key"], parts["to_item_key"]]).unique()
    items = book["invoice_items"].filter(pl.col("item_key").is_in(keys.implode()))
    items = items.select("item_key", "invoice_key", payer="account_key")
    moved = with_command_ids(parts.select("item_key", "to_item_key", "amount"), "item_key", commands)
    sides = []
    for at, other, sign, event_type in (
        ("item_key", "to_item_key", 1, "Payment Moved From Invoice Item"),
        ("to_item_key", "item_key", -1, "Payment Moved To Invoice Item"),
    ):
        side = moved.select("command_id", item_key=at, related_item_key=other, gross=pl.col("amount") * sign)
        side = side.join(items, on="item_key", how="left", maintain_order="left").rename({"payer": "account_key"})
        sides.append(item_events(side, event_type))
    return pl.concat(sides)
