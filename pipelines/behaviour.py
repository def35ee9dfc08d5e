"""How customers pay: what a bill becomes in the hands of people who are punctual, early, late or forgetful.

Every account has one manner of paying for good. From the bills that it expects and its manner follow its payments; a
what somebody does about a bill depends on its keys alone (`pipelines.draws`), so that a book is the same every time.
"""

from __future__ import annotations

import polars as pl

from ledger.calendar import BusinessCalendar
from ledger.carrier import Carrier
from ledger.segments import at_run_start, place_in_run
from pipelines.draws import Draws

MANNERS = (
    ("on_time", 500),  # within the week before the due date
    ("early", 120),  # as soon as the bill is there
    ("late", 120),  # up to four weeks after the due date
    ("in_parts", 60),  # about half, and the rest two weeks later
    ("forgetful", 70),  # leaves a bill out and pays it with the next one
    ("ahead", 50),  # three bills with one payment
    ("rounds_up", 50),  # up to the next whole ten
    ("stops", 30),  # pays the first bills and then nothing more
)
"""Manners of paying and how many of a thousand accounts have each."""
METHODS = (("ach", 450), ("check", 250), ("credit_card", 250), ("wire", 50))
"""Methods of payment and how many of a thousand accounts use each."""
_TOGETHER = 3
_FORGETS = 250
_PARTS_APART = 14
_OWNER = ("account_key", "policy_key")


def payments_for(bills: pl.DataFrame, carrier: Carrier, draws: Draws) -> pl.DataFrame:
    """The payments by which customers answer their bills; sorted by day and key, one row per payment.

    bills: account_key, policy_key, bill_date, due_date, amount (minor units, more than zero), names_policy (whether the
    account says which policy it pays). Out: account_key, policy_key (0 where the payment names the account only),
    payment_date, business_date (a check comes in one business day later), amount in minor units, method. Bills that an
    account pays on the same day without naming the policy become one payment. Everything is paid on business days.
    """
    paid = _with_days(_with_manner(bills, draws), draws)
    paid = pl.concat([paid, _second_parts(paid)], how="diagonal").filter(
        pl.col("pays_on").is_not_null() & (pl.col("pays") > 0)
    )
    calendar = BusinessCalendar(carrier.business_days, carrier.holidays)
    has_bill = pl.col("pays_on") >= pl.col("bill_date")
    first_day = pl.when(has_bill).then(calendar.next_business_day(pl.col("bill_date")))
    in_time = pl.max_horizontal(calendar.previous_business_day(pl.col("pays_on")), first_day)
    is_in_time = pl.col("pays_on") <= pl.col("due_date")
    together = (
        paid.with_columns(
            payment_date=pl.when(is_in_time).then(in_time).otherwise(calendar.next_business_day(pl.col("pays_on"))),
            policy_key=pl.when("names_policy").then("policy_key").otherwise(0),
        )
        .group_by("payment_date", *_OWNER)
        .agg(amount=pl.col("pays").sum())
        .with_columns(method=draws.one_of(METHODS, "method", "account_key"))
    )
    one_day = pl.lit(1, pl.Int64)
    came_in = pl.when(pl.col("method") == "check").then(calendar.add(pl.col("payment_date"), one_day))
    dated = together.with_columns(business_date=came_in.otherwise("payment_date"))
    return dated.sort("business_date", *_OWNER, "payment_date")


def _with_manner(bills: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """Bills in order, numbered from 0 per policy, each with the manner of its account."""
    return (
        bills.sort(*_OWNER, "bill_date")
        .with_columns(manner=draws.one_of(MANNERS, "manner", "account_key"))
        .with_columns(number=place_in_run(*_OWNER))
        .with_columns(is_last=(pl.col("policy_key") != pl.col("policy_key").shift(-1)).fill_null(value=True))
    )


def _with_days(bills: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """When each bill is paid (`pays_on`, null when it never is) and what is paid then (`pays`)."""

    def days(low: int, high: int, manner: str) -> pl.Expr:
        return pl.duration(days=draws.between(low, high, manner, *_OWNER, "number"))

    due, amount = pl.col("due_date"), pl.col("amount")
    is_forgotten = draws.chance(_FORGETS, "forgets", *_OWNER, "number")
    bundle = pl.col("number") // _TOGETHER
    first_due = at_run_start(due, *_OWNER, "bundle")
    stops_at = draws.between(1, 5, "stops", "account_key")
    manners = {
        "on_time": (due - days(0, 6, "on_time"), amount),
        "early": (pl.col("bill_date") + days(0, 2, "early"), amount),
        "late": (due + days(3, 28, "late"), amount),
        "in_parts": (due - days(0, 3, "in_parts"), amount // 2),
        "forgetful": (
            pl.when(~is_forgotten).then(due).when(~pl.col("is_last")).then(due.shift(-1)),
            amount,
        ),
        "ahead": (first_due, amount),
        "rounds_up": (due, (amount + 999) // 1_000 * 1_000),
        "stops": (pl.when(pl.col("number") < stops_at).then(due), amount),
    }
    manner = pl.col("manner")
    return bills.with_columns(bundle=bundle).with_columns(
        pays_on=pl.coalesce(pl.when(manner == name).then(day) for name, (day, _) in manners.items()),
        pays=pl.coalesce(pl.when(manner == name).then(sum_) for name, (_, sum_) in manners.items()),
    )


def _second_parts(paid: pl.DataFrame) -> pl.DataFrame:
    """The rest of the bills that are paid in two parts."""
    return paid.filter(pl.col("manner") == "in_parts").with_columns(
        pays_on=pl.col("pays_on") + pl.duration(days=_PARTS_APART), pays=pl.col("amount") - pl.col("pays")
    )
