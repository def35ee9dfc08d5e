"""The settings of a carrier as frames, for the processes of the day to join.

Words are strings, days signed, amounts minor units, percentages parts per million of 100 %.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from ledger.plans import BillingPlan, ChargePattern, PaymentPlan, Timing
from schemas import enums

Row = dict[str, Any]
Schema = dict[str, type[pl.DataType]]

_TERMS: Schema = {
    "payment_interval": pl.String,
    "has_down_payment": pl.Boolean,
    "down_payment_ppm": pl.Int64,
    "down_payment_days": pl.Int32,
    "down_payment_reference": pl.String,
    "max_installments": pl.Int32,
    "first_installment_days": pl.Int32,
    "first_installment_reference": pl.String,
    "has_second_installment": pl.Boolean,
    "second_installment_days": pl.Int32,
    "second_installment_reference": pl.String,
    "one_time_days": pl.Int32,
    "one_time_reference": pl.String,
    "align_installments": pl.Boolean,
    "fix_invoices_on": pl.String,
    "item_placement_cutoff": pl.String,
    "blackout_days": pl.Int32,
    "blackout_basis": pl.String,
    "fee_amount": pl.Int64,
    "skip_fee_for_down_payments": pl.Boolean,
    "has_equity_warnings": pl.Boolean,
    "min_equity_days": pl.Int64,
}
_IDENTITY: Schema = {
    "payment_plan": pl.String,
    "description": pl.String,
    "priority": pl.Int32,
    "effective_date": pl.Date,
    "expiration_date": pl.Date,
    "is_reporting": pl.Boolean,
    "currency": pl.String,
}
_EFFECTIVE: Schema = {
    "payment_plan": pl.String,
    "instruction_type": pl.String,
}
_BILLING: Schema = {
    "billing_plan": pl.String,
    "description": pl.String,
    "priority": pl.Int32,
    "effective_date": pl.Date,
    "expiration_date": pl.Date,
    "payment_due_day_logic": pl.String,
    "lead_days": pl.Int32,
    "non_responsive_lead_days": pl.Int32,
    "lead_day_unit": pl.String,
    "dunning_lead_days": pl.Int32,
    "invoice_fee": pl.Int64,
    "payment_reversal_fee": pl.Int64,
    "skip_installment_fees": pl.Boolean,
    "aggregation": pl.String,
    "suppress_low_balance": pl.Boolean,
    "low_balance_threshold": pl.Int64,
    "low_balance_method": pl.String,
    "automatic_disbursements": pl.Boolean,
    "review_disbursements_over": pl.Int64,
    "delay_disbursement_days": pl.Int32,
    "disbursement_over": pl.Int64,
    "available_disbursement_basis": pl.String,
    "create_approval_activities": pl.Boolean,
    "send_disbursements_awaiting_approval": pl.Boolean,
    "request_interval_days": pl.Int32,
    "change_deadline_days": pl.Int32,
    "draft_interval_days": pl.Int32,
    "draft_day_logic": pl.String,
}
_PATTERN: Schema = {
    "charge_pattern": pl.String,
    "charge_subtype": pl.String,
    "category": pl.String,
    "priority": pl.Int8,
    "invoicing_approach": pl.String,
    "in_equity": pl.Boolean,
}


def payment_plan_frame(plans: Iterable[PaymentPlan]) -> pl.DataFrame:
    """One row per payment plan, in the order given, without its overrides."""
    rows = [{column: getattr(plan, column, plan.name) for column in _IDENTITY} | _terms_row(plan) for plan in plans]
    return pl.DataFrame(rows, schema=_IDENTITY | _TERMS)


def effective_plan_frame(plans: Iterable[PaymentPlan]) -> pl.DataFrame:
    """One row per payment plan and instruction type, overrides applied (R-PO-1), in the order given."""
    rows = [
        {"payment_plan": plan.name, "instruction_type": kind} | _terms_row(plan.for_instruction(kind))
        for plan in plans
        for kind in enums.INSTRUCTION_TYPES
    ]
    return pl.DataFrame(rows, schema=_EFFECTIVE | _TERMS)


def billing_plan_frame(plans: Iterable[BillingPlan]) -> pl.DataFrame:
    """One row per billing plan, in the order given."""
    rows = [{column: getattr(plan, column, plan.name) for column in _BILLING} for plan in plans]
    return pl.DataFrame(rows, schema=_BILLING)


def charge_pattern_frame(patterns: Iterable[ChargePattern]) -> pl.DataFrame:
    """One row per charge pattern, in the order given; priority 1 is high, 2 medium, 3 low (R-CP-10)."""
    rows = [
        {
            "charge_pattern": pattern.name,
            "charge_subtype": pattern.subtype,
            "category": pattern.category,
            "priority": enums.PRIORITIES.index(pattern.priority) + 1,
            "invoicing_approach": pattern.invoicing_approach,
            "in_equity": pattern.in_equity,
        }
        for pattern in patterns
    ]
    return pl.DataFrame(rows, schema=_PATTERN)


def _terms_row(plan: PaymentPlan) -> Row:
    """The settings of a payment plan that slicing and billing read, as one row."""
    row = {column: getattr(plan, column, None) for column in _TERMS}
    row["down_payment_ppm"] = plan.down_payment_ppm or 0
    for part in ("down_payment", "first_installment", "second_installment", "one_time"):
        timing: Timing | None = getattr(plan, f"{part}_timing")
        if timing is not None:
            row |= {f"{part}_days": timing.offset_days, f"{part}_reference": timing.reference}
    return row
