"""Charges held for final audit, and released by it (R-CI-61, R-BI-14).

A hold is on a whole charge. What it does when an invoice is billed is told where invoices are billed.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.invoices import is_planned

HOLD_REASON = "final_audit"
"""Why these charges are held."""
HOLDING = ("hold_for_final_audit", "hold_for_final_audit_all")
"""The special handlings with which the charges of an instruction are held."""
_HOLDING_ALL = "hold_for_final_audit_all"
_RELEASING_TYPE = "audit"


def release_held_for_audit(book: Book, instructions: pl.DataFrame) -> Book:
    """An audit of a policy period releases every charge of the period that is held for final audit.

    In: booked instructions with `instruction_type` and `period_key`. Our choice: the sources say that a hold lasts
    until the final audit and not how its end is told; the audit instruction is the audit. Charges held for another
    reason stay held, and what the instruction itself brings may be held again.
    """
    audited = instructions.filter(pl.col("instruction_type") == _RELEASING_TYPE)["period_key"]
    if audited.is_empty():
        return book
    charges = book["charges"].select("period_key", "hold_reason").with_row_index("row")
    held = charges.filter(
        pl.col("period_key").is_in(audited.implode()) & (pl.col("hold_reason").cast(pl.String) == HOLD_REASON)
    )
    none = pl.Series([None], dtype=pl.String).new_from_index(0, held.height)
    return book.update("charges", held["row"], {"hold_reason": none})


def hold_unbilled_charges(book: Book, instructions: pl.DataFrame, day: date) -> Book:
    """Hold the charges of a policy period that have unbilled items, where an instruction asks for it (R-CI-61).

    In: booked instructions with `special_handling` and `period_key`. Unbilled is what stands on a planned invoice. What
    is held already keeps its reason. The items that are billed stay as they are.
    """
    asked = instructions.filter(pl.col("special_handling") == _HOLDING_ALL)["period_key"]
    if asked.is_empty():
        return book
    items = book["invoice_items"].filter(pl.col("period_key").is_in(asked.implode()) & (pl.col("invoice_key") > 0))
    planned = book["invoices"].filter(pl.col("invoice_key").is_in(items["invoice_key"].unique().implode()))
    unbilled = items.join(planned.filter(is_planned(day)), on="invoice_key", how="semi")["charge_key"].unique()
    charges = book["charges"].select("charge_key", "hold_reason").with_row_index("row")
    free = charges.filter(pl.col("charge_key").is_in(unbilled.implode()) & pl.col("hold_reason").is_null())
    held = pl.Series([HOLD_REASON], dtype=pl.String).new_from_index(0, free.height)
    return book.update("charges", free["row"], {"hold_reason": held})
