"""Policy periods: which one an instruction means, new ones, and whether one is in force."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier

NEW_PERIOD_TYPES = ("issuance", "renewal", "new_renewal", "rewrite")
"""Instruction types that start a policy period (R-BI-3, R-BI-4, R-BI-6)."""
_CONTINUES_POLICY = ("renewal", "rewrite")
_FIRST_TERM = 1


def find_periods(book: Book, instructions: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """Add the policy and the policy period that each instruction means.

    In: instructions of which no two name the same policy. Out: with `policy_key`, `owner_account_key`, `period_key` (0
    when unknown), `term_number` resolved, `status`, `period_effective_date`, `coverage_end`, `period_payment_plan`,
    `period_billing_method` and `period_payer_account_key` (0 when the owner pays). A new period takes the term given,
    else the next one on a renewal or rewrite, else 1. Other instructions mean the term given, else the one that covers
    their effective date, else the latest.
    """
    policies = book["policies"].filter(pl.col("policy_id").is_in(instructions["policy_id"].implode()))
    known = instructions.join(
        policies.select("policy_id", "policy_key", owner_account_key="account_key"),
        on="policy_id",
        how="left",
        maintain_order="left",
    ).with_columns(pl.col("policy_key", "owner_account_key").fill_null(0))
    periods = book["policy_periods"].filter(
        (pl.col("policy_key") > 0) & pl.col("policy_key").is_in(known["policy_key"].implode())
    )
    latest = periods.group_by("policy_key").agg(latest_term=pl.col("term_number").max())
    is_new = pl.col("instruction_type").is_in(NEW_PERIOD_TYPES)
    known = known.join(latest, on="policy_key", how="left", maintain_order="left").with_columns(
        landed_term_number=pl.col("term_number"),
        term_number=pl.when(is_new)
        .then(
            pl.coalesce(
                "term_number",
                pl.when(pl.col("instruction_type").is_in(_CONTINUES_POLICY)).then(pl.col("latest_term") + 1),
                pl.lit(_FIRST_TERM),
            )
        )
        .otherwise(pl.col("term_number")),
    )
    meant = _meant_periods(known, periods)
    known = known.drop("term_number", "latest_term").join(meant, on="instruction_id", how="left", maintain_order="left")
    return _with_new_dates(known.with_columns(pl.col("period_key").fill_null(0)), carrier)


def _meant_periods(instructions: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """One row per instruction: its term, and the known period of that term if there is one."""
    candidates = instructions.select("instruction_id", "policy_key", "effective_date", wanted_term="term_number").join(
        periods.select(
            "policy_key",
            "period_key",
            "term_number",
            "coverage_end",
            pl.col("status").cast(pl.String),
            period_effective_date="effective_date",
            period_payment_plan="payment_plan",
            period_billing_method=pl.col("billing_method").cast(pl.String),
            period_payer_account_key="payer_account_key",
        ),
        on="policy_key",
        how="left",
    )
    is_wanted = pl.col("wanted_term").is_null() | (pl.col("wanted_term") == pl.col("term_number"))
    covers = pl.col("effective_date").is_between("period_effective_date", "coverage_end", closed="left")
    found = (
        candidates.filter(is_wanted & pl.col("period_key").is_not_null())
        .with_columns(covers=covers)
        .sort("instruction_id", "covers", "term_number", descending=[False, True, True])
        .unique("instruction_id", keep="first", maintain_order=True)
    )
    facts = (
        *("period_key", "coverage_end", "status", "period_effective_date", "period_payment_plan"),
        *("period_billing_method", "period_payer_account_key"),
    )
    return (
        instructions.select("instruction_id", wanted_term="term_number")
        .join(found.select("instruction_id", "term_number", *facts), on="instruction_id", how="left")
        .select("instruction_id", pl.coalesce("term_number", "wanted_term").alias("term_number"), *facts)
    )


def _with_new_dates(instructions: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """For a new period: its dates as the instruction gives them, and the first day without cover."""
    is_new = pl.col("instruction_type").is_in(NEW_PERIOD_TYPES) & (pl.col("period_key") == 0)
    extra_days = 1 if carrier.expiration_convention == "inclusive_last_day" else 0
    start = pl.coalesce("period_start", "effective_date")
    return instructions.with_columns(
        period_effective_date=pl.when(is_new).then(start).otherwise(pl.col("period_effective_date")),
        coverage_end=pl.when(is_new)
        .then(pl.col("period_end") + pl.duration(days=extra_days))
        .otherwise(pl.col("coverage_end")),
        period_payment_plan=pl.when(is_new).then(pl.col("payment_plan")).otherwise(pl.col("period_payment_plan")),
    )


def append_periods(book: Book, instructions: pl.DataFrame, day: date, carrier: Carrier) -> tuple[Book, pl.DataFrame]:
    """Book new policies and policy periods; out: the instructions with their keys and `is_new_policy`.

    The payer that an instruction names for a new period pays it by default; without one the owner does (R-LB-08). A
    renewal and a rewrite keep the return premium plan of the term before; any other new period takes the one that is
    active on the day (R-RPP-4, R-RPP-6).
    """
    is_new = pl.col("instruction_type").is_in(NEW_PERIOD_TYPES)
    is_new_policy = is_new & (pl.col("policy_key") == 0)
    next_policy = book.next_key("policies")
    next_period = book.next_key("policy_periods")
    numbered = instructions.with_columns(
        is_new_policy=is_new_policy,
        policy_key=pl.when(is_new_policy)
        .then(is_new_policy.cast(pl.Int64).cum_sum() + next_policy - 1)
        .otherwise(pl.col("policy_key")),
        period_key=pl.when(is_new)
        .then(is_new.cast(pl.Int64).cum_sum() + next_period - 1)
        .otherwise(pl.col("period_key")),
    )
    new_periods = numbered.filter(is_new)
    book = book.append("policies", new_periods.filter("is_new_policy"))
    settings = carrier.payment_plan_frame().select("payment_plan", "has_equity_warnings", "min_equity_days")
    rows = new_periods.join(settings, on="payment_plan", how="left", maintain_order="left").with_columns(
        effective_date=pl.col("period_effective_date"),
        expiration_date=pl.col("period_end"),
        billing_method=pl.col("billing_method").fill_null("direct_bill"),
        status=pl.lit("in_force"),
        cancellation_date=pl.lit(None, pl.Date),
        payer_account_key=pl.col("payer_account_key").fill_null(0),
    )
    return book.append("policy_periods", _with_return_premium_plan(book, rows, day, carrier)), numbered


def _with_return_premium_plan(book: Book, periods: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    active = pl.lit(carrier.default_plan("return_premium", day), pl.String)
    earlier = book["policy_periods"].select("policy_key", "term_number", kept="return_premium_plan")
    earlier = earlier.filter(pl.col("kept").is_not_null() & pl.col("policy_key").is_in(periods["policy_key"].implode()))
    latest = earlier.sort("policy_key", "term_number").unique("policy_key", keep="last")
    periods = periods.join(latest.drop("term_number"), on="policy_key", how="left", maintain_order="left")
    keeps = pl.col("instruction_type").is_in(_CONTINUES_POLICY)
    return periods.with_columns(return_premium_plan=pl.coalesce(pl.when(keeps).then("kept"), active))


def change_status(book: Book, instructions: pl.DataFrame) -> Book:
    """A cancellation takes a policy period out of force from its effective date; a reinstatement puts it back."""
    changes = instructions.filter(pl.col("instruction_type").is_in(["cancellation", "reinstatement"]))
    if changes.is_empty():
        return book
    is_cancellation = pl.col("instruction_type") == "cancellation"
    values = changes.select(
        "period_key",
        new_status=pl.when(is_cancellation).then(pl.lit("cancelled")).otherwise(pl.lit("in_force")),
        new_cancellation_date=pl.when(is_cancellation).then(pl.col("effective_date")),
    )
    rows = book["policy_periods"].select("period_key").with_row_index("row").join(values, on="period_key", how="inner")
    return book.update(
        "policy_periods",
        rows["row"],
        {"status": rows["new_status"], "cancellation_date": rows["new_cancellation_date"]},
    )
