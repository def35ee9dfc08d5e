"""The billing method of a policy period changes: its charges and items get another payer (R-ITM-25..28, R-LB-12)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.payment_items import standing_payment_items
from ledger.reassignment import reassign_items, reassignable_items, set_default_payers
from ledger.schedules import change_schedules, redistribute


def change_billing_methods(book: Book, requests: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Give policy periods another billing method and payer.

    requests: period_key (each once), account_key (owner), billing_method (direct_bill or list_bill), payer_account_key
    (the owner, or the list bill account), payment_plan (of list bill the one that counts from now on), stream_key (of
    the payer, 0 for that which it has), reverse_payments (`ledger.reassignment.REVERSE_PAYMENTS`), is_catch_up and
    command_id.

    All charges of the period get the payer by default, and all items that stand, whoever paid them so far. With another
    plan the items are cut anew and payments are distributed again: those on all items, or on billed ones, as
    reverse_payments says. The caller has refused periods whose charges cannot number so many items. Rules: R-ITM-04,
    R-ITM-25, R-ITM-27, R-ITM-28, R-LB-12, R-LB-17.
    """
    if requests.is_empty():
        return Effects(book)
    requests = requests.sort("period_key")
    plans = book["policy_periods"].select("period_key", old_plan="payment_plan")
    requests = requests.join(plans, on="period_key", how="left", maintain_order="left")
    is_new_plan = (pl.col("billing_method") == "list_bill") & (pl.col("payment_plan") != pl.col("old_plan"))
    by_new_plan = requests.filter(is_new_plan)
    freed = _payments_to_distribute_again(book, by_new_plan, day, carrier)
    book = _set_methods(book, requests)
    effects = change_schedules(
        book,
        by_new_plan.select(
            *("period_key", "payment_plan", "command_id"),
            items=pl.lit("all_items"),
            include_down_payment=pl.lit(value=True),
            payments=pl.lit("reverse_only"),
        ),
        day,
        carrier,
    )
    effects = effects.then(_reassign(effects.book, requests, day, carrier))
    return effects.then(redistribute(effects.book, freed, day, carrier))


def _payments_to_distribute_again(book: Book, requests: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    """The payment items on the items of these periods, of those only that are billed where a request says so."""
    items = _items_of(book, requests, day, carrier)
    is_meant = (pl.col("reverse_payments") == "yes") | (pl.col("status") != "Planned")
    return standing_payment_items(book, items.filter(is_meant)["item_key"])


def _set_methods(book: Book, requests: pl.DataFrame) -> Book:
    """Periods get their method, payer and stream; their charges get the payer by default."""
    rows = book["policy_periods"].select("period_key").with_row_index("row")
    wanted = requests.select("period_key", "billing_method", "payer_account_key", "stream_key")
    rows = rows.join(wanted, on="period_key", how="inner", maintain_order="left")
    is_list_bill = pl.col("billing_method") == "list_bill"
    named_payer = rows.select(pl.when(is_list_bill).then("payer_account_key").otherwise(0)).to_series()
    values = {
        "billing_method": rows["billing_method"],
        "payer_account_key": named_payer,
        "stream_key": rows["stream_key"],
    }
    charges = book["charges"].select("charge_key", "period_key").filter(pl.col("period_key") > 0)
    charges = charges.join(wanted, on="period_key", how="inner", maintain_order="left")
    return set_default_payers(book.update("policy_periods", rows["row"], values), charges)


def _reassign(book: Book, requests: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """The items that the new payer does not pay yet get it as their payer."""
    items = _items_of(book, requests, day, carrier)
    items = items.filter(pl.col("account_key") != pl.col("payer_account_key"))
    wanted = items.select(
        *("item_key", "payer_account_key", "reverse_payments", "is_catch_up", "command_id"),
        is_next=pl.lit(value=False),
    )
    return reassign_items(book, wanted, day, carrier)


def _items_of(book: Book, requests: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    """The items of these periods that stand, with what the request says (R-ITM-25)."""
    of_periods = pl.col("period_key").is_in(requests["period_key"].implode()) & (pl.col("period_key") > 0)
    words = requests.select("period_key", "payer_account_key", "reverse_payments", "is_catch_up", "command_id")
    items = reassignable_items(book, book["invoice_items"].filter(of_periods)["item_key"], day, carrier)
    return items.join(words, on="period_key", how="left", maintain_order="left")
