"""Policy changes that follow the original charges of their policy period (R-CI-57, R-PO-4..6).

The charge of a policy change is cut into the parts that the matching charges of the period were cut into, each part in
proportion, and falls where they fall. Only when nothing matches, or the instruction has a modifier, does the payment
plan with its override for policy changes count; special handling goes before both (R-PO-8).

Original are the charges of the instruction that created the period. A charge matches one of the same charge pattern
whose charge group is the same, or not given on either side. Charges that are reversed, or reverse one, do not count; of
the others the items that stand: no offset, none that an offset took back (its onset stands in its place), none that was
removed from its invoice.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import ITEMS_PER_CHARGE, Book
from ledger.carrier import Carrier
from ledger.invoices import is_planned
from ledger.money import shares_from_front
from ledger.periods import NEW_PERIOD_TYPES
from ledger.placement import next_planned_invoices
from ledger.segments import place_in_run

_INVOICE = ("invoice_key", "cadence_date", "bill_date", "due_date")


def followed_items(book: Book, terms: pl.DataFrame) -> pl.DataFrame:
    """The items that charges of policy changes follow: those that stand of the original charges that they match.

    In: charges with terms and stream. Out, sorted by charge and item: charge_key, stream_key and amount of the new
    charge; followed_item_key, item_type, installment_number, event_date, invoice_key and weight of the item. A charge
    that is not there follows its plan. So does one whose matches sum to nothing, or have more items than a charge can
    number.
    """
    if terms.is_empty():
        return terms
    matches = terms.select("charge_key", "stream_key", "amount", "period_key", "charge_pattern", "charge_group").join(
        _original_charges(book, terms["period_key"].unique()), on=["period_key", "charge_pattern"], how="inner"
    )
    is_same_group = (pl.col("charge_group") == pl.col("followed_group")).fill_null(value=True)
    matches = matches.filter(is_same_group).select("charge_key", "stream_key", "amount", "followed_charge_key")
    standing = _standing_items(book, matches["followed_charge_key"].unique()).select(
        "invoice_key",
        "event_date",
        pl.col("item_type").cast(pl.String),
        pl.col("installment_number").cast(pl.Int64),
        followed_charge_key="charge_key",
        followed_item_key="item_key",
        weight="amount",
    )
    found = matches.join(standing, on="followed_charge_key", how="inner")
    sums = found.group_by("charge_key").agg(total=pl.col("weight").sum(), parts=pl.len())
    usable = sums.filter((pl.col("total") != 0) & (pl.col("parts") < ITEMS_PER_CHARGE))
    return found.join(usable, on="charge_key", how="semi").sort("charge_key", "followed_item_key")


def items_like_originals(book: Book, followed: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    """Cut charges of policy changes in proportion to the items that they follow.

    In: `followed_items`. Out: placed items as `ledger.invoicing.append_items` takes them. A part has item type,
    installment number and event date of the item that it follows. It goes on that item's invoice while that is a
    planned one of the charge's own stream, else on the next planned invoice of the stream. Amounts are rounded down on
    their absolute value, the units left over go one each to the parts from the first on; parts of nothing are not made.
    """
    split = followed.select(group="charge_key", money=pl.col("amount").abs(), weight="weight")
    parts = followed.with_columns(amount=shares_from_front(split) * pl.col("amount").sign())
    items = _placed(book, parts.filter(pl.col("amount") != 0), day, carrier)
    items = items.sort("charge_key", "followed_item_key").drop("followed_item_key", "followed_charge_key", "weight")
    return items.with_columns(item_no=place_in_run("charge_key") + 1)


def _original_charges(book: Book, period_keys: pl.Series) -> pl.DataFrame:
    """The charges with which policy periods began, less those that were reversed."""
    charges = book["charges"].filter(pl.col("period_key").is_in(period_keys.implode()))
    reversed_keys = charges.filter(pl.col("reverses_charge_key") > 0)["reverses_charge_key"]
    is_reversal = (pl.col("reverses_charge_key") > 0) | pl.col("charge_key").is_in(reversed_keys.implode())
    originals = charges.filter(pl.col("context").is_in(NEW_PERIOD_TYPES) & ~is_reversal)
    return originals.select(
        "period_key", "charge_pattern", followed_charge_key="charge_key", followed_group="charge_group"
    )


def _standing_items(book: Book, charge_keys: pl.Series) -> pl.DataFrame:
    """The items of these charges that count."""
    items = book["invoice_items"].filter(
        pl.col("charge_key").is_in(charge_keys.implode()) & (pl.col("invoice_key") > 0) & (pl.col("amount") != 0)
    )
    is_offset = pl.col("reversal_kind").cast(pl.String) == "offset"
    taken_back = items.filter(is_offset)["related_item_key"]
    return items.filter(~is_offset & ~pl.col("item_key").is_in(taken_back.implode()))


def _placed(book: Book, parts: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    """Give every part its invoice."""
    invoices = book["invoices"].filter(pl.col("invoice_key").is_in(parts["invoice_key"].unique().implode()))
    open_ones = invoices.filter(is_planned(day)).select("stream_key", *_INVOICE, is_new=pl.lit(value=False))
    stay = parts.join(open_ones, on=["stream_key", "invoice_key"], how="inner")
    move = parts.join(open_ones, on=["stream_key", "invoice_key"], how="anti").drop("invoice_key")
    if move.is_empty():
        return stay
    following = next_planned_invoices(book, move["stream_key"], day, carrier)
    return pl.concat([stay, move.join(following, on="stream_key", how="left").select(stay.columns)])
