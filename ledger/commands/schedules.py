"""Commands about the payment schedule of a policy period: its payment plan and its equity warnings."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.commands.refusals import split_refused
from ledger.commands.targets import find_periods_of
from ledger.effects import Effects
from ledger.list_bill import BILLING_METHOD, payer_offers
from ledger.schedules import change_schedules, periods_short_of_item_numbers, periods_without_payer_stream

_MOST_EQUITY_DAYS = 3_660


def change_payment_schedules(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Give policy periods another payment plan and cut what is chosen of their items anew.

    In: commands with policy_key, term_number, payment_plan, items, include_down_payment, payments. Rules: R-PS-5..11,
    R-PP-16, R-INV-33; the plan is one that may be chosen today (R-BI-11, R-BT-6).
    """
    found = with_plan_facts(find_periods_of(book, commands), carrier)
    found = _with_list_bill_offers(book, found, carrier)
    lacking = periods_without_payer_stream(book, found.filter(pl.col("period_key") > 0), day, carrier)
    short = periods_short_of_item_numbers(book, found.select("period_key", "payment_plan"), day, carrier)
    right, refused = split_refused(
        found,
        {
            "E-TERM-UNKNOWN": pl.col("period_key") == 0,
            **plan_problems(day),
            "E-SCHEDULE-OFFER": pl.col("is_not_offered"),
            "E-PAYER-STREAM": pl.col("period_key").is_in(lacking.implode()),
            "E-SCHEDULE-ITEMS": pl.col("period_key").is_in(short.implode()),
        },
    )
    return Effects(book, refused=(refused,)).then(change_schedules(book, right, day, carrier))


def assign_payment_plans(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Give policy periods another payment plan and cut their planned items anew, down payments left as they are.

    In: commands with policy_key, term_number, payment_plan. Rules: R-PP-16, R-PP-19, R-PS-6.
    """
    words = {"items": "planned_items", "payments": "reverse_and_redistribute"}
    usual = commands.with_columns(
        *(pl.lit(word).alias(name) for name, word in words.items()), include_down_payment=pl.lit(value=False)
    )
    return change_payment_schedules(book, usual, day, carrier)


def set_policy_equity_warnings(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Turn equity warnings of policy periods on or off, and set their preferred days of equity.

    In: commands with policy_key, term_number, enabled, min_days (null leaves the days as they are). Nothing is checked
    now: only a change of the schedule is (R-EQT-14). Rules: R-EQT-12, R-EQT-18, R-PP-17.
    """
    del day, carrier
    right, refused = split_refused(
        find_periods_of(book, commands),
        {
            "E-TERM-UNKNOWN": pl.col("period_key") == 0,
            "E-EQUITY-DAYS": ~pl.col("min_days").is_between(0, _MOST_EQUITY_DAYS),
        },
    )
    rows = book["policy_periods"].select("period_key", "min_equity_days").with_row_index("row")
    wanted = right.select("period_key", "enabled", "min_days")
    rows = rows.join(wanted, on="period_key", how="inner", maintain_order="left")
    days = rows.select(pl.coalesce("min_days", "min_equity_days")).to_series()
    values = {"has_equity_warnings": rows["enabled"], "min_equity_days": days}
    return Effects(book.update("policy_periods", rows["row"], values), refused=(refused,))


def with_plan_facts(commands: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """Add what the carrier says about `payment_plan`: plan_currency (null when unknown), plan_from, plan_until.

    Also the plan's `periodicity`, that of the streams it needs.
    """
    plans = carrier.payment_plan_frame().select(
        "payment_plan", plan_currency="currency", plan_from="effective_date", plan_until="expiration_date"
    )
    return commands.join(plans, on="payment_plan", how="left", maintain_order="left")


def plan_problems(day: date) -> dict[str, pl.Expr]:
    """By reason code, whether the plan of a command (`with_plan_facts`) cannot be chosen on a day (R-BI-11)."""
    is_over = pl.col("plan_until").fill_null(day) < day
    return {
        "E-PLAN-UNKNOWN": pl.col("plan_currency").is_null(),
        "E-PLAN-NOT-EFFECTIVE": (pl.col("plan_from") > day) | is_over,
        "E-SCHEDULE-CURRENCY": pl.col("plan_currency") != pl.col("currency"),
    }


def _with_list_bill_offers(book: Book, commands: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """Add `is_not_offered`: the period is on list bill, and its payer does not offer the plan (R-BT-6, R-LB-08)."""
    on_list_bill = book["policy_periods"].filter(
        pl.col("period_key").is_in(commands["period_key"].implode())
        & (pl.col("billing_method").cast(pl.String) == BILLING_METHOD)
    )
    if on_list_bill.is_empty():
        return commands.with_columns(is_not_offered=pl.lit(value=False))
    payers = on_list_bill.select("period_key", period_payer="payer_account_key")
    found = commands.join(payers, on="period_key", how="left", maintain_order="left")
    offers = payer_offers(book, found.select("payment_plan", payer_account_key="period_payer"), carrier)
    return found.with_columns(is_not_offered=pl.col("period_payer").is_not_null() & ~offers).drop("period_payer")


PROCESSES = {
    "change_payment_schedule": change_payment_schedules,
    "assign_payment_plan": assign_payment_plans,
    "set_policy_equity_warning": set_policy_equity_warnings,
}
"""Which process carries out which command."""
