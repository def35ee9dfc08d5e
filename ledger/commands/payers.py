"""Commands about who pays charges and invoice items, and collection agencies (R-ITM-06, R-ITM-10..22)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.commands import billing_methods
from ledger.commands.refusals import split_refused
from ledger.effects import Effects
from ledger.reassignment import (
    charges_without_numbers,
    pairs_without_stream,
    reassign_items,
    reassignable_items,
    set_default_payers,
)

_AGENCY = "collection_agency"
_IS_FULLY_PAID = pl.col("amount") == pl.col("paid")


def reassign_charge_payers(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Give charges another default payer, and the items of them that there are.

    In: commands with charge_key, payer_account_id, items (all, not_fully_paid), reverse_payments, catch_up. Items that
    the account pays already stay as they are. Rules: R-ITM-10..18, R-ITM-20..22.
    """
    found = _with_payers(book, commands, "payer_account_id")
    of_charges = pl.col("charge_key").is_in(found["charge_key"].implode())
    keys = book["invoice_items"].filter(of_charges)["item_key"]
    words = found.select("charge_key", "items", "reverse_payments", "catch_up", "command_id", "payer_account_key")
    items = reassignable_items(book, keys, day, carrier)
    items = items.join(words, on="charge_key", how="left", maintain_order="left").filter(
        (pl.col("account_key") != pl.col("payer_account_key")) & ((pl.col("items") == "all") | ~_IS_FULLY_PAID)
    )
    problems = _payer_problems() | {
        "E-PAYER-STREAM": _lacks_stream(book, found, carrier),
        "E-ITEM-NUMBERS": pl.col("charge_key").is_in(charges_without_numbers(book, items).implode()),
    }
    right, refused = split_refused(found, problems)
    book = set_default_payers(book, right)
    return Effects(book, refused=(refused,)).then(_reassign(book, items, right, day, carrier))


def set_charge_default_payers(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Give charges another default payer; their items stay with theirs.

    In: commands with charge_key, payer_account_id. Rules: R-ITM-04, R-ITM-11.
    """
    del day
    found = _with_payers(book, commands, "payer_account_id")
    problems = _payer_problems() | {"E-PAYER-STREAM": _lacks_stream(book, found, carrier)}
    right, refused = split_refused(found, problems)
    return Effects(set_default_payers(book, right), refused=(refused,))


def reassign_item_payers(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Give invoice items another payer; the default payer of their charge stays.

    In: commands with item_key, payer_account_id, reverse_payments, catch_up. Rules: R-ITM-10..18, R-ITM-20..22.
    """
    found = _with_payers(book, commands, "payer_account_id")
    items = reassignable_items(book, found["item_key"], day, carrier)
    words = found.select("item_key", "reverse_payments", "catch_up", "command_id", "payer_account_key")
    items = items.join(words, on="item_key", how="left", maintain_order="left")
    right, refused = split_refused(
        found,
        _payer_problems()
        | {
            "E-ITEM-STANDING": ~pl.col("item_key").is_in(items["item_key"].implode()),
            "E-PAYER-SAME": pl.col("account_key") == pl.col("payer_account_key"),
            "E-PAYER-STREAM": _lacks_stream(book, found, carrier),
            "E-ITEM-NUMBERS": pl.col("charge_key").is_in(charges_without_numbers(book, items).implode()),
        },
    )
    return Effects(book, refused=(refused,)).then(_reassign(book, items, right, day, carrier))


def refer_to_agencies(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Let collection agencies pay what is open: unpaid and partly paid items go on their next planned invoice.

    In: commands with account_key, policy_key (0 when the account is meant), agency_account_id. Of an account all items
    that it pays are meant, planned ones too, of a policy those that its owner pays; what was paid of them stays on
    them. Default payers stay. Rules: R-ITM-06, R-ITM-11.
    """
    found = _with_payers(book, commands, "agency_account_id")
    is_open = pl.col("amount") != pl.col("paid") + pl.col("written_off")
    candidates = book["invoice_items"].filter(pl.col("account_key").is_in(found["account_key"].implode()) & is_open)
    words = found.select("account_key", "command_id", "payer_account_key", of_policy="policy_key")
    items = reassignable_items(book, candidates["item_key"], day, carrier)
    items = items.join(words, on="account_key", how="left", maintain_order="left").filter(
        ((pl.col("of_policy") == 0) | (pl.col("of_policy") == pl.col("policy_key")))
        & (pl.col("account_key") != pl.col("payer_account_key"))
    )
    full = items.filter(pl.col("charge_key").is_in(charges_without_numbers(book, items).implode()))
    right, refused = split_refused(
        found,
        _payer_problems()
        | {
            "E-AGENCY-TYPE": pl.col("payer_type") != _AGENCY,
            "E-NOTHING-OPEN": ~pl.col("command_id").is_in(items["command_id"].implode()),
            "E-ITEM-NUMBERS": pl.col("command_id").is_in(full["command_id"].implode()),
        },
    )
    items = items.with_columns(reverse_payments=pl.lit("no"), catch_up=pl.lit(value=False))
    return Effects(book, refused=(refused,)).then(_reassign(book, items, right, day, carrier, is_next=True))


def _with_payers(book: Book, commands: pl.DataFrame, name: str) -> pl.DataFrame:
    """Add payer_account_key, payer_currency and payer_type of the account that a parameter names, null when unknown."""
    accounts = book["accounts"].filter(pl.col("account_id").is_in(commands[name].unique().implode()))
    payers = accounts.select(
        pl.col("account_id").alias(name),
        payer_account_key="account_key",
        payer_currency="currency",
        payer_type=pl.col("account_type").cast(pl.String),
    )
    return commands.join(payers, on=name, how="left", maintain_order="left")


def _payer_problems() -> dict[str, pl.Expr]:
    """By reason code, why an account cannot pay (`_with_payers`): unknown, or in another currency than what it pays."""
    return {
        "E-PAYER-ACCOUNT": pl.col("payer_account_key").is_null(),
        "E-NEW-PAYER-CURRENCY": pl.col("payer_currency") != pl.col("currency"),
    }


def _lacks_stream(book: Book, found: pl.DataFrame, carrier: Carrier) -> pl.Expr:
    """Whether the account that a command names could not be invoiced for its charge (R-LB-06)."""
    pairs = found.select("charge_key", "payer_account_key", "command_id").drop_nulls()
    lacking = pairs_without_stream(book, pairs, carrier)["command_id"]
    return pl.col("command_id").is_in(lacking.implode())


def _reassign(  # noqa: PLR0913 -- where items go follows from two things
    book: Book, items: pl.DataFrame, commands: pl.DataFrame, day: date, carrier: Carrier, *, is_next: bool = False
) -> Effects:
    """Reassign the items of the commands that are carried out."""
    wanted = items.filter(pl.col("command_id").is_in(commands["command_id"].implode())).select(
        *("item_key", "payer_account_key", "reverse_payments", "command_id"),
        is_catch_up="catch_up",
        is_next=pl.lit(is_next),
    )
    return reassign_items(book, wanted, day, carrier)


PROCESSES = {
    "reassign_charge_payer": reassign_charge_payers,
    "set_charge_default_payer": set_charge_default_payers,
    "reassign_item_payer": reassign_item_payers,
    "refer_to_collection_agency": refer_to_agencies,
    **billing_methods.PROCESSES,
}
"""Which process carries out which command."""
