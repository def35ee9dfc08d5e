"""Billing levels: an account is invoiced, and keeps its incoming funds, per account or per policy (R-BL-1..14).

A change takes effect at once for what is still planned. Nothing is posted for items that go on other invoices, only for
money that goes from fund to fund (R-BL-13).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.account_settings import change_settings
from ledger.book import Book, designated_fund_key
from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.funds import separates_funds
from ledger.invoices import is_planned
from ledger.item_changes import item_events, move_planned_items
from ledger.item_placing import invoices_for_items
from ledger.streams import open_streams
from ledger.taking_back import empty_designated_funds


def change_billing_levels(book: Book, levels: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Give accounts another billing level.

    levels: account_key (each once), invoice_by, separate_funds_by, command_id; an account that is invoiced per account
    keeps its funds per account (R-BL-3). A level that the account has already changes nothing (R-BL-14). Streams of
    policies in force that are missing are created, others are used as they are; planned items go where they would be
    placed today, billed ones stay (R-BL-9..12). Funds per policy are opened empty, or emptied into the default fund,
    which may fall below zero (R-BL-9, R-BL-10).
    """
    by_account = pl.col("new_invoice_by") == "account"
    accounts = book["accounts"].with_row_index("row")
    new = levels.select(
        "account_key", "command_id", new_invoice_by="invoice_by", new_funds_by="separate_funds_by"
    ).with_columns(new_funds_by=pl.when(by_account).then(pl.lit("account")).otherwise("new_funds_by"))
    rows = accounts.join(new, on="account_key", how="inner", maintain_order="left").with_columns(
        is_moved=pl.col("invoice_by").cast(pl.String) != pl.col("new_invoice_by"),
        is_other=pl.col("separate_funds_by").cast(pl.String) != pl.col("new_funds_by"),
    )
    rows = rows.filter(pl.col("is_moved") | pl.col("is_other"))
    if rows.is_empty():
        return Effects(book)
    values = {"invoice_by": rows["new_invoice_by"], "separate_funds_by": rows["new_funds_by"]}
    book = change_settings(book, rows["row"], values)
    book = _open_designated_funds(book, rows["account_key"])
    funds = book["funds"].filter(pl.col("account_key").is_in(rows["account_key"].implode()))
    effects = empty_designated_funds(book, funds["fund_key"], day)
    moved = rows.filter("is_moved").select("account_key", "command_id")
    return effects if moved.is_empty() else effects.then(_move_planned_items(effects.book, moved, day, carrier))


def _open_designated_funds(book: Book, account_keys: pl.Series) -> Book:
    """Accounts that keep funds per policy have one for each of their policies, new ones are empty (R-BL-8, R-BL-9)."""
    keeps = book["accounts"].filter(pl.col("account_key").is_in(account_keys.implode()) & separates_funds())
    policies = book["policies"].join(keeps.select("account_key", "currency"), on="account_key", how="inner")
    funds = policies.sort("policy_key").select(
        "account_key",
        "policy_key",
        "currency",
        fund_key=designated_fund_key(pl.col("policy_key")),
        balance=pl.lit(0, pl.Int64),
    )
    return book.append("funds", funds.join(book["funds"], on="fund_key", how="anti", maintain_order="left"))


def _move_planned_items(book: Book, accounts: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Open the streams of the policies in force at the new level, and put planned items on their invoices (R-BL-12)."""
    keys = accounts["account_key"].implode()
    covers = pl.coalesce("cancellation_date", "coverage_end") > day
    paid_by_owner = pl.col("payer_account_key") == 0
    periods = book["policy_periods"].filter(pl.col("account_key").is_in(keys) & covers & paid_by_owner)
    book = open_streams(book, periods.select("period_key", payer_account_key="account_key"), carrier)
    planned = book["invoices"].filter(pl.col("account_key").is_in(keys) & is_planned(day))["invoice_key"]
    items = book["invoice_items"].filter(pl.col("invoice_key").is_in(planned.implode()))
    if items.is_empty():
        return Effects(book)
    wanted = items.select("item_key", "charge_key", "account_key", "event_date", "invoice_key")
    book, placed = invoices_for_items(book, wanted, day, carrier)
    moves = placed.filter(pl.col("to_invoice_key") != pl.col("invoice_key")).with_columns(invoice_key="to_invoice_key")
    moves = moves.join(accounts, on="account_key", how="left", maintain_order="left")
    moved = item_events(moves.with_columns(gross=pl.lit(0, pl.Int64)), "Item Moved to a New Instance")
    return Effects(move_planned_items(book, moves.select("item_key", "invoice_key"), day)).recording(item_events=moved)
