"""The terms of a charge: everything that plans, policy period and payer say about how it is invoiced.

Slicing, streams and placement read these columns and nothing else, so that a preview or a change of plan can run the
same functions on other terms.
"""

from __future__ import annotations

import polars as pl

from ledger.book import Book
from ledger.calendar import INTERVAL_FRAME, one_interval_after
from ledger.carrier import Carrier

_PLAN_OF_ACCOUNT_LEVEL_CHARGES = {
    "payment_interval": "monthly",
    "has_down_payment": False,
    "has_second_installment": False,
    "max_installments": 1,
    "one_time_days": 0,
    "one_time_reference": "charge_date",
    "first_installment_days": 0,
    "first_installment_reference": "charge_date",
    "align_installments": True,
    "item_placement_cutoff": "bill_date",
    "plan_fix_invoices_on": "bill_date",
}
"""Account-level charges have no payment plan: one item on a monthly stream, dated at the charge date (R-CI-28)."""
_ONE_INTERVAL_LATER = {
    "effective_date": "one_interval_after_charge_effective_date",
    "policy_effective_date": "one_interval_after_policy_effective_date",
}
_PAID_BY_HAND = ("responsive", "check")


def with_terms(book: Book, charges: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """Join every charge with its effective plan, its policy period and its payer.

    In: rows of the book's charges, with `plan_name`, `plan_context` (instruction type whose overrides apply) and
    optional modifiers `modified_down_payment_ppm`, `modified_max_installments`. Out: one row per charge, in the same
    order. The effective plan is the plan, then its override for the instruction type, then the instruction's modifiers
    (R-CI-55, R-PO-8). The lead time follows from the payer's payment instrument (R-INV-05).
    """
    plans = carrier.effective_plan_frame().rename(
        {"payment_plan": "plan_name", "instruction_type": "plan_context", "fix_invoices_on": "plan_fix_invoices_on"}
    )
    patterns = carrier.charge_pattern_frame().select("charge_pattern", "invoicing_approach", "priority")
    periods = (
        book["policy_periods"]
        .filter(pl.col("period_key").is_in(charges["period_key"].unique().implode()))
        .select(
            "period_key",
            policy_effective_date="effective_date",
            period_payer_account_key="payer_account_key",
            period_stream_key="stream_key",
        )
    )
    terms = (
        charges.join(plans, on=["plan_name", "plan_context"], how="left", maintain_order="left")
        .join(patterns, on="charge_pattern", how="left", maintain_order="left")
        .join(periods, on="period_key", how="left", maintain_order="left")
        .join(_payers(book, charges, carrier), on="payer_account_key", how="left", maintain_order="left")
    )
    is_account_level = pl.col("period_key") == 0
    terms = terms.with_columns(
        pl.when(is_account_level).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
        for name, value in _PLAN_OF_ACCOUNT_LEVEL_CHARGES.items()
    ).with_columns(
        down_payment_ppm=pl.coalesce("modified_down_payment_ppm", "down_payment_ppm"),
        max_installments=pl.coalesce("modified_max_installments", "max_installments"),
    )
    terms = with_intervals(terms)
    return terms.with_columns(
        first_periodic_date=pl.when(pl.col("has_second_installment"))
        .then(event_date("second_installment"))
        .otherwise(event_date("first_installment"))
    )


def with_intervals(terms: pl.DataFrame) -> pl.DataFrame:
    """Add what the payment interval means for terms with a charge and a policy effective date (R-CI-22)."""
    terms = terms.join(INTERVAL_FRAME, on="payment_interval", how="left", maintain_order="left")
    later = (one_interval_after(pl.col(date)).alias(name) for date, name in _ONE_INTERVAL_LATER.items())
    return terms.with_columns(later)


def event_date(timing: str) -> pl.Expr:
    """Date of one of a plan's timings: reference date, one interval later if it says so, then the days (R-CI-20, 21).

    `timing` is `down_payment`, `first_installment`, `second_installment` or `one_time`; reads terms `with_intervals`.
    """
    reference = pl.col(f"{timing}_reference")
    base = (
        pl.when(reference == "charge_date")
        .then(pl.col("charge_date"))
        .when(reference == "charge_effective_date")
        .then(pl.col("effective_date"))
        .when(reference == "policy_effective_date")
        .then(pl.col("policy_effective_date"))
        .when(reference == "one_interval_after_charge_effective_date")
        .then(pl.col(_ONE_INTERVAL_LATER["effective_date"]))
        .when(reference == "one_interval_after_policy_effective_date")
        .then(pl.col(_ONE_INTERVAL_LATER["policy_effective_date"]))
    )
    return base + pl.duration(days=pl.col(f"{timing}_days").cast(pl.Int64))


def lead_times(book: Book, account_keys: pl.Series, carrier: Carrier) -> pl.DataFrame:
    """Lead time of the invoices of these accounts: account_key, lead_days, lead_day_unit, payment_due_day_logic.

    It follows from the billing plan and the payment instrument (R-INV-05).
    """
    accounts = book["accounts"].filter(pl.col("account_key").is_in(account_keys.unique().implode()))
    plans = carrier.billing_plan_frame().select(
        "billing_plan", "lead_days", "non_responsive_lead_days", "lead_day_unit", "payment_due_day_logic"
    )
    is_responsive = pl.col("payment_instrument").cast(pl.String).is_in(_PAID_BY_HAND)
    lead_days = pl.when(is_responsive).then(pl.col("lead_days")).otherwise(pl.col("non_responsive_lead_days"))
    return accounts.join(plans, on="billing_plan", how="left", maintain_order="left").select(
        "account_key", lead_days.cast(pl.Int64).alias("lead_days"), "lead_day_unit", "payment_due_day_logic"
    )


def _payers(book: Book, charges: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """Invoice days, level and lead time of the payers of these charges."""
    accounts = book["accounts"].filter(pl.col("account_key").is_in(charges["payer_account_key"].unique().implode()))
    leads = lead_times(book, accounts["account_key"], carrier)
    return accounts.join(leads, on="account_key", how="left", maintain_order="left").select(
        pl.col("account_key").alias("payer_account_key"),
        pl.col("account_type").cast(pl.String).alias("payer_account_type"),
        pl.col("invoice_by").cast(pl.String).alias("payer_invoice_by"),
        pl.col("fix_invoices_on").cast(pl.String).alias("payer_fix_invoices_on"),
        "invoice_day_of_month",
        "invoice_day_of_week",
        "invoice_first_day_of_month",
        "invoice_second_day_of_month",
        "invoice_every_other_week_anchor",
        "lead_days",
        "lead_day_unit",
        "payment_due_day_logic",
    )
