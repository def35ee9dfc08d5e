"""What customers expect to be billed: the items of a charge by its plan, and the invoices they would come on.

The ledger decides what is billed when it closes a day. Books that are made up need it beforehand, to know what their
customers pay; so the ledger's own slicing runs here on charges that are nowhere booked yet. Items go on the first date
of their invoices that is left, credits and fees per invoice of the account are not looked at.
"""

from __future__ import annotations

import polars as pl

from ledger.calendar import BusinessCalendar, days_of_half_month, slot_date, slot_on_or_after
from ledger.carrier import Carrier
from ledger.placement import invoice_dates
from ledger.slicing import candidate_items, settle_items
from ledger.terms import event_date, with_intervals

_BILL = ("account_key", "policy_key", "bill_date", "due_date")
_CADENCE = ("periodicity", "anchor_date", "anchor_day", "second_anchor_day", "fix_invoices_on")
_LEAD = ("lead_days", "lead_day_unit", "payment_due_day_logic")


def expected_bills(charges: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """What is billed on which day: one row per policy and invoice, sorted; minor units.

    charges: charge_key (unique), account_key, policy_key, charge_pattern, amount (minor units, any sign), payment_plan,
    instruction_type, charge_date (day on which it comes in), effective_date, policy_effective_date, coverage_end, and
    of the account invoice_by, invoice_day_of_month and billing_plan. Out: account_key, policy_key, bill_date, due_date,
    amount with the invoicing fee of the plan (R-FE-1 to R-FE-5); bills of nothing or less are left out.
    """
    terms = _with_cadence(_with_plans(charges, carrier))
    items = candidate_items(terms).join(
        terms.select("charge_key", "charge_date", *_CADENCE, *_LEAD), on="charge_key", how="left", maintain_order="left"
    )
    items = items.with_columns(first_day=pl.max_horizontal("event_date", "charge_date"))
    items = items.with_columns(slot=slot_on_or_after(pl.col("first_day")))
    items = items.with_columns(cadence_date=slot_date(pl.col("slot")))
    placed = invoice_dates(items, BusinessCalendar(carrier.business_days, carrier.holidays))
    kept = settle_items(terms, placed, carrier.installment_remainder)
    owners = terms.select("charge_key", "account_key", "policy_key", "fee_amount", "skip_fee_for_down_payments")
    is_installment = pl.col("item_type") == "installment"
    is_premium = is_installment | (pl.col("item_type") == "deposit")
    has_fee = pl.when("skip_fee_for_down_payments").then(is_installment).otherwise(is_premium)
    return (
        kept.join(owners, on="charge_key", how="left")
        .group_by(_BILL)
        .agg(pl.col("amount").sum(), fee=pl.col("fee_amount").filter(has_fee).max())
        .filter(pl.col("amount") > 0)
        .select(*_BILL, pl.col("amount") + pl.col("fee").fill_null(0))
        .sort(_BILL)
    )


def _with_plans(charges: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """Charges with the settings of their payment plan, pattern and billing plan."""
    billing = carrier.billing_plan_frame().select(
        "billing_plan", pl.col("lead_days").cast(pl.Int64), "lead_day_unit", "payment_due_day_logic"
    )
    patterns = carrier.charge_pattern_frame().select("charge_pattern", "invoicing_approach")
    terms = (
        charges.join(
            carrier.effective_plan_frame(), on=["payment_plan", "instruction_type"], how="left", maintain_order="left"
        )
        .join(patterns, on="charge_pattern", how="left", maintain_order="left")
        .join(billing, on="billing_plan", how="left", maintain_order="left")
    )
    return with_intervals(terms).with_columns(first_periodic_date=event_date("first_installment"))


def _with_cadence(terms: pl.DataFrame) -> pl.DataFrame:
    """The dates of the invoices: from the plan where a policy has its own, from the account's day where it shares."""
    first = pl.col("first_periodic_date")
    is_own = pl.col("invoice_by") == "policy"
    day = pl.when(is_own).then(first.dt.day().cast(pl.Int64)).otherwise(pl.col("invoice_day_of_month").cast(pl.Int64))
    is_half_month = pl.col("periodicity") == "twice_per_month"
    earlier, later = days_of_half_month(day)
    return terms.with_columns(
        anchor_date=first,
        anchor_day=pl.when(is_half_month).then(earlier).otherwise(day),
        second_anchor_day=pl.when(is_half_month).then(later).otherwise(day),
    )


def part_of(amount: pl.Expr, days: pl.Expr, of_days: pl.Expr) -> pl.Expr:
    """The part of an amount that falls on some days of a term, half up to the minor unit, away from zero."""
    return amount.sign() * ((2 * amount.abs() * days + of_days) // (2 * of_days))


def days_between(first: pl.Expr, last: pl.Expr) -> pl.Expr:
    """Days from one date to another."""
    return (last - first).dt.total_days()
