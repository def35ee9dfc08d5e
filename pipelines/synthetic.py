"""A made-up book of business: accounts, policies, what happens to them in a range of days, and what customers pay.

Nothing here is random: everything follows from a seed and the number of an account or policy (`pipelines.draws`), so
the same call gives the same rows everywhere, and a larger book begins with the accounts of a smaller one. Nothing
loops over policies. A few rows are wrong on purpose (`pipelines.mistakes`).
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from carriers import standard
from ledger.calendar import BusinessCalendar, add_months
from ledger.carrier import Carrier
from ledger.money import format_minor_units, percent_of
from pipelines.behaviour import payments_for
from pipelines.draws import Draws
from pipelines.mistakes import with_mistakes
from pipelines.schedule import days_between, expected_bills, part_of

SEED = 20_260_101
"""The seed of the books that nobody asks for by another."""
_POLICIES_PER_ACCOUNT = (("1", 700), ("2", 200), ("3", 100))
_LEVELS = (("policy/policy", 500), ("policy/account", 200), ("account/account", 300))
"""How accounts are invoiced and keep their funds, and how many of a thousand do it so."""
_INVOICE_DAYS = (("1", 300), ("5", 200), ("15", 300), ("20", 200))
_BILLING_PLANS = (("Standard", 850), ("Business Days", 150))
_LINES = (("auto", 350), ("home", 450), ("commercial", 200))
_PREMIUMS = {"auto": (300_00, 900_00), "home": (700_00, 2_600_00), "commercial": (2_500_00, 24_000_00)}
"""Lowest and highest premium of a term, in minor units."""
_MONTHS = {"auto": 6, "home": 12, "commercial": 12}
_PLANS_OF_HALF_YEARS = (("Full Pay", 300), ("Monthly 30% Down", 400), ("Monthly 10% Down With Fee", 300))
_PLANS_OF_ACCOUNTS = (("Full Pay", 200), ("Monthly", 400), ("Monthly 10% Down", 200), ("Quarterly", 200))
_PLANS = (
    ("Full Pay", 180),
    ("Monthly", 270),
    ("Monthly 10% Down", 150),
    ("Monthly 10% Down, First Term Only", 50),
    ("Monthly 30% Down", 100),
    ("Monthly 10% Down With Fee", 100),
    ("Quarterly", 100),
    ("Twice Per Month", 30),
    ("Weekly", 20),
)
_STARTS = (("month start", 250), ("1 July", 100), ("any day", 650))
_TAKEN_OVER, _NAMES_POLICY, _LEAVES, _CHANGES, _CANCELS, _HAS_FEE = 450, 600, 120, 120, 60, 500
"""Of a thousand: policies that renew from another system, accounts that say which policy they pay, terms that are not
renewed, changed, or cancelled, and new policies with a policy fee."""
_TAX_PPM = 35_000
_POLICY_FEE = 25_00
_RENEWED_AHEAD = 30
_TERM = ("policy_key", "term_number")


def synthetic_book(policies: int, first_day: date, last_day: date, seed: int = SEED) -> dict[str, pl.DataFrame]:
    """Landing rows of a made-up book by table, every column as text but `business_date`, sorted by it and by id.

    So many policies start within the year after `first_day`, at month starts and on 1 July more than on other days;
    they are renewed, changed and cancelled, and their accounts pay. Everything that comes in from `first_day` to
    `last_day` is there; it comes on business days. The plans are those of the standard carrier. Raises ValueError when
    there is nothing to make.
    """
    if policies < 1 or last_day < first_day:
        msg = f"{policies} policies from {first_day} to {last_day} are no book"
        raise ValueError(msg)
    carrier, draws = Carrier.from_toml(standard()), Draws(seed)
    terms = _terms(_policies(policies, first_day, draws), first_day, last_day, draws)
    calendar = BusinessCalendar(carrier.business_days, carrier.holidays)
    instructions = (
        pl.concat([terms, *_changes_and_cancellations(terms, draws)], how="diagonal")
        .with_columns(calendar.next_business_day(pl.col("business_date")))
        .filter(pl.col("business_date") <= last_day)
    )
    charges = _charges(instructions, draws)
    payments = _payments(instructions, charges, carrier, draws).filter(pl.col("business_date") <= last_day)
    rows = {
        "accounts": _account_rows(instructions),
        "billing_instructions": _instruction_rows(instructions),
        "charges": _charge_rows(charges),
        "payments": _payment_rows(payments),
    }
    return with_mistakes(rows, last_day)


def _policies(count: int, first_day: date, draws: Draws) -> pl.DataFrame:
    """Accounts with what they choose for good, one row per policy, with the start and premium of its first term."""
    size = draws.one_of(_POLICIES_PER_ACCOUNT, "policies", "account_key").cast(pl.Int64)
    accounts = pl.select(account_key=pl.int_range(1, count + 1, dtype=pl.Int64)).with_columns(
        level=draws.one_of(_LEVELS, "level", "account_key"),
        invoice_day_of_month=draws.one_of(_INVOICE_DAYS, "invoice day", "account_key").cast(pl.Int64),
        billing_plan=draws.one_of(_BILLING_PLANS, "billing plan", "account_key"),
        names_policy=draws.chance(_NAMES_POLICY, "names", "account_key"),
        place=pl.int_ranges(0, size),
    )
    policies = accounts.explode("place", empty_as_null=False).head(count)
    policies = policies.with_columns(
        policy_key=pl.int_range(1, count + 1, dtype=pl.Int64),
        invoice_by=pl.col("level").str.split("/").list.get(0),
        separate_funds_by=pl.col("level").str.split("/").list.get(1),
        line=draws.one_of(_LINES, "line", "account_key", "place"),
    )
    return policies.with_columns(
        payment_plan=pl.when(pl.col("line") == "auto")
        .then(draws.one_of(_PLANS_OF_HALF_YEARS, "plan", "policy_key"))
        .when(pl.col("invoice_by") == "account")
        .then(draws.one_of(_PLANS_OF_ACCOUNTS, "plan", "policy_key"))
        .otherwise(draws.one_of(_PLANS, "plan", "policy_key")),
        months=pl.col("line").replace_strict(_MONTHS, return_dtype=pl.Int64),
        premium=pl.coalesce(
            pl.when(pl.col("line") == line).then(draws.between(low, high, "premium", "policy_key"))
            for line, (low, high) in _PREMIUMS.items()
        ),
        first_start=_first_start(first_day, draws),
    )


def _first_start(first_day: date, draws: Draws) -> pl.Expr:
    """Start of the first term, within the year after the first day: a quarter on month starts, a tenth on 1 July."""
    july = date(first_day.year, 7, 1)
    month_start = (first_day - timedelta(days=1)).replace(day=1)
    start = draws.one_of(_STARTS, "start", "policy_key")
    return (
        pl.when(start == "month start")
        .then(add_months(pl.lit(month_start), draws.between(1, 12, "month", "policy_key")))
        .when(start == "1 July")
        .then(pl.lit(july if july >= first_day else july.replace(year=july.year + 1)))
        .otherwise(pl.lit(first_day) + pl.duration(days=draws.below(365, "day", "policy_key")))
    )


def _terms(policies: pl.DataFrame, first_day: date, last_day: date, draws: Draws) -> pl.DataFrame:
    """The terms of the policies as instructions, until one is cancelled or not renewed or the days are over."""
    most = (last_day - first_day).days // 180 + 2
    start = pl.col("first_start")
    number = pl.col("term_number")
    first_comes = pl.max_horizontal(
        start - pl.duration(days=draws.between(-3, 25, "comes in", "policy_key")), pl.lit(first_day)
    )
    terms = (
        policies.with_columns(term_number=pl.int_ranges(1, pl.lit(most + 1)))
        .explode("term_number", empty_as_null=False)
        .with_columns(
            period_start=add_months(start, pl.col("months") * (number - 1)),
            period_end=add_months(start, pl.col("months") * number),
            is_cancelled=draws.chance(_CANCELS, "cancels", *_TERM),
            premium=pl.col("premium")
            + percent_of(pl.col("premium"), draws.between(-30_000, 80_000, "increase", *_TERM)) * (number - 1),
            is_taken_over=draws.chance(_TAKEN_OVER, "taken over", "policy_key"),
        )
        .with_columns(
            business_date=pl.when(number == 1)
            .then(first_comes)
            .otherwise(pl.col("period_start") - pl.duration(days=_RENEWED_AHEAD)),
            effective_date=pl.col("period_start"),
            instruction_type=pl.when(number > 1)
            .then(pl.lit("renewal"))
            .when("is_taken_over")
            .then(pl.lit("new_renewal"))
            .otherwise(pl.lit("issuance")),
        )
    )
    is_last = pl.col("is_cancelled") | draws.chance(_LEAVES, "leaves", *_TERM)
    ends = terms.filter(is_last).group_by("policy_key").agg(last_term=number.min())
    return (
        terms.join(ends, on="policy_key", how="left")
        .filter((number <= pl.col("last_term").fill_null(most)) & (pl.col("business_date") <= last_day))
        .drop("last_term", "place", "level", "line", "first_start", "months", "is_taken_over")
    )


def _changes_and_cancellations(terms: pl.DataFrame, draws: Draws) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Changes of premium, up and down, and cancellations that return what is not provided, both pro rata by day."""
    start, end = pl.col("period_start"), pl.col("period_end")
    length = days_between(start, end)
    share = draws.between(-150_000, 250_000, "change", *_TERM)
    cancellations = terms.filter("is_cancelled").with_columns(
        instruction_type=pl.lit("cancellation"),
        effective_date=start + pl.duration(days=10 + draws.below(10**6, "cancelled", *_TERM) % (length - 60)),
    )
    cancellations = cancellations.with_columns(
        business_date=pl.max_horizontal(
            "business_date", pl.col("effective_date") + pl.duration(days=draws.below(8, "cancellation", *_TERM))
        )
    )
    changes = (
        terms.filter(draws.chance(_CHANGES, "changes", *_TERM))
        .with_columns(
            instruction_type=pl.lit("policy_change"),
            effective_date=start + pl.duration(days=20 + draws.below(10**6, "changed", *_TERM) % (length - 80)),
        )
        .with_columns(
            business_date=pl.max_horizontal(
                "business_date", pl.col("effective_date") + pl.duration(days=draws.below(6, "change", *_TERM))
            ),
            premium=part_of(percent_of(pl.col("premium"), share), days_between(pl.col("effective_date"), end), length),
        )
    )
    ended = cancellations.select(*_TERM, cancelled_on="effective_date")
    is_in_time = (pl.col("business_date") < pl.col("cancelled_on")).fill_null(value=True)
    changes = changes.join(ended, on=_TERM, how="left").filter(is_in_time & (pl.col("premium") != 0))
    changed = changes.select(*_TERM, change="premium", changed_on="effective_date")
    unexpired = days_between(pl.col("effective_date"), end)
    of_change = part_of(pl.col("change"), unexpired, days_between(pl.col("changed_on"), end)).fill_null(0)
    cancellations = cancellations.join(changed, on=_TERM, how="left").with_columns(
        premium=-(part_of(pl.col("premium"), unexpired, length) + of_change)
    )
    return changes.drop("cancelled_on"), cancellations.drop("change", "changed_on")


def _charges(instructions: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """Premium and taxes of every instruction, and a fee on half of the new policies."""
    is_new = pl.col("instruction_type").is_in(["issuance", "new_renewal"])
    has_fee = is_new & draws.chance(_HAS_FEE, "fee", "policy_key")
    parts = (
        ("Premium", pl.col("premium"), pl.lit(value=True)),
        ("Taxes", percent_of(pl.col("premium"), _TAX_PPM), pl.lit(value=True)),
        ("Fee", pl.lit(_POLICY_FEE, pl.Int64), has_fee),
    )
    return pl.concat(
        instructions.filter(is_there).with_columns(
            charge_no=pl.lit(number, pl.Int64), charge_pattern=pl.lit(name), amount=amount
        )
        for number, (name, amount, is_there) in enumerate(parts, start=1)
    ).filter(pl.col("amount") != 0)


def _payments(instructions: pl.DataFrame, charges: pl.DataFrame, carrier: Carrier, draws: Draws) -> pl.DataFrame:
    """What the accounts pay: as the bills come, until they hear of a cancellation."""
    cancelled = instructions.filter(pl.col("instruction_type") == "cancellation").select(
        "policy_key", cancelled_on="business_date"
    )
    accounts = instructions.select("account_key", "names_policy").unique()
    billed = charges.filter(pl.col("instruction_type") != "cancellation").with_columns(
        charge_key=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        charge_date="business_date",
        policy_effective_date="period_start",
        coverage_end="period_end",
    )
    is_open = (pl.col("bill_date") < pl.col("cancelled_on")).fill_null(value=True)
    bills = (
        expected_bills(billed, carrier)
        .join(cancelled, on="policy_key", how="left")
        .filter(is_open)
        .join(accounts, on="account_key", how="left")
    )
    return payments_for(bills, carrier, draws)


def _account_rows(instructions: pl.DataFrame) -> pl.DataFrame:
    """An account comes in with its first instruction."""
    facts = ("invoice_by", "separate_funds_by", "invoice_day_of_month", "billing_plan")
    return (
        instructions.group_by("account_key", *facts)
        .agg(pl.col("business_date").min())
        .select(
            "business_date",
            _account_id(),
            "invoice_by",
            "separate_funds_by",
            pl.col("invoice_day_of_month").cast(pl.String),
            "billing_plan",
            name=pl.format("Customer {}", "account_key"),
        )
        .sort("business_date", "account_id")
    )


def _instruction_rows(instructions: pl.DataFrame) -> pl.DataFrame:
    is_new = pl.col("instruction_type").is_in(["issuance", "new_renewal", "renewal"])
    return instructions.select(
        "business_date",
        _instruction_id(),
        "instruction_type",
        _account_id(),
        _policy_id(),
        pl.col("term_number").cast(pl.String),
        pl.when(is_new).then(pl.col("period_start")).cast(pl.String),
        pl.when(is_new).then(pl.col("period_end")).cast(pl.String),
        pl.col("effective_date").cast(pl.String),
        pl.when(is_new).then("payment_plan"),
    ).sort("business_date", "instruction_id")


def _charge_rows(charges: pl.DataFrame) -> pl.DataFrame:
    return charges.select(
        "business_date", _instruction_id(), pl.col("charge_no").cast(pl.String), "charge_pattern", amount=_amount()
    ).sort("business_date", "instruction_id", "charge_no")


def _payment_rows(payments: pl.DataFrame) -> pl.DataFrame:
    names_policy = pl.col("policy_key") > 0
    payment_id = pl.format("R-{}-{}-{}", "account_key", "policy_key", pl.col("payment_date").dt.to_string("%Y%m%d"))
    is_later = pl.col("payment_date") != pl.col("business_date")
    return payments.select(
        "business_date",
        _account_id(),
        pl.when(names_policy).then(_policy_id()).alias("policy_id"),
        "method",
        payment_id=payment_id,
        amount=_amount(),
        payment_date=pl.when(is_later).then(pl.col("payment_date")).cast(pl.String),
    ).sort("business_date", "payment_id")


def _amount() -> pl.Expr:
    return format_minor_units(pl.col("amount"), 2)


def _account_id() -> pl.Expr:
    return pl.format("A-{}", pl.col("account_key").cast(pl.String).str.zfill(6)).alias("account_id")


def _policy_id() -> pl.Expr:
    return pl.format("P-{}", pl.col("policy_key").cast(pl.String).str.zfill(7)).alias("policy_id")


def _instruction_id() -> pl.Expr:
    """Policy, term and what is done; each is done to a term once."""
    return pl.format(
        "I-{}-{}-{}", pl.col("policy_key").cast(pl.String).str.zfill(7), "term_number", "instruction_type"
    ).alias("instruction_id")
