"""Commands about an account: its billing level, its invoice days, and the list bill account that pays a policy."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.account_settings import INVOICE_DAYS
from ledger.billing_levels import change_billing_levels
from ledger.book import Book
from ledger.calendar import INTERVAL_FRAME
from ledger.carrier import Carrier
from ledger.commands.refusals import split_refused
from ledger.commands.schedules import plan_problems, with_plan_facts
from ledger.commands.targets import find_periods_of
from ledger.effects import Effects
from ledger.invoice_days import change_invoice_days
from ledger.list_bill import ACCOUNT_TYPE, BILLING_METHOD, payer_offers
from ledger.list_bill_changes import change_list_bills
from ledger.schedules import periods_short_of_item_numbers

_DAYS_OF_MONTH = ("invoice_day_of_month", "invoice_first_day_of_month", "invoice_second_day_of_month")


def set_billing_levels(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Invoice accounts per account or per policy from now on, and keep their incoming funds so.

    In: commands with account_key, invoice_by, separate_funds_by (null: as invoice_by). Rules: R-BL-2, R-BL-9..14.
    """
    levels = commands.with_columns(separate_funds_by=pl.coalesce("separate_funds_by", "invoice_by"))
    return change_billing_levels(book, levels, day, carrier)


def change_days(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Change the invoice days of accounts; planned invoices of their shared streams get other dates.

    In: commands with account_key and INVOICE_DAYS, null where a day stays. Rules: R-ACC-07, R-INV-08.
    """
    known = book["accounts"].select("account_key", *(pl.col(name).alias(f"known_{name}") for name in INVOICE_DAYS))
    found = commands.join(known, on="account_key", how="left", maintain_order="left")
    found = found.with_columns(is_empty=pl.all_horizontal(pl.col(INVOICE_DAYS).is_null())).with_columns(
        pl.coalesce(name, pl.col(f"known_{name}").cast(commands.schema[name])).alias(name) for name in INVOICE_DAYS
    )
    is_in_month = pl.all_horizontal(pl.col(_DAYS_OF_MONTH).is_between(1, 31))
    is_in_order = pl.col("invoice_first_day_of_month") < pl.col("invoice_second_day_of_month")
    right, refused = split_refused(
        found,
        {
            "E-INVOICE-DAYS": pl.col("is_empty")
            | ~is_in_month
            | ~is_in_order
            | ~pl.col("invoice_day_of_week").is_between(1, 7)
        },
    )
    settings = right.select("account_key", *INVOICE_DAYS)
    return Effects(change_invoice_days(book, settings, day, carrier), refused=(refused,))


def change_list_bill(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Let another list bill account pay policy periods, or the same by another plan or on another stream.

    In: commands with policy_key, term_number, payer_account_id, payment_plan, stream_id, items, payments. Rules:
    R-LB-08, R-LB-09, R-LB-13..17, R-BT-6.
    """
    found = with_list_bill_payers(book, with_plan_facts(find_periods_of(book, commands), carrier))
    found = with_streams(book, found, carrier)
    offers = payer_offers(book, found, carrier)
    short = periods_short_of_item_numbers(book, found.select("period_key", "payment_plan"), day, carrier)
    right, refused = split_refused(
        found.with_columns(is_offered=offers),
        {
            "E-TERM-UNKNOWN": pl.col("period_key") == 0,
            "E-LIST-BILL-METHOD": pl.col("billing_method") != BILLING_METHOD,
            "E-LIST-BILL-ACCOUNT": pl.col("payer_account_key").is_null()
            | (pl.col("payer_type") != ACCOUNT_TYPE)
            | (pl.col("payer_currency") != pl.col("currency")),
            **plan_problems(day),
            "E-SCHEDULE-OFFER": ~pl.col("is_offered"),
            "E-LIST-BILL-STREAM": ~pl.col("has_stream"),
            "E-SCHEDULE-ITEMS": pl.col("period_key").is_in(short.implode()),
        },
    )
    return Effects(book, refused=(refused,)).then(change_list_bills(book, right, day, carrier))


def with_list_bill_payers(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """Add the billing method of the period, and payer_account_key, payer_type, payer_currency of the account named."""
    periods = book["policy_periods"].select("period_key", pl.col("billing_method").cast(pl.String))
    payers = book["accounts"].filter(pl.col("account_id").is_in(commands["payer_account_id"].implode()))
    payers = payers.select(
        payer_account_id="account_id",
        payer_account_key="account_key",
        payer_type=pl.col("account_type").cast(pl.String),
        payer_currency="currency",
    )
    commands = commands.join(periods, on="period_key", how="left", maintain_order="left")
    return commands.join(payers, on="payer_account_id", how="left", maintain_order="left")


def with_streams(book: Book, commands: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """Add stream_key (0 when none is named) and `has_stream`: it is one of the payer's that fits the plan (R-LB-09)."""
    plans = carrier.payment_plan_frame().select("payment_plan", "payment_interval")
    plans = plans.join(INTERVAL_FRAME, on="payment_interval", how="left").select("payment_plan", wanted="periodicity")
    streams = book["invoice_streams"].select(
        stream_id=pl.col("stream_key").cast(pl.String),
        named_stream="stream_key",
        stream_account="account_key",
        stream_periodicity=pl.col("periodicity").cast(pl.String),
        is_for_policies=(pl.col("policy_key") == 0) & ~pl.col("is_account_level_only"),
    )
    found = commands.drop("stream_key").join(plans, on="payment_plan", how="left", maintain_order="left")
    found = found.join(streams, on="stream_id", how="left", maintain_order="left")
    fits = (
        (pl.col("stream_account") == pl.col("payer_account_key"))
        & (pl.col("stream_periodicity") == pl.col("wanted"))
        & pl.col("is_for_policies")
    )
    return found.with_columns(
        stream_key=pl.col("named_stream").fill_null(0),
        has_stream=pl.col("stream_id").is_null() | fits.fill_null(value=False),
    )


PROCESSES = {
    "set_billing_level": set_billing_levels,
    "change_invoice_days": change_days,
    "change_list_bill": change_list_bill,
}
"""Which process carries out which command."""
