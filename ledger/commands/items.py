"""Commands about invoice items: billed ones taken back and allocated anew, planned ones moved and changed.

A command that lists items is judged over its whole list: it is carried out when everything in it is right and the items
of the charge keep its amount, else it is refused (R-ITM-40..49).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.commands.refusals import split_refused
from ledger.effects import Effects
from ledger.invoices import delete_empty_invoices, is_planned
from ledger.item_changes import item_numbers_left, items_with_status, move_planned_items, offset_items
from ledger.money import minor_units
from ledger.payment_items import standing_payment_items, standing_write_off_items
from ledger.reallocation import add_planned_items, change_planned_amounts, is_paid_beyond, move_events
from ledger.taking_back import take_back_payment_items, take_back_write_off_items
from schemas.currencies import AMOUNT_LIMIT

_LINE = ("command_id", "charge_key", "line_no", "item_id", "event_date", "item_type", "amount", "is_change")
_CODES = ("E-AMOUNT-UNREADABLE", "E-ITEM-OF-CHARGE", "E-ITEM-NOT-PLANNED", "E-ITEM-ADDITION", "E-ITEM-PAID")


def reverse_and_reallocate(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Take back billed and due items by offsets on their invoices, and allocate their amounts to planned items.

    In: commands with item_key, charge_key, decimals, additions (list of item_id, event_date, item_type, amount). What
    was paid and written off of the item is taken back first: its money is in the fund of the account that had paid.
    Rules: R-ITM-40..42, A-8.
    """
    items = items_with_status(book, commands["item_key"], day, carrier)
    items = items.select("item_key", "is_standing", "status", item_amount="amount")
    found = commands.join(items, on="item_key", how="left", maintain_order="left")
    lines = _lines(found, "additions", "item_id", "event_date", "item_type", "amount")
    lines = _with_items(book, lines.with_columns(is_change=pl.lit(value=False)), day, carrier)
    lines = lines.with_columns(change="amount", **_with_others_of_the_round())
    problems = _line_problems(book, lines, more_numbers=1)
    sums = lines.group_by("command_id").agg(allocated=pl.col("amount").sum())
    found = found.join(sums, on="command_id", how="left", maintain_order="left")
    right, refused = split_refused(
        found.join(problems, on="command_id", how="left", maintain_order="left"),
        {
            "E-ITEM-NOT-BILLED": ~_is_on("Billed", "Due"),
            **{code: pl.col(code) for code in (*_CODES, "E-ITEM-NUMBERS")},
            "E-ITEM-UNALLOCATED": pl.col("allocated").fill_null(0) != pl.col("item_amount"),
        },
    )
    lines = lines.join(right, on="command_id", how="semi", maintain_order="left")
    keys = right["item_key"]
    effects = Effects(book, refused=(refused,))
    effects = effects.then(take_back_payment_items(effects.book, standing_payment_items(book, keys), day))
    written_off = standing_write_off_items(effects.book, keys)
    effects = effects.then(take_back_write_off_items(effects.book, written_off, day))
    effects = effects.then(offset_items(effects.book, keys, day, carrier, right))
    return effects.then(_apply(effects.book, lines, day, carrier))


def modify_planned_items(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Change amounts of planned items of charges, add items and remove some.

    In: commands with charge_key, decimals, changes (list of item_id, amount), additions (list of event_date, item_type,
    amount), removals (list of item ids). Rules: R-ITM-42..44, R-ITM-47, R-CI-06.
    """
    changed = _lines(commands, "changes", "item_id", "amount").with_columns(is_change=pl.lit(value=True))
    removed = commands.select("command_id", "charge_key", "decimals", item_id="removals").explode("item_id")
    removed = removed.filter(pl.col("item_id").is_not_null())
    nothing = pl.lit(0, pl.Int64)
    removed = removed.with_columns(amount=nothing, line_no=nothing, is_change=pl.lit(value=True))
    added = _lines(commands, "additions", "event_date", "item_type", "amount")
    added = added.with_columns(item_id=pl.lit(None, pl.String), is_change=pl.lit(value=False))
    every = pl.concat([changed, removed.drop("decimals"), added], how="diagonal")
    lines = _with_items(book, every.select(_LINE), day, carrier)
    difference = pl.col("amount") - pl.col("item_amount").fill_null(0)
    lines = lines.with_columns(change=difference, least="amount", most="amount")
    problems = _line_problems(book, lines)
    sums = lines.group_by("command_id").agg(difference=pl.col("change").sum())
    found = commands.join(problems, on="command_id", how="left", maintain_order="left")
    right, refused = split_refused(
        found.join(sums, on="command_id", how="left", maintain_order="left"),
        {
            "E-ITEM-NO-CHANGE": ~pl.col("command_id").is_in(lines["command_id"].implode()),
            **{code: pl.col(code) for code in (*_CODES, "E-ITEM-NUMBERS")},
            "E-ITEM-UNALLOCATED": pl.col("difference") != 0,
        },
    )
    lines = lines.join(right, on="command_id", how="semi", maintain_order="left")
    return Effects(book, refused=(refused,)).then(_apply(book, lines, day, carrier))


def move_invoice_items(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Put planned items on other planned invoices of the same payer, ad hoc ones too.

    In: commands with item_key, invoice_id. What is paid of the items stays on them; the fund that pays the rest is that
    of the stream on which they are then. The stream of a list bill account for its own charges takes none of a policy.
    Rules: R-ITM-45..48, R-LB-06.
    """
    items = items_with_status(book, commands["item_key"], day, carrier)
    items = items.select("item_key", "period_key", "is_standing", "status", from_invoice="invoice_key")
    number = pl.col("invoice_id").cast(pl.Int64, strict=False)
    found = commands.with_columns(to_invoice_key=number).join(items, on="item_key", how="left", maintain_order="left")
    known = book["invoices"].filter(pl.col("invoice_key").is_in(found["to_invoice_key"].drop_nulls().implode()))
    streams = book["invoice_streams"].select("stream_key", is_for_account="is_account_level_only")
    known = known.join(streams, on="stream_key", how="left").select(
        "is_for_account", to_invoice_key="invoice_key", to_account="account_key", can_take=is_planned(day)
    )
    found = found.join(known, on="to_invoice_key", how="left", maintain_order="left")
    right, refused = split_refused(
        found,
        {
            "E-ITEM-NOT-PLANNED": ~_is_on("Planned"),
            "E-INVOICE-NOT-PLANNED": ~pl.col("can_take").fill_null(value=False)
            | (pl.col("to_invoice_key") == pl.col("from_invoice")),
            "E-INVOICE-PAYER": (pl.col("to_account") != pl.col("account_key"))
            | (pl.col("is_for_account") & (pl.col("period_key") > 0)),
        },
    )
    if right.is_empty():
        return Effects(book, refused=(refused,))
    moves = right.select("item_key", "command_id", invoice_key="to_invoice_key")
    book = move_planned_items(book, moves, day)
    return Effects(book, refused=(refused,)).recording(item_events=move_events(book, moves))


def _is_on(*statuses: str) -> pl.Expr:
    """Whether an item stands on an invoice of one of these statuses."""
    return (pl.col("is_standing") & pl.col("status").is_in(statuses)).fill_null(value=False)


def _lines(commands: pl.DataFrame, name: str, *fields: str) -> pl.DataFrame:
    """What commands list under a parameter, one row each, with `amount` in minor units (null when unreadable)."""
    listed = commands.select("command_id", "charge_key", "decimals", line=name).filter(pl.col("line").list.len() > 0)
    listed = listed.with_columns(line_no=pl.int_ranges(pl.col("line").list.len().cast(pl.Int64)))
    lines = listed.explode("line", "line_no").with_columns(pl.col("line").struct.unnest())
    lines = lines.with_columns(amount=minor_units(pl.col("amount"), pl.col("decimals")))
    return lines.select("command_id", "charge_key", "line_no", *fields)


def _with_others_of_the_round() -> dict[str, pl.Expr]:
    """The least and the most that an item could have, whichever of the commands that add to it are carried out."""
    amount = pl.col("item_amount")
    return {
        "least": amount + pl.col("amount").clip(upper_bound=0).sum().over("named_key"),
        "most": amount + pl.col("amount").clip(lower_bound=0).sum().over("named_key"),
    }


def _with_items(book: Book, lines: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    """Add what there is about the item that a line names: nulls where it names none, or none of its charge."""
    lines = lines.select(_LINE).with_columns(named_key=pl.col("item_id").cast(pl.Int64, strict=False))
    items = items_with_status(book, lines["named_key"].drop_nulls().unique(), day, carrier)
    items = items.select(
        "charge_key", "is_standing", "status", "paid", "written_off", named_key="item_key", item_amount="amount"
    )
    return lines.join(items, on=["charge_key", "named_key"], how="left", maintain_order="left")


def _line_problems(book: Book, lines: pl.DataFrame, *, more_numbers: int = 0) -> pl.DataFrame:
    """Per command, which reason codes its lines raise: command_id and one truth value per code.

    lines: see `_with_items`, with `least` and `most` that named items could have. `more_numbers` are the items that a
    command adds to its charge besides its new ones.
    """
    is_new = pl.col("item_id").is_null()
    is_named = ~is_new
    is_incomplete = pl.col("event_date").is_null() | pl.col("item_type").is_null()
    is_twice = is_named & pl.struct("command_id", "named_key").is_duplicated()
    found = {
        "E-AMOUNT-UNREADABLE": pl.col("amount").is_null() | (pl.col("amount").abs() > AMOUNT_LIMIT),
        "E-ITEM-OF-CHARGE": is_named & (pl.col("item_amount").is_null() | is_twice),
        "E-ITEM-NOT-PLANNED": is_named & ~_is_on("Planned"),
        "E-ITEM-ADDITION": (~pl.col("is_change") & (pl.col("amount") == 0)) | (is_new & is_incomplete),
        "E-ITEM-PAID": is_named & (is_paid_beyond(pl.col("least")) | is_paid_beyond(pl.col("most"))),
    }
    needed = lines.group_by("charge_key").agg(needed=is_new.sum() + pl.col("command_id").n_unique() * more_numbers)
    left = item_numbers_left(book, needed["charge_key"])
    full = needed.join(left, on="charge_key").filter(pl.col("needed") > pl.col("numbers_left"))["charge_key"]
    found["E-ITEM-NUMBERS"] = pl.col("charge_key").is_in(full.implode())
    flagged = lines.select("command_id", *(has.fill_null(value=False).alias(code) for code, has in found.items()))
    return flagged.group_by("command_id").agg(pl.col(list(found)).any())


def _apply(book: Book, lines: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Change the named items of these lines and add the new ones; invoices left empty are deleted (R-ITM-47)."""
    named = lines.filter(pl.col("item_id").is_not_null())
    changes = named.select("command_id", "change", item_key="named_key")
    touched = book["invoice_items"].filter(pl.col("item_key").is_in(changes["item_key"].implode()))["invoice_key"]
    effects = change_planned_amounts(book, changes)
    added = lines.filter(pl.col("item_id").is_null()).sort("charge_key", "command_id", "line_no")
    added = added.select("charge_key", "event_date", "item_type", "amount")
    book = add_planned_items(effects.book, added, day, carrier)
    return effects.with_book(delete_empty_invoices(book, touched, day))


PROCESSES = {
    "reverse_item_and_reallocate": reverse_and_reallocate,
    "move_invoice_item": move_invoice_items,
    "modify_planned_items": modify_planned_items,
}
"""Which process carries out which command."""
