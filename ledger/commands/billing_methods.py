"""Change of the billing method of a policy period: to direct bill or to list bill (R-ITM-25..28, R-LB-12)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.billing_methods import change_billing_methods
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.commands.accounts import with_list_bill_payers, with_streams
from ledger.commands.refusals import split_refused
from ledger.commands.schedules import plan_problems, with_plan_facts
from ledger.commands.targets import find_periods_of
from ledger.effects import Effects
from ledger.list_bill import ACCOUNT_TYPE, payer_offers
from ledger.reassignment import charges_without_numbers, reassignable_items
from ledger.schedules import periods_short_of_item_numbers


def change_methods(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Bill policy periods to their owner, or to list bill accounts, from now on.

    In: commands with policy_key, term_number, method, payer_account_id, payment_plan, stream_id, reverse_payments,
    catch_up, payments. Agency bill is refused: no producer is known who would be billed. Rules: R-ITM-25..28, R-LB-08,
    R-LB-09, R-LB-12.
    """
    found = _with_periods(book, find_periods_of(book, commands))
    found = with_streams(book, with_list_bill_payers(book, with_plan_facts(found, carrier)), carrier)
    offers = payer_offers(book, found, carrier)
    full = _periods_without_numbers(book, found, day, carrier)
    to_list_bill = pl.col("method") == "list_bill"
    problems = {
        "E-LIST-BILL-ACCOUNT": pl.col("payer_account_key").is_null()
        | (pl.col("payer_type") != ACCOUNT_TYPE)
        | (pl.col("payer_currency") != pl.col("currency")),
        **plan_problems(day),
        "E-SCHEDULE-OFFER": ~pl.col("is_offered"),
        "E-LIST-BILL-STREAM": ~pl.col("has_stream"),
    }
    right, refused = split_refused(
        found.with_columns(is_offered=offers),
        {
            "E-TERM-UNKNOWN": pl.col("period_key") == 0,
            "E-METHOD-AGENCY": pl.col("method") == "agency_bill",
            "E-METHOD-SAME": pl.col("method") == pl.col("billing_method"),
            **{code: to_list_bill & problem for code, problem in problems.items()},
            "E-ITEM-NUMBERS": pl.col("period_key").is_in(full.implode()),
        },
    )
    is_list_bill = pl.col("method") == "list_bill"
    requests = right.with_columns(
        payer_account_key=pl.when(is_list_bill).then("payer_account_key").otherwise("account_key"),
        stream_key=pl.when(is_list_bill).then("stream_key").otherwise(0),
        reverse_payments=_reverse_payments(),
        billing_method="method",
        is_catch_up="catch_up",
    )
    return Effects(book, refused=(refused,)).then(change_billing_methods(book, requests, day, carrier))


def _reverse_payments() -> pl.Expr:
    """Of which items payments are taken back: with list bill always, of all or of billed ones (R-ITM-28)."""
    of_billed = pl.col("payments") == "billed_and_due"
    of_list_bill = pl.when(of_billed).then(pl.lit("only_for_non_planned")).otherwise(pl.lit("yes"))
    of_direct_bill = pl.when("reverse_payments").then(pl.lit("yes")).otherwise(pl.lit("no"))
    return pl.when(pl.col("method") == "list_bill").then(of_list_bill).otherwise(of_direct_bill)


def _with_periods(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """Fill `payment_plan` with that of the period where the command names none."""
    periods = book["policy_periods"].select("period_key", known_plan="payment_plan")
    commands = commands.join(periods, on="period_key", how="left", maintain_order="left")
    return commands.with_columns(pl.coalesce("payment_plan", "known_plan"))


def _periods_without_numbers(book: Book, found: pl.DataFrame, day: date, carrier: Carrier) -> pl.Series:
    """Keys of the periods of which a charge could not number the items that the change would add."""
    of_periods = pl.col("period_key").is_in(found["period_key"].implode()) & (pl.col("period_key") > 0)
    items = reassignable_items(book, book["invoice_items"].filter(of_periods)["item_key"], day, carrier)
    full = charges_without_numbers(book, items)
    by_reassigning = items.filter(pl.col("charge_key").is_in(full.implode()))["period_key"]
    is_new_plan = (pl.col("method") == "list_bill") & (pl.col("payment_plan") != pl.col("known_plan"))
    new_plans = found.filter(is_new_plan & pl.col("plan_currency").is_not_null()).select("period_key", "payment_plan")
    return pl.concat([by_reassigning, periods_short_of_item_numbers(book, new_plans, day, carrier)]).unique()


PROCESSES = {"change_billing_method": change_methods}
"""Which process carries out which command."""
